"""What all negatives with a ``share`` have in common."""

from collections.abc import Iterable
from typing import Any


def refuse_shared_evaluation(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
    """Refuse to evaluate with negatives that all pairs share."""
    if config is recipe.evaluate.negatives and config.share == "step":
        yield "evaluate.negatives.share", "an evaluation needs negatives of each pair: set share: pair, count: 10"
