"""Scores of methods that know no users."""

from collections.abc import Iterable
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from outfitrec import Example, RecipeError, State, component


@component
class Compatibility(nn.Module):
    """The outfit's compatibility is everybody's score.

    For aggregators whose state is a number an outfit, or begins with one.
    """

    personal: ClassVar[bool] = False

    @staticmethod
    def examples() -> Iterable[Example]:
        """With aggregators that give a number an outfit."""
        for aggregator in ("bi_lstm", "type_aware", "sce_net"):
            yield Example(beside={"aggregator": aggregator})

    def forward(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "..."]:
        """The compatibility for each user: ``(b, 1) × (k,) → (b, k)`` and ``(p,) × (p,) → (p,)``.

        Raises:
            RecipeError: The state is no number an outfit, and begins with none.
        """
        score = state if isinstance(state, Tensor) else state[0]
        if score.ndim != 1:
            raise RecipeError(
                "preference compatibility needs one number for each outfit, and the aggregator gives a tensor of shape "
                f"{list(score.shape)}",
                hint="set model.aggregator: bi_lstm, type_aware or sce_net",
            )
        # A column of users sees all outfits; otherwise each user has one.
        return score.expand(len(users), -1) if users.ndim == 2 else score
