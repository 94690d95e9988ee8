"""NDCG of the first k."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.plugins.metrics.ranking import rank


@component
class NDCGAt:
    """NDCG of the first k with the usual discount ``1 / log2(rank + 1)``; not the mean over ranks that ``ndcg`` is.

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
        ranks = ranking.ranks()
        discount = torch.where(ranks <= self.k, 1 / (ranks + 1).log2(), 0.0)
        dcg = torch.cat([discount.new_zeros(1), discount.cumsum(0)])
        # Without a positive: 0 / 0, NaN.
        return ranking.total(ranking.expected(lambda rank: dcg[rank])) / dcg[ranking.positives]
