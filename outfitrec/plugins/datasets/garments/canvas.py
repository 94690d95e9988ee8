"""A canvas for garments: pieces of cloth with light and folds, seams, buttons."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from outfitrec.plugins.datasets.garments.colour import Lab, rgb, seam
from outfitrec.plugins.datasets.garments.curves import Point, Points, ribbon
from outfitrec.plugins.datasets.garments.fabric import Fabric, Grid, palette, pattern, texture

FINER = 3  # what is drawn is this much larger than the photo, and reduced at the end
RELIEF = 96  # light and folds are worked out on this many points a unit, whatever the size
FULL = 0.9  # share of the photo's side that the longer side of a garment takes
LARGEST = 1.3  # a small garment is enlarged by this at most
MARGIN = 8  # points about a piece, so that its edge catches light as well
DARKEST, BRIGHTEST = 0.55, 1.25


class Canvas:
    """A white square to draw on, from (0, 0) to (1, 1) with y pointing down.

    Args:
        pixels: Side of the finished picture.
        tilt: Turn of everything drawn, in radians.
    """

    def __init__(self, pixels: int, tilt: float = 0.0) -> None:
        self._side = pixels * FINER
        self._image = Image.new("RGB", (self._side, self._side), (255, 255, 255))
        self._draw = ImageDraw.Draw(self._image)
        self._cos, self._sin = float(np.cos(tilt)), float(np.sin(tilt))
        self.place()

    def place(self, scale: float = 1.0, shift: Point = (0.0, 0.0)) -> None:
        """Draw from now on smaller by ``scale`` about the middle, and moved."""
        turn = np.array([[self._cos, -self._sin], [self._sin, self._cos]])
        self._matrix = turn * scale
        self._offset = np.array([0.5, 0.5]) + shift - self._matrix @ np.array([0.5, 0.5])
        self._scale = float(scale)

    def fill(
        self,
        outline: Points,
        fabric: Fabric,
        *,
        turn: float = 0.0,
        puff: float = 0.03,
        folds: Sequence[Points] = (),
        fold: float = 0.02,
        dim: float = 1.0,
        edge: bool = True,
    ) -> None:
        """A piece of cloth.

        Args:
            outline: Its outline.
            fabric: Its material.
            turn: Turn of the fabric on it, in radians.
            puff: How far from its edge the piece is round.
            folds: Lines along which it is folded.
            fold: Width of a fold.
            dim: Light that falls on it: 1, or less for what lies behind.
            edge: Whether its edge is drawn.
        """
        placed = self._placed(outline)
        side = self._side
        low = np.maximum(np.floor(placed.min(0) * side), 0).astype(int)
        high = np.minimum(np.ceil(placed.max(0) * side), side).astype(int)
        width, height = (int(n) for n in np.maximum(high - low, 1))
        mask = Image.new("L", (width, height), 0)
        ImageDraw.Draw(mask).polygon((placed * side - low).ravel().tolist(), fill=255)
        lines = [self._placed(points) for points in folds]
        light = _light(placed, lines, (low / side, high / side), puff * self._scale, fold * self._scale)
        light = light.resize((width, height), Image.Resampling.BILINEAR)
        table = _table(palette(fabric), dim)
        if fabric.weave == "plain" and not fabric.knit:
            light.putpalette(table[0].tobytes())
            piece = light.convert("RGB")
        else:
            u, v = self._cloth(low, (width, height), turn)
            levels = (np.asarray(light) * texture(fabric, u, v)).astype(np.intp)
            piece = Image.fromarray(table.reshape(-1, 3).take(pattern(fabric, u, v) * 256 + levels, axis=0))
        self._image.paste(piece, (int(low[0]), int(low[1])), mask)
        if edge:
            self.line(np.concatenate([outline, outline[:1]]), seam(fabric.mean, 0.2), 0.007)

    def line(self, points: Points, colour: Lab, width: float = 0.006) -> None:
        """A line through these points."""
        placed, wide = self._placed(points) * self._side, max(width * self._scale * self._side, 1.5)
        if len(points) == 2:
            self._draw.line(placed.ravel().tolist(), rgb(colour), round(wide))
        else:  # the joints of Pillow's wide lines are ragged
            self._draw.polygon(ribbon(placed, wide).ravel().tolist(), fill=rgb(colour))

    def tape(self, points: Points, colour: Lab, width: float) -> None:
        """A strap, cord or band along these points: a line with an edge."""
        self.line(points, seam(colour, 0.22), width + 0.009)
        self.line(points, colour, width)

    def stitch(self, points: Points, colour: Lab, width: float = 0.005, dash: float = 0.014) -> None:
        """A row of stitches along these points."""
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(steps)])
        for start in np.arange(0, along[-1], 1.7 * dash):
            where = np.array([start, min(start + dash, along[-1])])
            self.line(np.stack([np.interp(where, along, points[:, k]) for k in (0, 1)], axis=1), colour, width)

    def dot(self, centre: Point, radius: float, colour: Lab, rim: bool = True) -> None:
        """A button, eyelet or the like."""
        middle = self._placed(np.array([centre]))[0] * self._side
        size = radius * self._scale * self._side
        box = (*(middle - size).tolist(), *(middle + size).tolist())
        self._draw.ellipse(box, fill=rgb(colour), outline=rgb(seam(colour, 0.25)) if rim else None)

    def finish(self) -> Image.Image:
        """The picture: what was drawn in the middle of a white square that it nearly fills."""
        left, upper, right, lower = ImageChops.invert(self._image).getbbox() or (0, 0, self._side, self._side)
        half = max(max(right - left, lower - upper) / FULL, self._side / LARGEST) / 2
        x, y = (left + right) / 2, (upper + lower) / 2
        square = Image.new("RGB", (round(2 * half),) * 2, (255, 255, 255))
        square.paste(self._image, (round(half - x), round(half - y)))
        pixels = self._side // FINER
        return square.resize((pixels, pixels), Image.Resampling.HAMMING)

    def _cloth(self, corner: NDArray[np.int_], size: tuple[int, int], turn: float) -> tuple[Grid, Grid]:
        """The cloth's own coordinates of a box of the canvas."""
        x = ((np.arange(size[0]) + corner[0]) / self._side - self._offset[0]).astype(np.float32)[None, :]
        y = ((np.arange(size[1]) + corner[1]) / self._side - self._offset[1]).astype(np.float32)[:, None]
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        inverse = np.linalg.inv(self._matrix @ rotation).astype(np.float32)
        return inverse[0, 0] * x + inverse[0, 1] * y, inverse[1, 0] * x + inverse[1, 1] * y

    def _placed(self, points: Points) -> Points:
        placed: Points = points @ self._matrix.T + self._offset
        return placed


