"""NDCG of the first k."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.plugins.metrics.ranking import rank


@component
class NDCGAt:
    """NDCG of the first k with the usual discount ``1 / log2(rank + 1)``; not the mean over ranks that `NDCG` is.

    The value of a tie is the mean over its orders. NaN for a user without a positive.

    Reference:
        Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002.
    """

    k: int = field(default=10, minimum=1, help="number of ranks that count")

    higher_is_better = True

    def __attrs_post_init__(self) -> None:
        self.label = f"ndcg@{self.k}"

    def __call__(
        self, scores: Float[Tensor, " n"], relevant: Bool[Tensor, " n"], user: Int[Tensor, " n"]
    ) -> Float[Tensor, " user"]:
        ranking = rank(scores, relevant, user)
        discount = 1 / (ranking.rank + 1).double().log2()
        # The same sum with the positives on top: their number comes first, whatever the scores are.
        on_top = ranking.rank <= ranking.positives[ranking.user]
        within = ranking.rank <= self.k
        ideal = ranking.total(torch.where(on_top & within, discount, 0.0))
        return ranking.total(torch.where(within, ranking.gain * discount, 0.0)) / ideal
