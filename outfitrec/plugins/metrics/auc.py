"""Area under the ROC curve."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.plugins.metrics.ranking import rank


@component
class AUC:
    """Chance that a random positive of the user is above a random negative; a tie counts one half.

    NaN for a user without a positive or without a negative.
    """

    label = "auc"
    higher_is_better = True

    def __call__(
        self, scores: Float[Tensor, " n"], relevant: Bool[Tensor, " n"], user: Int[Tensor, " n"]
    ) -> Float[Tensor, " user"]:
        ranking = rank(scores, relevant, user)
        rows, positives = ranking.rows.double(), ranking.positives.double()
        # Mann and Whitney: ranks from the bottom, less those that the positives have among themselves.
        above = positives * (rows + 1) - ranking.total(ranking.gain * ranking.rank) - positives * (positives + 1) / 2
        return above / (positives * (rows - positives))
