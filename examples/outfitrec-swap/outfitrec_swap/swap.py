"""Items of one category exchanged between outfits."""

from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Generator, Tensor

from outfitrec import Outfits, RecipeError, component, field, given


@component
class Swap:
    """Two outfits of the batch at a time exchange an item of one category, such as their shoes.

    All outfits with a free item of the category are put in a random order, and neighbours in it exchange theirs: the
    batch has the same items before and after. Of several such items of an outfit one is drawn. What stays as it is: the
    last outfit of an odd number, and both of two outfits if either has the other's item already.
    """

    keeps_categories: ClassVar[bool] = True

    category: str = field(default="shoe", help="category of the items that are exchanged, by its name in the dataset")
    categories: tuple[str, ...] = given("names of the categories")

    def __attrs_post_init__(self) -> None:
        if self.category not in self.categories:
            raise RecipeError(
                f"swap: category: the dataset has no {self.category!r}",
                hint=f"choose one of its categories: {', '.join(self.categories)}",
            )

    def __call__(
        self, outfits: Outfits, free: Bool[Tensor, "outfit slot"], generator: Generator
    ) -> tuple[Outfits, Bool[Tensor, "outfit slot"]]:
        """The outfits with another item of the category in one free slot, and which one that is."""
        items = outfits.items
        usable = outfits.mask & free & (outfits.category == self.categories.index(self.category))
        draws = torch.rand(items.shape, generator=generator).to(items.device)
        slot = draws.masked_fill(~usable, -1).argmax(dim=1)
        rows = usable.any(dim=1).nonzero().flatten()
        order = rows[torch.randperm(len(rows), generator=generator).to(items.device)]
        # A row for each two outfits that meet.
        pairs = order[: len(order) // 2 * 2].view(-1, 2)
        slots = slot[pairs]
        offered = items[pairs, slots]
        received = offered.flip(1)
        worn = (items[pairs] == received[..., None]).any(dim=2)
        exchanged = ~worn.any(dim=1, keepdim=True)
        altered = items.index_put((pairs, slots), torch.where(exchanged, received, offered))
        changed = torch.zeros_like(free).index_put((pairs, slots), exchanged.expand_as(pairs))
        return Outfits(altered, outfits.category), changed
