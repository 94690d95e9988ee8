"""The items of an outfit as they are, for preferences that score items."""

from collections.abc import Iterable
from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from outfitrec import Example, RecipeError, State, component


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

    @staticmethod
    def examples() -> Iterable[Example]:
        """With the preferences that read its state, which keeps the slots."""
        for preference in ("outfitnet", "fhn", "relevancy"):
            yield Example(beside={"preference": preference})

    def forward(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> Items:
        """The items, which slots they are in, and their categories."""
        return Items(items, mask, category)


def items_of(state: State, who: str) -> Items:
    """The items of outfits, from their state.

    Args:
        state: The state.
        who: Who needs the items, as an error names it.

    Raises:
        RecipeError: The state holds no items.
    """
    if not isinstance(state, Items):
        raise RecipeError(
            f"{who} scores the items of an outfit, and the aggregator does not give them",
            hint="set model.aggregator: items",
        )
    return state
