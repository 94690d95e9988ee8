"""Broken ranking losses."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mutants import broken
from outfitrec import component


def mean(margin: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over pairs of the mean over what the mask leaves."""
    kept = torch.ones_like(margin) if mask is None else mask.to(margin.dtype)
    return ((margin * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)).mean()


def softplus(positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
    """A loss that keeps to the contract."""
    weighted = negative if weight is None else weight * negative
    return mean(F.softplus(weighted - positive[:, None]), mask)


@component
class Sound:
    """Keeps to all of it."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, weight, mask)


@broken("loss", "is_a_scalar")
@component
class ByPair:
    """One number for each pair."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return F.softplus(negative - positive[:, None]).mean(dim=1)


@broken("loss", "is_finite_at_extreme_scores")
@component
class Overflowing:
    """The logarithm of a sum of exponentials, by the book."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        weighted = negative if weight is None else weight * negative
        kept = 1 if mask is None else mask
        return torch.log1p(((weighted - positive[:, None]).exp() * kept).sum(dim=1)).mean()


@broken("loss", "ignores_masked_negatives")
@component
class MaskedToZero:
    """Masked scores are 0, which is a score."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, weight) + (0 if mask is None else negative.square().mean() * 1e-3)


@broken("loss", "equals_the_loss_of_what_the_mask_leaves")
@component
class DividedByAll:
    """What is masked leaves the sum, and is counted."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        weighted = negative if weight is None else weight * negative
        margin = F.softplus(weighted - positive[:, None])
        return (margin if mask is None else margin * mask).mean()


@broken("loss", "stands_pairs_without_negatives")
@component
class OverNothing:
    """The mean over what the mask leaves, which may be nothing."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        weighted = negative if weight is None else weight * negative
        margin = F.softplus(weighted - positive[:, None])
        return margin.mean() if mask is None else margin[mask].mean()


@broken("loss", "takes_a_weight_of_one_as_none")
@component
class Unweighted:
    """Weights have no effect."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, None, mask)


@broken("loss", "has_the_gradient_of_its_value")
@component
class HalfDetached:
    """The gradient of the positives is lost."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive.detach(), negative, weight, mask)


@broken("loss", "falls_when_the_margin_grows")
@component
class Upside:
    """Rewards negatives."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        weighted = negative if weight is None else weight * negative
        return mean(F.softplus(positive[:, None] - weighted), mask)


@broken("loss", "does_not_depend_on_the_order")
@component
class FirstMost:
    """The first pair counts more than the last."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        weighted = negative if weight is None else weight * negative
        rank = torch.arange(len(positive), 0, -1, dtype=positive.dtype)[:, None] / len(positive)
        return mean(rank * F.softplus(weighted - positive[:, None]), mask)


@broken("loss", "does_not_grow_with_the_number_of_pairs")
@component
class Summed:
    """The sum over the pairs."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, weight, mask) * len(positive)


@broken("loss", "agrees_with_its_oracle", oracle=softplus)
@component
class Doubled:
    """Twice what it should be."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return 2 * softplus(positive, negative, weight, mask)
