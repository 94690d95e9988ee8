"""Items of the same type from other outfits: the negatives of triplets."""

import torch
from jaxtyping import Int
from torch import Generator, Tensor

from outfitrec import Catalog, DataError, Outfits, Split

_ROUNDS = 1000


class SameTypeItems:
    """Draws an item of the same type as a given one from the outfits of a split.

    First an outfit, evenly among all that have an item of the type, however many users posted it; then one of its items
    of the type, evenly. An item is thus drawn the more often the more outfits it is in.

    Args:
        split: The training split.
        catalog: The items; their category is their type.

    Reference:
        Vasileva et al., Learning type-aware embeddings for fashion compatibility, 2018: negatives of triplets.
    """

    def __init__(self, split: Split, catalog: Catalog) -> None:
        outfits = split.positives.outfits.keys().unique(dim=0)
        row, slot = (outfits >= 0).nonzero(as_tuple=True)
        items = outfits[row, slot]
        # A group is what an outfit has of a type; groups ascend by type.
        groups, member, self._sizes = (catalog.category[items] * len(outfits) + row).unique(
            return_inverse=True, return_counts=True
        )
        self._items = items[member.argsort(stable=True)]
        self._starts = self._sizes.cumsum(dim=0) - self._sizes
        self._groups = torch.bincount(groups // len(outfits), minlength=len(catalog.categories))
        self._first = self._groups.cumsum(dim=0) - self._groups
        self._catalog = catalog

    def draw(self, outfits: Outfits, positive: Int[Tensor, " row"], generator: Generator) -> Int[Tensor, " row"]:
        """An item of the type of each positive, from anywhere but the positive's outfit. All tensors are on the CPU.

        Args:
            outfits: The outfit of each positive, row by row.
            positive: The positives, as items of the catalogue.
            generator: For the draws.

        Raises:
            DataError: The split has no item of a type, or none was found outside of the positive's outfit.
        """
        category = self._catalog.category[positive]
        refused = self._groups[category] == 0
        if not refused.any():
            items = self._any(category, generator)
            for _ in range(_ROUNDS):
                refused = (items[:, None] == outfits.items).any(dim=1) | (items == positive)
                again = refused.nonzero().flatten()
                if not len(again):
                    return items
                items[again] = self._any(category[again], generator)
        row = int(refused.nonzero()[0])
        name = self._catalog.names[int(positive[row])]
        raise DataError(
            f"negatives cannot be drawn: the training outfits have no item of the type "
            f"{self._catalog.categories[int(category[row])]!r} but those of the outfit that {name!r} is in",
            hint="a triplet needs at least two outfits with different items of each type",
        )

    def _any(self, category: Int[Tensor, " row"], generator: Generator) -> Int[Tensor, " row"]:
        """An item of each of these types."""
        outfit, item = torch.rand(2, len(category), dtype=torch.float64, generator=generator).unbind()
        group = self._first[category] + (outfit * self._groups[category]).long()
        items: Tensor = self._items[self._starts[group] + (item * self._sizes[group]).long()]
        return items
