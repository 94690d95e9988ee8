"""Users and their outfits in the space that they share."""

from collections.abc import Mapping

from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from outfitrec.core.space import NEGATIVE, POSITIVE, TEST, USER, Space
from outfitrec.plots.figure import COLOURS, STYLE, WIDTH

HEIGHT = 3.9
GREY = "#666666"
FOUND = "found false negative (d < 0)"
# Shapes tell roles and colours users; in points.
LOOKS: Mapping[str, Mapping[str, object]] = {
    NEGATIVE: {"marker": "x", "markersize": 2.6, "markeredgewidth": 0.6, "alpha": 0.7},
    POSITIVE: {"marker": "o", "markersize": 2.8, "markeredgewidth": 0, "alpha": 0.7},
    TEST: {"marker": "^", "markersize": 4.4, "markeredgecolor": "white", "markeredgewidth": 0.4},
    FOUND: {"marker": "o", "markersize": 6.5, "markeredgewidth": 0.7, "markerfacecolor": "none"},
    USER: {"marker": "*", "markersize": 11, "markeredgecolor": "black", "markeredgewidth": 0.7},
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
    colours = dict(zip(space.users, COLOURS, strict=False))
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.add_subplot(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
        for role in (NEGATIVE, POSITIVE, TEST):
            for user, colour in colours.items():
                _put(axes, points[space.which(role, user=user)], role, colour)
        _put(axes, points[space.found], FOUND, "black")
        for user, colour in colours.items():
            _put(axes, points[space.which(USER, user=user)], USER, colour)
        _explain(figure, colours)
    return figure


def _put(axes: Axes, points: Float[Tensor, "point 2"], look: str, colour: str) -> None:
    axes.plot(*points.T.tolist(), **_style(look, colour))


def _explain(figure: Figure, colours: Mapping[int, str]) -> None:
    """Legends below the axes: users, and what the shapes mean."""
    users = [Line2D([], [], label=f"user {user}", **_style(USER, colour)) for user, colour in colours.items()]
    roles = [
        Line2D([], [], label=role, **_style(role, "black" if role == FOUND else GREY))
        for role in (POSITIVE, NEGATIVE, TEST, FOUND)
    ]
    shared = {"frameon": False, "handletextpad": 0.3, "columnspacing": 1.0, "borderpad": 0.1}
    figure.legend(handles=roles, loc="outside lower center", ncols=2, **shared)
    figure.legend(handles=users, loc="outside upper center", ncols=3, **shared)


def _style(look: str, colour: str) -> dict[str, object]:
    return {"linestyle": "none", "color": colour, **LOOKS[look]}
