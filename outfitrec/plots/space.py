"""Users and their outfits in the space that they share."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from torch import Tensor

from outfitrec.core.space import NEGATIVE, POSITIVE, TEST, UNOBSERVED, USER, Space
from outfitrec.plots.figure import COLOURS, WIDTH, style

GREY = "#666666"
# Height of the axes in widths: as the points need, within these limits; and of the legends, inches.
FLATTEST, TALLEST = 0.45, 1.05
LEGENDS = 0.6
STAR = 5  # tips
LARGEST = 12  # of the stars
# Shapes tell roles, colours users, and a black edge what is found. Sizes in points.
LOOKS: Mapping[tuple[str, bool], Mapping[str, Any]] = {
    (NEGATIVE, False): {"marker": "x", "markersize": 2.4, "markeredgewidth": 0.6, "alpha": 0.8},
    (POSITIVE, False): {"marker": "o", "markersize": 2.8, "markeredgewidth": 0, "alpha": 0.8},
    (TEST, False): {"marker": "^", "markersize": 4.4, "markeredgecolor": "white", "markeredgewidth": 0.3},
    (NEGATIVE, True): {"marker": "X", "markersize": 4.6, "markeredgecolor": "black", "markeredgewidth": 0.5},
    (TEST, True): {"marker": "^", "markersize": 5.0, "markeredgecolor": "black", "markeredgewidth": 0.7},
    (USER, False): {"markeredgecolor": "black", "markeredgewidth": 0.6},
}


def draw(space: Space, points: Float[Tensor, "point 2"]) -> Figure:
    """A figure of the space, as wide as a column.

    Args:
        space: What is to be shown, of at most as many users as there are colours.
        points: Where, in the plane.

    Raises:
        ValueError: There are more users than colours.

    Reference:
        Kim et al. 2021, Fig. 8.
    """
    if len(space.users) > len(COLOURS):
        raise ValueError(f"{len(space.users)} users, and {len(COLOURS)} colours")
    width, height = (points.amax(dim=0) - points.amin(dim=0)).tolist()
    ratio = min(max(height / max(width, 1e-9), FLATTEST), TALLEST)
    with style():
        figure = Figure(figsize=(WIDTH, WIDTH * ratio + LEGENDS), layout="constrained")
        axes = figure.add_subplot(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
        for look in LOOKS:
            for number, user in enumerate(space.users):
                place = space.which(look[0], user=user) & (space.found == look[1])
                axes.plot(*points[place].T.tolist(), **_style(look, number, len(space.users)))
        _explain(figure, space.users)
    return figure


def _explain(figure: Figure, users: tuple[int, ...]) -> None:
    """Legends: the users above, and what the marks mean below."""
    shared: dict[str, Any] = {"frameon": False, "handletextpad": 0.4, "columnspacing": 1.2, "borderpad": 0.1}
    stars = [_mark((USER, False), number, len(users)) for number in range(len(users))]
    figure.legend(stars, [f"user {user}" for user in users], loc="outside upper center", ncols=3, **shared)
    marks: dict[str, Any] = {role: _mark((role, False)) for role in (POSITIVE, NEGATIVE, TEST)}
    marks["found false negative (d < 0)"] = tuple(_mark((role, True)) for role in UNOBSERVED)
    several = {tuple: HandlerTuple(ndivide=None, pad=0.5)}
    figure.legend([*marks.values()], [*marks], loc="outside lower center", ncols=2, handler_map=several, **shared)


def _mark(look: tuple[str, bool], number: int | None = None, users: int = 1) -> Line2D:
    return Line2D([], [], **_style(look, number, users))


def _style(look: tuple[str, bool], number: int | None, users: int) -> dict[str, Any]:
    """How a role looks for the user of this place among so many; grey for none."""
    colour = GREY if number is None else COLOURS[number]
    found = {"linestyle": "none", "color": colour, **LOOKS[look]}
    if look[0] == USER and number is not None:
        # Each star is turned a little further and a little smaller, so that none hides another.
        found |= {"marker": (STAR, 1, 360 / STAR * number / users), "markersize": LARGEST * (1 - number / users / 3)}
    return found
