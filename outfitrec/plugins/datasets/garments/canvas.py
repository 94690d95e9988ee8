"""A canvas for garments: pieces of cloth with light and folds, seams, buttons."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from outfitrec.plugins.datasets.garments.colour import Lab, rgb, seam
from outfitrec.plugins.datasets.garments.curves import Point, Points, ribbon
from outfitrec.plugins.datasets.garments.fabric import Fabric, paint

FINER = 4  # what is drawn is this much larger than the photo, and reduced at the end
RELIEF = 96  # light and folds are worked out on this many points a unit, whatever the size
FULL = 0.9  # share of the photo's side that the longer side of a garment takes
LARGEST = 1.3  # a small garment is enlarged by this at most
MARGIN = 8  # points about a piece, so that its edge catches light as well


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
        x = ((np.arange(width) + low[0]) / side - self._offset[0]).astype(np.float32)[None, :]
        y = ((np.arange(height) + low[1]) / side - self._offset[1]).astype(np.float32)[:, None]
        inverse = np.linalg.inv(self._matrix @ _turned(turn)).astype(np.float32)
        u, v = inverse[0, 0] * x + inverse[0, 1] * y, inverse[1, 0] * x + inverse[1, 1] * y
        lines = [self._placed(points) for points in folds]
        light = _light(placed, lines, (low / side, high / side), puff * self._scale, fold * self._scale)
        enlarged = Image.fromarray(light).resize((width, height), Image.Resampling.BICUBIC)
        bright = np.asarray(enlarged)[..., None] * np.float32(dim)
        # The second term shows folds on black cloth, where a factor alone shows nothing.
        colours = paint(fabric, u, v) * bright + (bright - 1) * 22
        piece = Image.fromarray(colours.clip(0, 255).astype(np.uint8))
        self._image.paste(piece, (int(low[0]), int(low[1])), mask)
        if edge:
            self.line(np.concatenate([outline, outline[:2]]), seam(fabric.mean, 0.2), 0.007)

    def line(self, points: Points, colour: Lab, width: float = 0.006) -> None:
        """A line through these points."""
        strip = ribbon(self._placed(points) * self._side, max(width * self._scale * self._side, 1.5))
        self._draw.polygon(strip.ravel().tolist(), fill=rgb(colour))

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

    def _placed(self, points: Points) -> Points:
        return points @ self._matrix.T + self._offset


def _turned(turn: float) -> NDArray[np.float64]:
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def _light(
    outline: Points,
    folds: Sequence[Points],
    box: tuple[NDArray[np.float64], NDArray[np.float64]],
    puff: float,
    fold: float,
) -> NDArray[np.float32]:
    """Brightness over the box: the piece is a cushion, folds are ridges, light falls from the upper left."""
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
    down, right = np.gradient(relief)
    light = 0.93 + 0.09 * hollow + 1.1 * (0.75 * right + 0.65 * down)
    inner = light[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return np.ascontiguousarray(inner.clip(0.55, 1.25), dtype=np.float32)
