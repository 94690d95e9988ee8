"""What rows look like in all charts of a page: colour and shape, so that print and the colour-blind tell them apart."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from matplotlib.figure import Figure

from outfitrec.benchmark.report.svg import INK, inline, style
from outfitrec.plots.figure import COLOURS

# Okabe and Ito's colours, with their black, which is the page's ink: seven. Of shapes there are nine, so that only the
# 64th row looks like the first.
INKS = (*COLOURS[:4], INK, *COLOURS[4:])
SHAPES = "osD^vPXp*"
KEY = (0.36, 0.18)  # size of a key, inches
LONGEST = 30


@attrs.frozen
class Look:
    """Of a row.

    Attributes:
        colour: Of lines and marks.
        marker: Shape of the marks.
    """

    colour: str
    marker: str

    def line(self, **changes: Any) -> dict[str, Any]:
        """As arguments of ``plot``."""
        star = {"*": 7.5, "P": 6, "X": 6, "p": 6}
        size = star.get(self.marker, 5)
        return {"color": self.colour, "marker": self.marker, "markersize": size, "markeredgewidth": 0, **changes}


def looks(rows: Iterable[str]) -> dict[str, Look]:
    """A look for each row, different for up to 63 of them."""
    return {row: Look(INKS[index % len(INKS)], SHAPES[index % len(SHAPES)]) for index, row in enumerate(rows)}


def keys(found: Mapping[str, Look], name: str) -> list[tuple[str, str]]:
    """Rows with a small drawing of their look each, as SVG; ``name`` tells them from those of other legends."""
    return [(row, _key(look, f"{name}-{index}", row)) for index, (row, look) in enumerate(found.items())]


def _key(look: Look, name: str, row: str) -> str:
    with style():
        figure = Figure(figsize=KEY)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, 2), ylim=(-1, 1))
        axes.axis("off")
        axes.plot([0.1, 1, 1.9], [0, 0, 0], **look.line(markevery=[1]))
        return inline(figure, name, row)


def short(text: str) -> str:
    """A name that has room beside a chart: its middle is left out where it is long."""
    text = "".join(letter for letter in text if letter.isprintable())
    if len(text) <= LONGEST:
        return text
    half = (LONGEST - 1) // 2
    return f"{text[: LONGEST - 1 - half].rstrip()}…{text[-half:].lstrip()}"
