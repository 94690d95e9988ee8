"""Weights of the ranking loss by what the teacher says."""

import torch
from torch import Tensor

from outfitrec import component, field


@component
class Mine:
    """Turns against a negative where the teacher likes it more than the user's mean positive, and by no more than 1.

    The weight is ``tanh(scale · (mean score of the positives - score of the negative))``, in -1 to 1.

    Reference:
        Nobody yet.
    """

    scale: float = field(default=2.0, above=0, search=(0.5, 8.0), help="factor of the teacher's difference")

    def __call__(self, teacher_positive_mean: Tensor, teacher_negative: Tensor) -> Tensor:
        """Weight of each negative, ``[pair, negative]``, without gradient.

        Args:
            teacher_positive_mean: Mean score that the teacher gives to the positives of each pair's user, ``[pair]``.
            teacher_negative: Its scores of the pair's negatives, ``[pair, negative]``.
        """
        return torch.tanh(self.scale * (teacher_positive_mean[:, None] - teacher_negative)).detach()
