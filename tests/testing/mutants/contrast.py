"""Broken contrastive losses."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mutants import broken
from outfitrec import component


def agreement(a: Any, b: Any, label: Any = None) -> Tensor:
    """A loss that keeps to the contract: each first view among all second ones."""
    logits = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T
    return F.cross_entropy(logits, torch.arange(len(a), device=logits.device))


@component
class Sound:
    """Keeps to all of it."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return agreement(a, b, label)


@component
class Labelled:
    """Keeps to all of it, and says that it needs labels."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        if label is None:
            raise ValueError("this loss needs labels")
        return agreement(a, b, label)


@broken("contrast", "is_a_scalar")
@component
class ByOutfit:
    """One number for each outfit."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return 1 - F.cosine_similarity(a, b)


@broken("contrast", "is_a_scalar")
@component
class Detached:
    """No gradient."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return agreement(a, b, label).detach()


@broken("contrast", "takes_labels_or_leaves_them")
@component
class Unlabelled:
    """Fails without labels, and does not say why."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        found: Tensor = agreement(a, b) + (label[:, None] == label).float().mean()
        return found


@broken("contrast", "takes_labels_or_leaves_them")
@component
class Silent:
    """NaN without labels."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return agreement(a, b) * (torch.nan if label is None else 1)


@broken("contrast", "is_finite_at_extreme_embeddings")
@component
class Unguarded:
    """Divides by the length of a view."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return agreement(a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True))


@broken("contrast", "stands_few_outfits")
@component
class Standardised(nn.Module):
    """Divides by the deviation over the outfits."""

    def forward(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return agreement(a / a.std(dim=0, correction=min(1, len(a))), b)


@broken("contrast", "has_the_gradient_of_its_value")
@component
class HalfDetached:
    """The gradient of the second views is lost."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return agreement(a, b.detach())


@broken("contrast", "does_not_depend_on_the_order")
@component
class FirstMost:
    """The first outfit counts more than the last."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        apart = 1 - F.cosine_similarity(a, b)
        return (apart / torch.arange(1, len(a) + 1)).mean()


@broken("contrast", "is_less_for_views_that_agree")
@component
class Repelling:
    """Drives the views of an outfit apart."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return -agreement(a, b)


@broken("contrast", "agrees_with_its_oracle", oracle=agreement)
@component
class Doubled:
    """Twice what it should be."""

    def __call__(self, a: Any, b: Any, label: Any = None) -> Tensor:
        return 2 * agreement(a, b)
