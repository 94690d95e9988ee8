"""Broken distillers."""

from typing import Any

import torch
from torch import Tensor

from mutants import broken
from outfitrec import component


def weights(mean: Any, negative: Any) -> Tensor:
    """Weights that keep to the contract."""
    found: Tensor = mean[:, None] - negative
    return found.detach()


@component
class Sound:
    """Keeps to all of it."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        return weights(teacher_positive_mean, teacher_negative)


@broken("distiller", "gives_a_weight_for_each_negative")
@component
class ByPair:
    """One weight for all negatives of a pair."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        return weights(teacher_positive_mean, teacher_negative).mean(dim=1, keepdim=True)


@broken("distiller", "gives_a_weight_for_each_negative")
@component
class Standardised:
    """Divides by a deviation that one negative has not."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        found = weights(teacher_positive_mean, teacher_negative)
        return torch.stack([row / row.std() if len(row) > 1 else row * torch.nan for row in found])


@broken("distiller", "gives_no_gradient_to_the_teacher")
@component
class Attached:
    """Trains the teacher."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        found: Tensor = teacher_positive_mean[:, None] - teacher_negative
        return found


@broken("distiller", "depends_on_what_the_teacher_says")
@component
class Deaf:
    """The same weight for all."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        return torch.full_like(teacher_negative, 0.5)


@broken("distiller", "is_finite_at_extreme_scores")
@component
class Overflowing:
    """A sigmoid of its own making."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        power = weights(teacher_positive_mean, teacher_negative).exp()
        return power / (1 + power)


@broken("distiller", "does_not_depend_on_the_order")
@component
class FirstMost:
    """The first negative counts more than the last."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        found = weights(teacher_positive_mean, teacher_negative)
        return found.div(torch.arange(1, found.shape[1] + 1))


@broken("distiller", "agrees_with_its_oracle", oracle=weights)
@component
class Doubled:
    """Twice what it should be."""

    def __call__(self, teacher_positive_mean: Any, teacher_negative: Any) -> Tensor:
        return 2 * weights(teacher_positive_mean, teacher_negative)
