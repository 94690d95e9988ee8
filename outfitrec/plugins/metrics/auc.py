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
        ranks = ranking.total((ranking.first + ranking.last).double() / 2)
        # Of the rows below each positive, leave out the positives. (0 / 0 is NaN.)
        below = positives * rows - ranks - positives * (positives - 1) / 2
        return below / (positives * (rows - positives))
