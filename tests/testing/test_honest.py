"""Components of other people's making, each with something unusual that it may do: no check accuses them."""

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest
import torch
from mutants.loss import softplus
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec import component, field, given
from outfitrec.testing import check_component


@component
class Layered(nn.Module):
    """A loss of scores that a layer of its own, of float32, makes."""

    def __attrs_post_init__(self) -> None:
        self.layer = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.layer.weight)

    def forward(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        weighted = negative if weight is None else weight * negative
        return softplus(self._of(positive), self._of(weighted), None, mask)

    def _of(self, scores: Tensor) -> Tensor:
        found: Tensor = self.layer(scores.unsqueeze(-1)).squeeze(-1)
        return found


@component
class Softmax:
    """A distiller that compares a pair's negatives with one another, and with nothing else."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        found: Tensor = teacher_negative.detach().softmax(dim=1)
        return found


@component
class Maximum:
    """An aggregator that is no module."""

    def __call__(self, items: Any, mask: Any, category: Any) -> Tensor:
        found: Tensor = items.masked_fill(~mask.unsqueeze(-1), float("-inf")).amax(dim=1)
        return found


@component
class Pairs(nn.Module):
    """The mean product of two items: of outfits of two or more."""

    fewest: ClassVar[int] = 2

    def forward(self, items: Any, mask: Any, category: Any) -> Tensor:
        kept = items * mask.unsqueeze(-1)
        count = mask.sum(dim=1, keepdim=True)
        found: Tensor = (kept.sum(dim=1).square() - kept.square().sum(dim=1)) / (count * (count - 1))
        return found


@component
class Normalised(nn.Module):
    """A mean after a batch normalisation."""

    dim: int = given("size of an item embedding")

    def __attrs_post_init__(self) -> None:
        self.norm = nn.BatchNorm1d(self.dim)

    def forward(self, items: Any, mask: Any, category: Any) -> Tensor:
        mean = (items * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        found: Tensor = self.norm(mean)
        return found


@component
class FromZero(nn.Module):
    """Users who like nothing at the start."""

    dim: int = given("size of an outfit's state")
    users: int = given("number of users")

    def __attrs_post_init__(self) -> None:
        self.user = nn.Embedding(self.users, self.dim)
        nn.init.zeros_(self.user.weight)

    def forward(self, users: Any, state: Any) -> Tensor:
        found: Tensor = (self.user(users) * state).sum(dim=-1)
        return found


@component
class Barlow:
    """A contrast of dimensions, and not of outfits."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        a, b = (one - one.mean(dim=0) for one in (a, b))
        a, b = (one / (one.square().mean(dim=0) + 1e-4).sqrt() for one in (a, b))
        cross = a.T @ b / len(a)
        off = cross.square().sum() - cross.diagonal().square().sum()
        found: Tensor = (1 - cross.diagonal()).square().sum() + 0.005 * off
        return found


@component
class Queue(nn.Module):
    """An objective that remembers items of earlier training steps."""

    label: str = field(default="queue", help="label")
    weight: float = field(default=1.0, help="weight")
    dim: int = given("size of an item embedding")

    unit = "item"
    needs_teacher = False

    def __attrs_post_init__(self) -> None:
        self.register_buffer("past", torch.zeros(self.dim))

    def extra(self, batch: Any, generator: Any) -> None:
        return None

    def forward(self, step: Any) -> Tensor:
        past = self.get_buffer("past")
        value: Tensor = (step.items - past).square().mean()
        if self.training:
            past.lerp_(step.items.detach().mean(dim=0), 0.1)
        return value


@component
class Sparing(Queue):
    """An objective that asks for no outfits in some steps."""

    def extra(self, batch: Any, generator: Any) -> Any:
        return batch.positives[:0]


@component
class Dropping:
    """A head with dropout."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> nn.Module:
        return _Dropping(size, self.dim)


class _Dropping(nn.Module):
    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, dim)

    def forward(self, features: Tensor, category: Tensor) -> Tensor:
        found: Tensor = self.linear(F.dropout(features, 0.3, self.training))
        return found


class _Lion(torch.optim.Optimizer):
    def __init__(self, groups: Any, lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # there is no loss to give
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is None:
                    continue
                past = self.state[one].setdefault("past", torch.zeros_like(one))
                one.mul_(1 - group["lr"] * group["weight_decay"])
                one.sub_(past.lerp(one.grad, 0.1).sign(), alpha=group["lr"])
                past.lerp_(one.grad, 0.01)


@component
class Lion:
    """Steps of one length, by the sign of the gradient."""

    lr: float = field(default=1e-4, above=0, help="learning rate")

    def build(self, groups: Iterable[Any]) -> torch.optim.Optimizer:
        return _Lion(groups, self.lr)


HONEST = {
    "loss": (Layered,),
    "distiller": (Softmax,),
    "aggregator": (Maximum, Pairs, Normalised),
    "preference": (FromZero,),
    "contrast": (Barlow,),
    "objective": (Queue, Sparing),
    "head": (Dropping,),
    "optimizer": (Lion,),
}


@pytest.mark.parametrize(
    ("kind", "cls"), [pytest.param(kind, one, id=one.__name__) for kind, all_of in HONEST.items() for one in all_of]
)
def test_no_check_accuses_an_honest_component(kind: str, cls: type[Any]) -> None:
    report = check_component(cls, kind=kind)
    assert report.ok, str(report)
