"""Negatives: the unobserved outfits of a training step or of an evaluation."""

import torch
from torch import Generator, Tensor

from outfitrec import Catalog, DataError, Drawn, Outfits, Rows, Split, component, field, given

ROUNDS = 1000


@component
class Mine:
    """The positive with one item exchanged by another of its category: near misses, drawn again where they are none.

    Reference:
        Nobody yet.
    """

    count: int = field(default=4, minimum=1, search=(1, 16), help="number drawn for each positive")
    split: Split = given("the split whose positives give the items and are no negatives")
    catalog: Catalog = given("the items")

    def __attrs_post_init__(self) -> None:
        outfits = self.split.positives.outfits
        items = outfits.items[outfits.mask].unique()
        category = self.catalog.category[items]
        # Items of the split alone, category by category: others would tell of what is held out.
        order = category.argsort(stable=True)
        self._pool = items[order]
        self._sizes = torch.bincount(category, minlength=len(self.catalog.categories))
        self._starts = self._sizes.cumsum(0) - self._sizes
        self._posted = {tuple(row) for row in outfits.keys().tolist()}

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        """``count`` negatives of each pair. On the CPU.

        Raises:
            DataError: There are too few items for that.
        """
        outfits = pairs.outfits[torch.arange(len(pairs)).repeat_interleave(self.count)]
        items = self._exchanged(outfits, generator)
        for _ in range(ROUNDS):
            again = self._refused(items).nonzero().flatten()
            if not len(again):
                return Drawn(self.catalog.outfits(items), shared=False)
            items[again] = self._exchanged(outfits[again], generator)
        raise DataError("no other outfits can be made of the split's items", hint="the split needs more of them")

    def _exchanged(self, outfits: Outfits, generator: Generator) -> Tensor:
        """The items of outfits with one of each, any one, exchanged."""
        slot = torch.rand(outfits.items.shape, generator=generator).masked_fill(~outfits.mask, -1).argmax(dim=1)
        category = outfits.category.gather(1, slot[:, None]).squeeze(1)
        draws = torch.rand(len(outfits), generator=generator, dtype=torch.float64)
        place = self._starts[category] + (draws * self._sizes[category]).long()
        return outfits.items.scatter(1, slot[:, None], self._pool[place][:, None])

    def _refused(self, items: Tensor) -> Tensor:
        """Which are somebody's positive, or have an item twice."""
        keys = Outfits(items, items).keys()
        twice = ((keys[:, 1:] == keys[:, :-1]) & (keys[:, 1:] >= 0)).any(dim=1)
        return twice | torch.tensor([tuple(row) in self._posted for row in keys.tolist()])
