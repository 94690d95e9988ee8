"""The objective of Bi-LSTM: each item predicted from those before it and from those after it."""

from collections.abc import Iterable
from typing import Any

from jaxtyping import Float
from torch import Generator, Tensor

from outfitrec import Batch, Example, Outfits, RecipeError, Step, component, field
from outfitrec_baselines.bi_lstm.aggregator import Predicted


@component
class Sequence:
    """Mean cross-entropy of all next items of the step's outfits, plus that of all previous ones.

    The mean is over items, not outfits: a larger outfit counts for more.

    Reference:
        Han et al. 2017, Eq. 1–4; their visual-semantic term needs texts.
    """

    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="sequence", help="name in logs and overrides")

    unit = "outfit"
    needs_teacher = False

    @staticmethod
    def examples() -> Iterable[Example]:
        """Of the aggregator that predicts items."""
        yield Example(beside={"aggregator": "bi_lstm", "preference": "compatibility"})

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """The aggregator must predict items."""
        aggregator = recipe.model.aggregator
        if not getattr(aggregator.component, "predicts_items", False):
            yield "model.aggregator", f"objective {config.label!r} needs bi_lstm, and it is {aggregator.name!r}"

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Float[Tensor, ""]:
        """The sum of both directions.

        Raises:
            RecipeError: The outfits' states do not tell how well items are predicted.
        """
        state = step.state("positive")
        if not isinstance(state, Predicted):
            raise RecipeError(
                f"objective {self.label!r} reads how well each item is predicted, and the aggregator does not tell",
                hint="choose the aggregator bi_lstm",
            )
        positions = state.positions.sum()
        forward, backward = state.forward.sum() / positions, state.backward.sum() / positions
        step.log(f"{self.label}.forward", forward)
        step.log(f"{self.label}.backward", backward)
        return forward + backward