def _table(colours: NDArray[np.float32], dim: float) -> NDArray[np.uint8]:
    """The colours in each degree of light, ``[colour, 256, 3]``."""
    light = np.linspace(DARKEST * dim, BRIGHTEST * dim, 256, dtype=np.float32)[:, None]
    # The constant shows folds on black, where a factor alone shows nothing.
    lit: NDArray[np.uint8] = (light * (colours[:, None] + 22) - 22).clip(0, 255).astype(np.uint8)
    return lit


def _light(
    outline: Points,
    folds: Sequence[Points],
    box: tuple[NDArray[np.float64], NDArray[np.float64]],
    puff: float,
    fold: float,
) -> Image.Image:
    """Brightness over the box, from `DARKEST` (0) to `BRIGHTEST` (255).

    The piece is a cushion, folds are ridges, and light falls from the upper left.
    """
    low = box[0] * RELIEF - MARGIN
    size = np.ceil((box[1] - box[0]) * RELIEF).astype(int) + 2 * MARGIN
    shape = (int(size[0]), int(size[1]))
    cushion = Image.new("L", shape, 0)
    ImageDraw.Draw(cushion).polygon((outline * RELIEF - low).ravel().tolist(), fill=255)
    relief = np.asarray(cushion.filter(ImageFilter.GaussianBlur(puff * RELIEF)), dtype=np.float32) / 255
    hollow = relief
    if folds:
        ridges = Image.new("L", shape, 0)
        draw = ImageDraw.Draw(ridges)
        for points in folds:
            draw.line((points * RELIEF - low).ravel().tolist(), 255, max(round(fold * RELIEF), 1))
        relief = relief + np.asarray(ridges.filter(ImageFilter.GaussianBlur(fold * RELIEF)), dtype=np.float32) / 300
    across, down = relief[1:-1, 2:] - relief[1:-1, :-2], relief[2:, 1:-1] - relief[:-2, 1:-1]
    light = 0.93 + 0.09 * hollow[1:-1, 1:-1] + 0.41 * across + 0.36 * down
    inner = light[MARGIN - 1 : 1 - MARGIN, MARGIN - 1 : 1 - MARGIN]
    return Image.fromarray(((inner - DARKEST) * (255 / (BRIGHTEST - DARKEST))).clip(0, 255).astype(np.uint8))
