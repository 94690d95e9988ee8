"""Hit rate of the first k."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.plugins.metrics.ranking import rank


@component
class HitRate:
    """Whether a positive is among the first k; with ties, the chance of it over their orders (hypergeometric).

    NaN for a user without a positive.
    """

    k: int = field(default=10, minimum=1, help="number of ranks that count")

    higher_is_better = True

    def __attrs_post_init__(self) -> None:
        self.label = f"hit_rate@{self.k}"

    def __call__(
        self, scores: Float[Tensor, " n"], relevant: Bool[Tensor, " n"], user: Int[Tensor, " n"]
    ) -> Float[Tensor, " user"]:
        ranking = rank(scores, relevant, user)
        within = (self.k - ranking.first + 1).clamp(min=0).minimum(ranking.tied)
        # Tied positives take their places one after the other: the one after `placed` others hits one of the `within`
        # places with this chance, if none of them did.
        index = torch.arange(len(ranking.tie), device=ranking.tie.device)
        placed = index - torch.searchsorted(ranking.tie, ranking.tie)
        hit = (within.double() / (ranking.tied - placed)).clamp(max=1)
        missed = ranking.total((-hit).log1p()).exp()
        return torch.where(ranking.positives > 0, 1 - missed, torch.nan)
