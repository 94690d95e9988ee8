"""Scores of methods that know no users."""

from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from outfitrec import State, component


@component
class Compatibility(nn.Module):
    """The outfit's compatibility is everybody's score.

    For aggregators whose state is a number an outfit, or begins with one.
    """

    personal: ClassVar[bool] = False

    def forward(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "..."]:
        """The compatibility for each user: ``(b, 1) × (k,) → (b, k)`` and ``(p,) × (p,) → (p,)``."""
        score = state if isinstance(state, Tensor) else state[0]
        # A column of users sees all outfits; otherwise each user has one.
        return score.expand(len(users), -1) if users.ndim == 2 else score
