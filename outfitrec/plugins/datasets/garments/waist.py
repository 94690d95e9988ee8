"""Waistbands, of trousers and skirts."""

import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import Lab, seam
from outfitrec.plugins.datasets.garments.curves import box, join, line, smooth, whole
from outfitrec.plugins.datasets.garments.fabric import Fabric

MIDDLE = 0.5
TOP = 0.07
BAND = 0.045  # height of a waistband


def waistband(canvas: Canvas, half: float, fabric: Fabric, *, loops: bool, button: Lab | None) -> None:
    """A waistband, ``half`` to each side, with the inside of its back."""
    upper = smooth((MIDDLE, TOP + 0.006), (MIDDLE + half * 0.6, TOP + 0.004), (MIDDLE + half - 0.004, TOP))
    lower = smooth((MIDDLE + half, TOP + BAND), (MIDDLE + half * 0.6, TOP + BAND + 0.006), (MIDDLE, TOP + BAND + 0.008))
    inside = whole(smooth((MIDDLE, TOP - 0.012), (MIDDLE + half * 0.6, TOP - 0.008), (MIDDLE + half - 0.004, TOP)))
    canvas.fill(np.concatenate([inside, line((0.5, TOP + 0.012))]), fabric, dim=0.7, puff=0.01)
    canvas.fill(whole(join(upper, lower)), fabric, puff=0.01)
    if loops:
        for x in (-0.78, -0.4, 0.4, 0.78):
            at = MIDDLE + half * x
            canvas.fill(
                box(at - 0.008, TOP - 0.002, at + 0.008, TOP + BAND + 0.01),
                fabric,
                puff=0.004,
            )
    if button is not None:
        canvas.dot((0.506, TOP + 0.028), 0.013, button)


def gathered(canvas: Canvas, half: float, fabric: Fabric) -> None:
    """An elastic waistband."""
    waistband(canvas, half, fabric, loops=False, button=None)
    for x in np.linspace(-0.9, 0.9, 17):
        canvas.line(
            line((MIDDLE + half * x, TOP + 0.006), (MIDDLE + half * x, TOP + BAND)), seam(fabric.mean, 0.1), 0.005
        )
