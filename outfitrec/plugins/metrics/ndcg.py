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
        ranks = ranking.ranks()
        discount = 1 / ranks.clamp(min=2).log2()
        dcg = _sums(discount)  # of that many positives on top: the ideal
        # A row of rank k counts in NDCG@m for every m ≥ k, so its weight is discount(k) · Σ_{m ≥ k} 1 / ideal(m), with
        # ideal(m) = dcg(min(m, positives)). Up to the rank of the last ideal positive that is
        #     discount(k) · (inverse(positives) - inverse(k - 1) + (rows - positives) / dcg(positives)),
        # and below it discount(k) · (rows - k + 1) / dcg(positives).
        inverse = _sums(1 / dcg[1:])
        by_inverse = _sums(discount * inverse[:-1])
        by_rank = _sums(discount * (ranks - 1))
        rows, positives = ranking.rows[ranking.user], ranking.positives[ranking.user]
        ideal = dcg[positives]
        top = inverse[positives] + (rows - positives) / ideal

        def up_to(rank: Int[Tensor, " positive"]) -> Float[Tensor, " positive"]:
            in_top = rank.minimum(positives)
            below = rows * (dcg[rank] - dcg[in_top]) - (by_rank[rank] - by_rank[in_top])
            return top * dcg[in_top] - by_inverse[in_top] + below / ideal

        return torch.where(ranking.positives > 0, ranking.total(ranking.expected(up_to)) / ranking.rows, torch.nan)


def _sums(values: Float[Tensor, " rank"]) -> Float[Tensor, " rank_from_zero"]:
    """Sums of the first 0, 1, 2, … values."""
    return torch.cat([values.new_zeros(1), values.cumsum(0)])
