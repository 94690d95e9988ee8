"""Pairs of items of an outfit, and what methods that compare pairs offer to the objective ``triplet``."""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor
from torch.nn import functional as F

# As in the originals: the first keeps a vector of zeros finite, the second is added to each entry of a difference
# before its norm is taken (torch's pairwise_distance), so that equal items have a gradient.
_TINY = 1e-10
_EPS = 1e-6


@runtime_checkable
class Pairwise(Protocol):
    """An aggregator whose state is minus the mean distance of an outfit's pairs of items."""

    def relation(self, one: Int[Tensor, "*pair"], other: Int[Tensor, "*pair"]) -> Shaped[Tensor, "*pair"]:
        """What the categories of two items say of how they are compared: in which space, or in which order."""
        ...

    def triplet(
        self,
        anchor: Float[Tensor, "triplet dim"],
        far: Float[Tensor, "triplet dim"],
        close: Float[Tensor, "triplet dim"],
        relation: Shaped[Tensor, " triplet"],
    ) -> tuple[Float[Tensor, " triplet"], Float[Tensor, " triplet"]]:
        """Distances from the anchor to the far item and to the close one, which are of the same category."""
        ...

    def mask_norm(self, relation: Shaped[Tensor, " triplet"]) -> Float[Tensor, ""]:
        """Mean L1 norm of the masks by which the triplets are compared."""
        ...


class Canonical(NamedTuple):
    """Outfits whose items stand in canonical order, and their pairs of slots.

    Attributes:
        items: Item embeddings, ``[outfit, slot, dim]``.
        mask: True where a slot holds an item, ``[outfit, slot]``.
        category: Category, ``[outfit, slot]``; 0 where a slot is empty.
        first: The earlier slot of each pair, ``[pair]``.
        second: The later slot of each pair, ``[pair]``.
    """

    items: Float[Tensor, "outfit slot dim"]
    mask: Bool[Tensor, "outfit slot"]
    category: Int[Tensor, "outfit slot"]
    first: Int[Tensor, " pair"]
    second: Int[Tensor, " pair"]


def canonical(
    items: Float[Tensor, "outfit slot dim"], mask: Bool[Tensor, "outfit slot"], category: Int[Tensor, "outfit slot"]
) -> Canonical:
    """Outfits by category, then by slot; empty slots last."""
    width = mask.shape[1]
    order = category.masked_fill(~mask, torch.iinfo(category.dtype).max).argsort(dim=1, stable=True)
    rows = order + width * torch.arange(len(mask), device=mask.device)[:, None]
    first, second = torch.triu_indices(width, width, offset=1, device=mask.device)
    # F.embedding's gradient repeats bit for bit; that of items[rows] does not.
    items = F.embedding(rows, items.flatten(0, 1))
    return Canonical(items, mask.gather(1, order), category.masked_fill(~mask, 0).gather(1, order), first, second)


def unit(vectors: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
    """The vectors at length 1; zeros stay zeros."""
    norms: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / (norms + _TINY)


def length(difference: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch"]:
    """Euclidean distance of two vectors, from their difference."""
    found: Tensor = torch.linalg.vector_norm(difference + _EPS, dim=-1)
    return found


def mean_over_pairs(
    distance: Float[Tensor, "outfit pair"], present: Bool[Tensor, "outfit pair"]
) -> Float[Tensor, " outfit"]:
    """Mean over the pairs that are present."""
    return torch.where(present, distance, 0).sum(dim=1) / present.sum(dim=1)
