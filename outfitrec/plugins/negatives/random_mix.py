"""Random mixes: outfits whose items are drawn slot by slot."""

import torch
from jaxtyping import Bool, Int
from torch import Generator, Tensor

from outfitrec.core.component import component
from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.drawn import Drawn
from outfitrec.core.errors import DataError
from outfitrec.core.fields import field, given
from outfitrec.core.outfits import Outfits
from outfitrec.plugins.negatives.posted import Posted
from outfitrec.plugins.negatives.share import refuse_shared_evaluation

_ROUNDS = 1000


@component
class RandomMix:
    """Outfits put together at random; never a positive of the split, whoever's.

    Each slot is drawn on its own, evenly from the distinct items that the split's positives have in it. A slot that is
    empty in some of them is left empty with the same share. Only the split's own positives are known and rejected: what
    other splits hold would give away their labels.

    Reference:
        Lu et al., Learning binary code for personalized fashion recommendation, 2019.
    """

    share: str = field(
        default="step",
        choices=("step", "pair"),
        help="step: every pair of the step has all that are drawn; pair: each its own",
    )
    count: int = field(default=1, minimum=1, search=(1, 16), help="number drawn for each positive")
    split: Split = given("the split whose positives give the items and are rejected")
    catalog: Catalog = given("the items")

    check_recipe = staticmethod(refuse_shared_evaluation)

    def __attrs_post_init__(self) -> None:
        outfits = self.split.positives.outfits
        self._posted = Posted(self.split.positives)
        pools = [slot[slot >= 0].unique() for slot in outfits.items.unbind(dim=1)]
        filled = outfits.mask.sum(dim=0).tolist()
        self._sizes = torch.tensor([len(pool) for pool in pools])
        # Numbers below the size of the pool stand for its items, those from there up to the span for an empty slot.
        self._spans = torch.tensor(
            [len(pool) * len(outfits) / full if full else 1.0 for pool, full in zip(pools, filled, strict=True)],
            dtype=torch.float64,
        )
        self._pool = torch.cat([torch.cat([pool, pool.new_tensor([-1])]) for pool in pools])
        self._starts = (self._sizes + 1).cumsum(0) - (self._sizes + 1)

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        """Negatives of these pairs.

        Raises:
            DataError: The pools are so small that no outfit but positives was found.
        """
        items = self._mixes(self.count * len(pairs), generator)
        for _ in range(_ROUNDS):
            refused = self._refused(items).nonzero().flatten()
            if not len(refused):
                return Drawn(self.catalog.outfits(items), shared=self.share == "step")
            items[refused] = self._mixes(len(refused), generator)
        pools = " × ".join(map(str, self._sizes.tolist()))
        raise DataError(
            f"negatives cannot be drawn: of the {pools} items of the slots, {_ROUNDS} draws gave nothing but the "
            f"{len(self.split)} positives of the split, outfits with an item twice and empty ones",
            hint="the split needs more distinct items than its positives use up",
        )

    def _mixes(self, number: int, generator: Generator) -> Int[Tensor, "outfit slot"]:
        draws = torch.rand(number, len(self._spans), dtype=torch.float64, generator=generator)
        index = (draws * self._spans).long().minimum(self._sizes)
        return self._pool[self._starts + index]

    def _refused(self, items: Int[Tensor, "outfit slot"]) -> Bool[Tensor, " outfit"]:
        """Which are a positive, have an item twice or none at all."""
        keys = Outfits(items, items).keys()
        twice = ((keys[:, 1:] == keys[:, :-1]) & (keys[:, 1:] >= 0)).any(dim=1)
        return twice | (keys[:, -1] < 0) | self._posted.by_any(keys)
