"""The items of an outfit as they are, for preferences that score items."""

from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from outfitrec import component


class Items(NamedTuple):
    """The items of outfits.

    Attributes:
        items: Item embeddings, ``[outfit, slot, dim]``; zeros where a slot is empty.
        mask: True where a slot holds an item, ``[outfit, slot]``.
        category: Category index, ``[outfit, slot]``; -1 where a slot is empty.
    """

    items: Float[Tensor, "outfit slot dim"]
    mask: Bool[Tensor, "outfit slot"]
    category: Int[Tensor, "outfit slot"]


@component
class ItemSet(nn.Module):
    """Nothing is aggregated: an outfit's state is its items."""

    def forward(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> Items:
        """The items, which slots they are in, and their categories."""
        return Items(items, mask, category)
