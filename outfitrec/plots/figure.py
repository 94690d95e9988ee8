"""What all figures have in common: size, type, colours and files."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.style import context

from outfitrec.core.errors import UserError
from outfitrec.core.files import whole

# A column of a two-column paper, inches.
WIDTH = 3.35
# Okabe and Ito's colours, which the colour-blind tell apart; without their yellow, too pale for small marks.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SUFFIXES = (".png", ".svg")
DPI = 300
TYPE = 7  # size of type, points


def style() -> AbstractContextManager[None]:
    """The settings in which figures are made and saved, whatever the user's own are."""
    return context(
        [
            "default",
            {
                "font.size": TYPE,
                "legend.fontsize": TYPE,
                "axes.linewidth": 0.6,
                # Names inside the file are otherwise drawn at random.
                "svg.hashsalt": "outfitrec",
            },
        ]
    )


def targets(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or a PNG and an SVG where it has no suffix.

    Raises:
        UserError: The suffix is of another kind of file.
    """
    if path.suffix.lower() in SUFFIXES:
        return [path]
    if path.suffix:
        raise UserError(f"{path}: a figure is written as {' or '.join(SUFFIXES)}", hint="without a suffix, as both")
    return [path.with_name(path.name + suffix) for suffix in SUFFIXES]


def save(figure: Figure, paths: Sequence[Path]) -> None:
    """Write a figure to PNG or SVG files, each whole or not at all; the same figure gives the same bytes.

    Raises:
        RunError: A file cannot be written.
    """
    for path in paths:
        kind = path.suffix[1:].lower()
        with whole(path) as temporary, style():
            figure.savefig(temporary, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
