"""Fabrics: what a piece of cloth, leather or rubber looks like, point by point."""

from collections.abc import Callable

import attrs
import numpy as np
from numpy.typing import NDArray

from outfitrec.plugins.datasets.garments.colour import Lab, lighter, mix, rgb

Grid = NDArray[np.float32]
Indices = NDArray[np.intp]

# How much of a pattern's area has the second colour (and the accent), and how loud it is from 0 to 1.
WEAVES: dict[str, tuple[float, float]] = {
    "plain": (0.0, 0.0),
    "denim": (0.0, 0.15),
    "block": (0.45, 0.4),
    "stripes": (0.4, 0.6),
    "dots": (0.22, 0.7),
    "check": (0.5, 0.8),
    "floral": (0.4, 1.0),
}


@attrs.frozen
class Fabric:
    """A material.

    Attributes:
        weave: One of `WEAVES`.
        main: Colour of the ground.
        second: Colour of the pattern.
        accent: Third colour: centres of flowers, lines of a tartan.
        period: Size of one repeat.
        angle: Direction of the pattern, in radians; 0 gives stripes that lie.
        share: 0 to 1, how much of a repeat the pattern takes.
        seed: What is scattered is scattered by this.
        knit: Depth of a knitted texture, 0 for none.
    """

    weave: str
    main: Lab
    second: Lab
    accent: Lab
    period: float = 0.08
    angle: float = 0.0
    share: float = 0.5
    seed: int = 0
    knit: float = 0.0

    @property
    def mean(self) -> Lab:
        """The colour that a large piece has from afar."""
        area, _ = WEAVES[self.weave]
        return mix(self.main, self.second, area)

    @property
    def loudness(self) -> float:
        """How much the pattern stands out, 0 (none) to 1."""
        _, loud = WEAVES[self.weave]
        distance = float(np.linalg.norm(np.subtract(self.main, self.second)))
        return loud * min(distance / 0.35, 1.0)


def solid(colour: Lab) -> Fabric:
    """A material of one colour."""
    return Fabric("plain", colour, colour, colour)


def palette(fabric: Fabric) -> NDArray[np.float32]:
    """The colours of which the material is made: sRGB, 0 to 255, ``[colour, 3]``."""
    middle = mix(fabric.main, fabric.second, 0.5)
    colours = (fabric.main, fabric.second, fabric.accent, middle, lighter(fabric.main, -0.05))
    return np.array([rgb(colour) for colour in colours], dtype=np.float32)


def pattern(fabric: Fabric, u: Grid, v: Grid) -> Indices:
    """Which colour of the palette each point has, ``[y, x]``.

    Args:
        fabric: The material.
        u: Coordinate across the piece, ``[y, x]``.
        v: Coordinate along it, ``[y, x]``.
    """
    if fabric.weave == "plain":
        return np.zeros(u.shape, dtype=np.intp)
    cos, sin = np.float32(np.cos(fabric.angle)), np.float32(np.sin(fabric.angle))
    return _PATTERNS[fabric.weave](fabric, u * cos + v * sin, v * cos - u * sin)


def texture(fabric: Fabric, u: Grid, v: Grid) -> Grid:
    """How much of the light each point throws back, ``[y, x]``: rows of stitches where the material is knitted."""
    column = np.abs(_part(u / np.float32(0.022)) - 0.5)
    row = _part(v / np.float32(0.022) + column)
    return 1 - np.float32(fabric.knit) * (row + column) if fabric.knit else np.ones((1, 1), dtype=np.float32)


def _part(x: Grid) -> Grid:
    """``x % 1``, but fast."""
    return x - np.floor(x)


def _stripes(fabric: Fabric, u: Grid, v: Grid) -> Indices:
    return (_part(v / fabric.period) < fabric.share).astype(np.intp)


def _check(fabric: Fabric, u: Grid, v: Grid) -> Indices:
    across, along = _part(u / fabric.period), _part(v / fabric.period)
    bands = (across < fabric.share).astype(np.intp) + (along < fabric.share)
    colour = np.array([0, 3, 1])[bands]
    if fabric.seed % 2:  # a tartan: thin lines over the gingham
        thin = (np.abs(across - 0.75) < 0.045) | (np.abs(along - 0.75) < 0.045)
        colour = np.where(thin, 2, colour)
    return colour


def _dots(fabric: Fabric, u: Grid, v: Grid) -> Indices:
    row = np.floor(v / fabric.period)
    x = _part(u / fabric.period + 0.5 * (row % 2)) - 0.5
    y = _part(v / fabric.period) - 0.5
    return (x * x + y * y < (0.18 + 0.16 * fabric.share) ** 2).astype(np.intp)


def _denim(fabric: Fabric, u: Grid, v: Grid) -> Indices:
    twill = _part((u + v) / 0.011) < 0.5
    # Thicker threads, here and there, along the leg.
    column = np.floor(u / 0.005)
    thread = column * 12.9898 + np.floor(v / 0.03 + column * 0.37) * 78.233 + fabric.seed % 97
    slub = _part(np.sin(thread) * 43.7585) < 0.12
    return np.where(slub, 3, np.where(twill, 4, 0))


def _block(fabric: Fabric, u: Grid, v: Grid) -> Indices:
    edge = 0.38 + 0.25 * fabric.share
    low = (v > edge).astype(np.intp)
    if fabric.seed % 3 == 0:  # a band between the halves
        return np.where(np.abs(v - edge) < 0.03, 2, low)
    return low


def _floral(fabric: Fabric, u: Grid, v: Grid) -> Indices:
    found = np.zeros(u.shape, dtype=np.intp)
    period = np.float32(fabric.period * 1.25)
    # Two sorts of flower on two lattices, each in its cell at a place, size and turn of its own.
    for sort, shift in enumerate((0.0, 0.5)):
        x, y = u / period + shift, v / period + shift
        column, row = np.floor(x), np.floor(y)
        seed = column * 12.9898 + row * 78.233 + fabric.seed % 977 + 31 * sort
        first, other = _part(np.sin(seed) * 43.7585), _part(np.sin(seed * 1.7 + 1) * 24.634)
        x, y = x - column - 0.35 - 0.3 * first, y - row - 0.35 - 0.3 * other
        angle, radius = np.arctan2(y, x) + 6 * other, np.hypot(x, y)
        petals = (0.25 if sort else 0.34) * (0.72 + 0.28 * np.cos(5 * angle)) * (0.7 + 0.3 * first)
        found = np.where(radius < petals, 3 if sort else 1, found)
        found = np.where(radius < 0.08, 2, found)
    return found


_PATTERNS: dict[str, Callable[[Fabric, Grid, Grid], Indices]] = {
    "stripes": _stripes,
    "check": _check,
    "dots": _dots,
    "denim": _denim,
    "block": _block,
    "floral": _floral,
}
