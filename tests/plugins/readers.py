"""A plugin file for tests: components that read what is encoded of a step as a whole."""

import torch
from torch import Generator, Tensor, nn

from outfitrec import component, field, given
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch, Step
from outfitrec.hooks import Register, hookimpl


@component
class Spread(nn.Module):
    """Embeddings and features of the step's items shall be far apart, as a layer of its own sees them."""

    weight: float = field(default=0.1, minimum=0, help="factor in the sum of objectives")
    dim: int = given("size of an item embedding")

    label, unit, needs_teacher = "spread", "pair", False

    def __attrs_post_init__(self) -> None:
        self.layer = nn.Linear(self.dim, self.dim)

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Tensor:
        rows = self.layer(step.items), step.features
        apart = [torch.cdist(one, one).square().mean() / (1 + one.square().mean()) for one in rows]
        # Every item counts by its place: none may be missing, twice there or in another order.
        place = torch.arange(1.0, len(step.ids) + 1) / len(step.ids)
        return (place @ step.items.square().mean(dim=1)) / len(step.ids) - torch.stack(apart).sum()


@component
class Amid(nn.Module):
    """The mean of an outfit's items, seen from the mean of all candidates of their categories."""

    dim: int = given("size of an item embedding")

    def __attrs_post_init__(self) -> None:
        self.layer = nn.Linear(self.dim, self.dim)

    def candidates(self, items: Tensor, category: Tensor) -> None:
        same = (torch.arange(3)[:, None] == category).to(items.dtype)
        self._middle = self.layer((same @ items) / same.sum(dim=1, keepdim=True).clamp(min=1))

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        middle = self._middle.index_select(0, category.clamp(min=0).flatten()).view_as(items)
        present = mask[..., None].to(items.dtype)
        mean: Tensor = ((items - 0.5 * middle) * present).sum(dim=1) / present.sum(dim=1)
        return mean


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's components."""
    register.component("objective", "spread", ":Spread", "reads the step's items and features")
    register.component("aggregator", "amid", ":Amid", "reads the step's candidates")
