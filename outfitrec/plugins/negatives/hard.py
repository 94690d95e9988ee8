"""Hard negatives: outfits that other users posted."""

import torch
from jaxtyping import Int
from torch import Generator, Tensor

from outfitrec.core.component import component
from outfitrec.core.data import Rows, Split
from outfitrec.core.drawn import Drawn
from outfitrec.core.errors import DataError, listed
from outfitrec.core.fields import field, given
from outfitrec.core.outfits import Outfits
from outfitrec.plugins.negatives.posted import Posted
from outfitrec.plugins.negatives.share import refuse_shared_evaluation


@component
class Hard:
    """Outfits that other users posted; never one that the pair's user posted too.

    Drawn for each pair, evenly and with replacement, from the positives of the split that are other users': an outfit
    that several of them posted is drawn as often as they all. With ``share: step`` every pair of the step has what was
    drawn for any of them, and the mask leaves out what its own user posted; what was drawn for itself always counts.
    Only the split's own positives are known.

    Reference:
        Kim et al. 2021, the hard-negative task (Table 4).
    """

    share: str = field(
        default="step",
        choices=("step", "pair"),
        help="step: every pair of the step has all that are drawn, but its user's own; pair: each its own",
    )
    count: int = field(default=1, minimum=1, search=(1, 16), help="number drawn for each positive")
    split: Split = given("the split whose positives are the negatives of other users")

    check_recipe = staticmethod(refuse_shared_evaluation)

    def __attrs_post_init__(self) -> None:
        self._posted = posted = Posted(self.split.positives)
        # With the positives in the order of their outfits, those that a user may not have are a run for each outfit
        # that the user posted. `_runs` counts the positives in all runs before one.
        self._order = posted.number.argsort(stable=True)
        length = posted.count[posted.outfit]
        self._runs = torch.cat([length.new_zeros(1), length.cumsum(dim=0)])
        # How many of the positives before each run its user may have; with the user in front, these ascend.
        start = (posted.count.cumsum(dim=0) - posted.count)[posted.outfit]
        before = self._runs[:-1] - self._runs[torch.searchsorted(posted.user, posted.user)]
        self._free = posted.user * len(self.split) + start - before
        users = posted.user.unique()
        none = users[self._others(users)[0] == 0].tolist()
        if none:
            raise DataError(
                "hard negatives cannot be drawn: in the split, others posted no outfit that these users did not post "
                f"too: {listed([str(user) for user in none])}",
                hint="use random_mix, or data with more users",
            )

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        """Negatives of these pairs."""
        users = pairs.users.repeat_interleave(self.count)
        others, before = self._others(users)
        draws = (torch.rand(len(users), dtype=torch.float64, generator=generator) * others).long()
        # The k-th of those that a user may have comes after all runs that have at most k of them before.
        runs = self._runs[torch.searchsorted(self._free, users * len(self.split) + draws, right=True)]
        outfits = self.split.positives.outfits[self._order[draws + runs - before]]
        if self.share == "pair":
            return Drawn(outfits, shared=False)
        return self.shared(pairs, outfits)

    def shared(self, pairs: Rows, outfits: Outfits) -> Drawn:
        """Outfits as negatives of all pairs, but for those that a pair's user posted."""
        return Drawn(outfits, shared=True, mask=~self._posted.by(pairs.users, outfits.keys()))

    def _others(self, users: Int[Tensor, " user"]) -> tuple[Int[Tensor, " user"], Int[Tensor, " user"]]:
        """How many positives each user may have, and how many are in the runs of all users before."""
        total = len(self.split)
        before, after = (self._runs[torch.searchsorted(self._free, (users + k) * total)] for k in (0, 1))
        return total - (after - before), before
