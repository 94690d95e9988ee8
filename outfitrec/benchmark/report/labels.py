"""Names beside the points of a chart, where they hide as little as they can."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from outfitrec.benchmark.report.svg import letters

# Where a name may stand, in points from its own: near ones first.
NEAR, FAR = 5, 13
PLACES = [
    (sideways * distance, upwards * distance)
    for distance in (NEAR, FAR)
    for sideways, upwards in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
]
ALIGN = {-1: ("right", "top"), 0: ("center", "center"), 1: ("left", "bottom")}
MARK = 4  # half of a mark, points
EDGE = 3  # of the axes, kept free, points


def place(figure: Figure, axes: Axes, names: Sequence[tuple[float, float, str]]) -> None:
    """Write names beside points: each where it covers least of the marks, of the names before it, and of the margin.

    Args:
        figure: The figure.
        axes: The axes, with their limits and scales.
        names: Of each point its place, in data, and its name.
    """
    with letters():
        _place(figure, axes, names)


def _place(figure: Figure, axes: Axes, names: Sequence[tuple[float, float, str]]) -> None:
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    # From here on nothing may move: names were placed for the axes as they are.
    figure.set_layout_engine("none")
    point = figure.dpi / 72
    centres = [axes.transData.transform((x, y)) for x, y, _ in names]
    taken = [
        Bbox.from_extents(x - MARK * point, y - MARK * point, x + MARK * point, y + MARK * point) for x, y in centres
    ]
    inside = axes.bbox.padded(-EDGE * point)
    for number, (x, y, name) in enumerate(names):
        others = taken[:number] + taken[number + 1 :]
        tried = [_write(axes, (x, y), offset, name) for offset in PLACES]
        boxes = [one.get_window_extent() for one in tried]
        costs = [_cost(box, others, inside) for box in boxes]
        best = costs.index(min(costs))
        for index, one in enumerate(tried):
            if index != best:
                one.remove()
        taken.append(boxes[best])


def _write(axes: Axes, at: tuple[float, float], offset: tuple[int, int], name: str) -> Annotation:
    sideways, upwards = ((step > 0) - (step < 0) for step in offset)
    horizontal, vertical = ALIGN[sideways][0], ALIGN[upwards][1]
    return axes.annotate(
        name,
        at,
        offset,
        textcoords="offset points",
        ha=horizontal,
        va=vertical,
        fontsize="small",
        annotation_clip=False,
    )


def _cost(box: Bbox, taken: Sequence[Bbox], inside: Bbox) -> float:
    """What a box covers of others, and what of it is outside, in square pixels."""
    covered = sum(_area(box, other) for other in taken)
    return covered + box.width * box.height - _area(box, inside)


def _area(one: Bbox, other: Bbox) -> float:
    both = Bbox.intersection(one, other)
    return both.width * both.height if both else 0.0
