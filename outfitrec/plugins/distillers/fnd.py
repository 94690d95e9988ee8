"""False negative distillation."""

from jaxtyping import Float
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field


@component
class FND:
    """Weights that turn against a negative where the teacher likes it more than the user's positives.

    A weight below zero marks a false negative: the ranking loss then pulls it towards the user.

    Reference:
        Kim et al. 2021, Eq. 12; its effect on the gradient is Eq. 16.
    """

    alpha: float = field(
        default=1.25, above=0, search=(0.5, 5.0), help="scale of the weights; search it, the best differs by dataset"
    )

    def __call__(
        self, teacher_positive_mean: Float[Tensor, " pair"], teacher_negative: Float[Tensor, "pair negative"]
    ) -> Float[Tensor, "pair negative"]:
        """``alpha · (teacher_positive_mean - teacher_negative)``, without gradient.

        Args:
            teacher_positive_mean: Mean score that the teacher gives to the positives of each pair's user (Eq. 11).
            teacher_negative: Its scores of the pair's negatives.
        """
        return (self.alpha * (teacher_positive_mean[:, None] - teacher_negative)).detach()
