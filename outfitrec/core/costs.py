"""What a recipe's model costs to apply, from its configuration alone: no weights, no data."""

from collections.abc import Callable

import attrs
import torch
from torch.utils.flop_counter import FlopCounterMode

from outfitrec.core.build import build_recommender, given_without_data
from outfitrec.core.recommender import Recommender
from outfitrec.core.settings import Recipe


@attrs.frozen
class Cost:
    """Arithmetic of matrix products and convolutions; what is done element by element is not counted.

    Attributes:
        macs: Multiply–accumulates.
        flops: Floating-point operations, two for each of them.
    """

    macs: int
    flops: int


@attrs.frozen
class Costs:
    """Cost of applying a model.

    Attributes:
        item: Of one item: its photo (or given features) to its embedding.
        outfit: Of one outfit and one user: all slots encoded, aggregated and scored.
    """

    item: Cost
    outfit: Cost


def costs(recipe: Recipe, users: int) -> Costs | None:
    """Cost of a recipe's model; None where it depends on values, or on features of unknown length."""
    given = given_without_data(recipe, users)
    most: tuple[int, ...] = given["most"]
    category = [index for index, count in enumerate(most) for _ in range(count)]
    with torch.device("meta"), torch.inference_mode():
        recommender = build_recommender(recipe.model, given).eval()
        try:
            item = _flops(lambda: _encode(recommender, recipe.image.size))
            score = _flops(lambda: _score(recommender, recipe.model.dim, category))
        except (RuntimeError, NotImplementedError):
            # Tensors on the meta device have no values to decide by.
            return None
    outfit = len(category) * item + score
    return Costs(Cost(item // 2, item), Cost(outfit // 2, outfit))


def _encode(recommender: Recommender, side: int) -> None:
    encoder = recommender.encoder
    if encoder.photos:
        features = encoder.features(torch.empty(1, 3, side, side))
    else:
        size = getattr(encoder, "size", None)
        if not isinstance(size, int):
            raise NotImplementedError("the length of the given features is not known")
        features = torch.empty(1, size)
    recommender.embed(features, torch.zeros(1, dtype=torch.long))


def _score(recommender: Recommender, dim: int, categories: list[int]) -> None:
    items, category = torch.empty(len(categories), dim), torch.tensor(categories)
    recommender.candidates(items, category)
    state = recommender.state(items, torch.arange(len(categories))[None], category[None])
    recommender.preference(torch.zeros(1, dtype=torch.long), state)


def _flops(run: Callable[[], None]) -> int:
    with FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())
