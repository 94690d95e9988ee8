"""N-pair loss."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.plugins.losses.margins import margins


@component
class NPair:
    """N-pair loss: cross-entropy of the positive among itself and its negatives.

    With a distiller's weights it is the loss of false negative distillation.

    Reference:
        Kim et al. 2021, Eq. 10 and Eq. 13.
        Sohn, Improved deep metric learning with multi-class N-pair loss objective, 2016.
    """

    temperature: float = field(
        default=0.1, above=0, search=(0.02, 1.0), help="scores are divided by it; smaller is stricter"
    )

    def __call__(
        self,
        positive: Float[Tensor, " pair"],
        negative: Float[Tensor, "pair negative"],
        weight: Float[Tensor, "pair negative"] | None = None,
        mask: Bool[Tensor, "pair negative"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean over the pairs of ``log(1 + Σ exp((weight · negative - positive) / temperature))``.

        Args:
            positive: Score of each pair.
            negative: Scores of its negatives.
            weight: Factor of each negative score, of any sign; None is 1.
            mask: False where a negative leaves the sum. A pair without a negative has the loss 0.

        Raises:
            ValueError: The shapes do not fit together.
        """
        margin = margins(positive, negative, weight, mask, self.temperature)
        return torch.cat([margin.new_zeros(len(margin), 1), margin], dim=1).logsumexp(dim=1).mean()
