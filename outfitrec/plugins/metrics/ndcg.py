"""NDCG as the field of outfit recommendation computes it: the mean over all ranks."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.plugins.metrics.ranking import rank


@component
class NDCG:
    """Mean of NDCG@m over all m, with the discount 1 at ranks 1 and 2 and ``1 / log2(rank)`` below.

    The value of a tie is the mean over its orders. NaN for a user without a positive.

    Reference:
        Lu et al., Learning binary code for personalized fashion recommendation, 2019; Kim et al. 2021, Table 2.
    """

    label = "ndcg"
    higher_is_better = True

    def __call__(
        self, scores: Float[Tensor, " n"], relevant: Bool[Tensor, " n"], user: Int[Tensor, " n"]
    ) -> Float[Tensor, " user"]:
        ranking = rank(scores, relevant, user)
        longest = int(ranking.rank.max()) if len(scores) else 0
        ranks = torch.arange(1, longest + 1, dtype=torch.float64, device=scores.device)
        discount = 1 / ranks.clamp(min=2).log2()
        # Of m positives: the ideal DCG@m, and the sum of 1 / ideal DCG over the ranks up to m.
        ideal = _from_zero(discount.cumsum(0))
        inverse = _from_zero((1 / ideal[1:]).cumsum(0))
        # A row of rank k is part of DCG@m for every m ≥ k. Summing 1 / ideal DCG@m over these m first needs no DCG@m.
        above = ranking.rank - 1
        positives, rows = ranking.positives[ranking.user], ranking.rows[ranking.user]
        share = (
            inverse[positives]
            - inverse[above.minimum(positives)]
            + (rows - above.maximum(positives)) / ideal[positives]
        )
        # Without a positive the ideal is 0, the share infinite and its product with the gain 0 is NaN.
        return ranking.total(ranking.gain * discount[above] * share) / ranking.rows


def _from_zero(sums: Float[Tensor, " rank"]) -> Float[Tensor, " rank_and_zero"]:
    return torch.cat([sums.new_zeros(1), sums])
