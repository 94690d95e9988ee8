"""What hypothesis draws for tests of components: outfits, scores, rankings, views and training steps.

    >>> from hypothesis import given
    >>> from outfitrec.testing.strategies import score_matrices
    >>> @given(score_matrices())
    ... def test_my_loss_is_positive(scores):
    ...     positive, negative = scores
    ...     assert MyLoss()(positive, negative) >= 0

Tensors are drawn number by number, so that a failing case is shrunk to a small one. Needs ``outfitrec[testing]``.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from hypothesis import strategies as st
from torch import Tensor

from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Step
from outfitrec.testing import steps as made
from outfitrec.testing.world import WORLD, World

if TYPE_CHECKING:
    Draw: TypeAlias = st.DrawFn
else:
    # As it cannot be checked when the program runs.
    Draw: TypeAlias = Callable[..., Any]

# Beyond any cosine over a temperature.
SCORES = (-50.0, 50.0)


@st.composite
def outfits(
    draw: Draw,
    *,
    fewest: int = 1,
    most: int = 4,
    count: tuple[int, int] = (1, 6),
    empty: bool = True,
    world: World = WORLD,
) -> Outfits:
    """Outfits of catalogue items, none twice in one; empty slots anywhere.

    Args:
        draw: Of hypothesis.
        fewest: Fewest items of an outfit, at least 1.
        most: Most items of an outfit.
        count: Smallest and largest number of outfits.
        empty: Whether there may be empty slots; without, all outfits have as many items.
        world: Whose items.
    """
    width = draw(st.integers(fewest, most))
    rows = []
    for _ in range(draw(st.integers(*count))):
        filled = draw(st.integers(min(fewest, width), width)) if empty else width
        items = draw(st.lists(st.integers(0, len(world.catalog) - 1), min_size=filled, max_size=filled, unique=True))
        rows.append(draw(st.permutations([*items, *[-1] * (width - filled)])))
    return world.catalog.outfits(torch.tensor(rows))


@st.composite
def matrices(
    draw: Draw,
    rows: int,
    columns: int,
    low: float = SCORES[0],
    high: float = SCORES[1],
    dtype: Any = torch.float32,
) -> Tensor:
    """A matrix of numbers from ``low`` to ``high``, ``[rows, columns]``."""
    number = st.floats(low, high, width=32, allow_nan=False)
    values = draw(st.lists(number, min_size=rows * columns, max_size=rows * columns))
    return torch.tensor(values, dtype=dtype).reshape(rows, columns)


@st.composite
def masks(draw: Draw, rows: int, columns: int) -> Tensor:
    """A boolean matrix, ``[rows, columns]``."""
    values = draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns))
    return torch.tensor(values, dtype=torch.bool).reshape(rows, columns)


@st.composite
def score_matrices(
    draw: Draw,
    *,
    pairs: tuple[int, int] = (1, 5),
    negatives: tuple[int, int] = (1, 5),
    low: float = SCORES[0],
    high: float = SCORES[1],
) -> tuple[Tensor, Tensor]:
    """Scores as a ranking loss takes them: of the positives, ``[pair]``, and of the negatives, ``[pair, negative]``.

    Args:
        draw: Of hypothesis.
        pairs: Smallest and largest number of pairs.
        negatives: Smallest and largest number of negatives of a pair.
        low: Lowest score.
        high: Highest score.
    """
    rows, columns = draw(st.integers(*pairs)), draw(st.integers(*negatives))
    return draw(matrices(rows, 1, low, high)).squeeze(1), draw(matrices(rows, columns, low, high))


@st.composite
def rankings(
    draw: Draw, *, rows: tuple[int, int] = (1, 12), users: int = 3, levels: Sequence[float] = (-1.0, 0.0, 0.5, 2.0)
) -> tuple[Tensor, Tensor, Tensor]:
    """What a metric takes, with many ties: scores, which of them are positives, and whose, each ``[n]``.

    Args:
        draw: Of hypothesis.
        rows: Smallest and largest number of rows.
        users: Most users.
        levels: Scores that occur.
    """
    count = draw(st.integers(*rows))
    scores = draw(st.lists(st.sampled_from(levels), min_size=count, max_size=count))
    user = draw(st.lists(st.integers(0, users - 1), min_size=count, max_size=count))
    return torch.tensor(scores), draw(masks(1, count)).squeeze(0), torch.tensor(user)


@st.composite
def views(
    draw: Draw, *, count: tuple[int, int] = (2, 5), dim: tuple[int, int] = (1, 4)
) -> tuple[Tensor, Tensor, Tensor]:
    """What a contrast takes: two views of each outfit, ``[outfit, dim]``, and the user of each, ``[outfit]``."""
    rows, columns = draw(st.integers(*count)), draw(st.integers(*dim))
    label = draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    return draw(matrices(rows, columns, -3, 3)), draw(matrices(rows, columns, -3, 3)), torch.tensor(label)


def steps(*, unit: str = "pair", taught: bool = True, world: World = WORLD) -> st.SearchStrategy[Step]:
    """Training steps as an objective reads them, of small models (see `outfitrec.testing.steps.step`).

    Args:
        unit: What they draw: ``pair``, ``outfit`` or ``item``.
        taught: Whether they have a teacher.
        world: Items, outfits and users.
    """
    return st.builds(
        lambda **facts: made.step(unit=unit, taught=taught, world=world, **facts),
        size=st.integers(2, 8),
        negatives=st.integers(1, 6),
        shared=st.booleans(),
        masked=st.booleans(),
        epoch=st.integers(0, 3),
        seed=st.integers(0, 50),
    )
