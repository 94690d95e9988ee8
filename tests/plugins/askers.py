"""A plugin file for tests: parts of a model that ask the engine for something, and write down what they were told."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from outfitrec import Recommender, State, component, field, given
from outfitrec.hooks import Register, hookimpl

TOLD: dict[str, list[Any]] = {"epoch": [], "candidates": [], "unobserved": [], "profile": []}


@component
class Apart(nn.Module):
    """The mean of an outfit's items, of outfits of two items or more, among candidates."""

    fewest: ClassVar[int] = 2

    most: tuple[int, ...] = given("by category, the most items of it in an outfit")

    def candidates(self, items: Tensor, category: Tensor) -> None:
        TOLD["candidates"].append((items.detach().clone(), category.clone()))

    def on_epoch(self, epoch: int) -> None:
        TOLD["epoch"].append(epoch)

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        present = mask[..., None].to(items.dtype)
        mean: Tensor = (items * present).sum(dim=1) / present.sum(dim=1)
        return mean


@component
class Learner:
    """A cold start that looks at outfits which nobody posted."""

    users: int = given("number of users")
    shown: int = field(default=0, help="of no use")

    def unobserved(self, state: State) -> None:
        TOLD["unobserved"].append(state)

    def profile(self, recommender: Recommender, liked: State) -> dict[str, Tensor]:
        TOLD["profile"].append(len(TOLD["unobserved"]))
        return {"nothing": torch.zeros(1)}

    def score(self, recommender: Recommender, profile: dict[str, Tensor], state: State) -> Tensor:
        assert isinstance(state, Tensor)
        return profile["nothing"] + state.sum(dim=1)


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's components."""
    register.component("aggregator", "apart", ":Apart", "asks for candidates, the epoch and two items")
    register.component("cold_start", "learner", ":Learner", "asks for unobserved outfits")
