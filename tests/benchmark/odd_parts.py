"""A plugin file for tests of searches: a metric of which less is better, a loss and an optimiser without a range."""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from outfitrec import component, field
from outfitrec.hooks import Register, hookimpl
from outfitrec.plugins.metrics.auc import AUC


@component
class Misses:
    """The chance that a random positive of the user is below a random negative."""

    label = "misses"
    higher_is_better = False

    def __call__(
        self, scores: Float[Tensor, " n"], relevant: Bool[Tensor, " n"], user: Int[Tensor, " n"]
    ) -> Float[Tensor, " user"]:
        return 1 - AUC()(scores, relevant, user)


@component
class Plain:
    """Gradient descent whose learning rate has no range."""

    lr: float = field(default=0.1, above=0, help="learning rate")

    def build(self, groups: Iterable[dict[str, Any]]) -> torch.optim.SGD:
        return torch.optim.SGD(groups, lr=self.lr)


@component
class Gap:
    """How far negatives are above positives, without a limit."""

    def __call__(
        self,
        positive: Float[Tensor, " pair"],
        negative: Float[Tensor, "pair negative"],
        weight: Float[Tensor, "pair negative"] | None = None,
        mask: Bool[Tensor, "pair negative"] | None = None,
    ) -> Float[Tensor, ""]:
        return negative.mean() - positive.mean()


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's components."""
    register.component("metric", "misses", ":Misses", "less of it is better")
    register.component("loss", "gap", ":Gap", "a loss without a range")
    register.component("optimizer", "plain", ":Plain", "gradient descent without a range")
