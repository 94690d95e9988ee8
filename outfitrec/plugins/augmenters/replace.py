"""One item replaced by a similar one."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

from jaxtyping import Bool, Int
from torch import Generator, Tensor

from outfitrec.core.component import component
from outfitrec.core.errors import DataError, listed
from outfitrec.core.fields import field, given
from outfitrec.core.neighbours import ABSENT, Neighbours
from outfitrec.core.outfits import Outfits
from outfitrec.plugins.augmenters.choice import one_of


@component
class Replace:
    """Replaces an item at random by one of the training items of its category that look most like it.

    An item that the outfit has already is not chosen. An outfit of whose items none can be replaced stays as it is.

    Reference:
        Kim et al. 2021, Section "Contrastive learning".
    """

    keeps_categories: ClassVar[bool] = True

    count: int = field(
        default=10, minimum=1, maximum=1000, search=(1, 50), help="the item is one of so many nearest, evenly chosen"
    )
    neighbours: Neighbours = given("the items that are similar to each item")

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Similar items must be known."""
        if recipe.neighbours is None:
            yield "neighbours", "replace takes similar items: set the key 'neighbours'"

    def __call__(
        self, outfits: Outfits, free: Bool[Tensor, "outfit slot"], generator: Generator
    ) -> tuple[Outfits, Bool[Tensor, "outfit slot"]]:
        """The outfits with another item in one free slot, and which one that is.

        Raises:
            DataError: An item is not in the training split.
        """
        items, filled = outfits.items, outfits.mask & free
        similar = self._table[items.clamp(min=0).cpu()].to(items.device)
        absent = items[filled & (similar[..., 0] == ABSENT)].unique().tolist()
        if absent:
            raise DataError(
                f"no similar items are known of {listed([self.neighbours.names[item] for item in absent])}",
                hint="replace alters outfits of the training split alone",
            )
        worn = (similar[..., None] == items[:, None, None, :]).any(dim=3)
        usable = (similar >= 0) & ~worn & filled[..., None]
        replaced = one_of(usable.any(dim=2), generator)
        # A row for each outfit that is altered: such an outfit has one slot, and this slot one new item.
        chosen = one_of(usable[replaced], generator)
        return Outfits(items.masked_scatter(replaced, similar[replaced][chosen]), outfits.category), replaced

    @cached_property
    def _table(self) -> Int[Tensor, "item neighbour"]:
        return self.neighbours.table(self.count)
