"""Mixed negatives: hard ones and random mixes."""

import torch
from jaxtyping import Bool
from torch import Generator, Tensor

from outfitrec.core.component import component
from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.drawn import Drawn
from outfitrec.core.fields import field, given
from outfitrec.core.outfits import Outfits
from outfitrec.plugins.negatives.hard import Hard
from outfitrec.plugins.negatives.random_mix import RandomMix
from outfitrec.plugins.negatives.share import refuse_shared_evaluation


@component
class Mixed:
    """Outfits that other users posted, as ``hard`` draws them, and random ones, as ``random_mix`` does.

    With ``share: step`` the number of hard ones in a step is the share of all, rounded. With ``share: pair`` each pair
    has its share; where that is no whole number, the next lower or higher one at random, so that the mean is right.

    Reference:
        Kim et al. 2021, the hard-negative task (Table 4): half of the training negatives are hard.
    """

    hard: float = field(default=0.5, minimum=0, maximum=1, search=(0.0, 1.0), help="share of the hard ones, 0 to 1")
    share: str = field(
        default="step",
        choices=("step", "pair"),
        help="step: every pair of the step has all that are drawn, but its user's own; pair: each its own",
    )
    count: int = field(default=1, minimum=1, search=(1, 16), help="number drawn for each positive, hard and random")
    split: Split = given("the split whose positives are the hard negatives and give the items of the random ones")
    catalog: Catalog = given("the items")

    check_recipe = staticmethod(refuse_shared_evaluation)

    def __attrs_post_init__(self) -> None:
        self._hard = Hard(share="pair", split=self.split)
        self._random = RandomMix(share="pair", split=self.split, catalog=self.catalog)

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        """Negatives of these pairs.

        Raises:
            DataError: The pools of the random ones are so small that no outfit but positives was found.
        """
        hard = self._which(len(pairs), generator)
        rows = pairs[torch.arange(len(pairs)).repeat_interleave(self.count)]
        drawn = [source.draw(rows[part], generator) for source, part in ((self._hard, hard), (self._random, ~hard))]
        place = torch.cat([hard.nonzero(), (~hard).nonzero()]).flatten()
        outfits = Outfits.cat([one.outfits for one in drawn])[place.argsort()]
        if self.share == "pair":
            return Drawn(outfits, shared=False)
        # A random one is nobody's positive: the mask leaves hard ones out alone.
        return self._hard.shared(pairs, outfits)

    def _which(self, pairs: int, generator: Generator) -> Bool[Tensor, " negative"]:
        """Which of the negatives, pair by pair, are hard."""
        if self.share == "step":
            total = self.count * pairs
            return torch.randperm(total, generator=generator) < round(self.hard * total)
        own = (self.hard * self.count + torch.rand(pairs, dtype=torch.float64, generator=generator)).floor()
        return (torch.arange(self.count) < own[:, None]).flatten()
