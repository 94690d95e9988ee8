"""Skirts."""

from itertools import pairwise

import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import GOLD, STEEL, seam
from outfitrec.plugins.datasets.garments.curves import Points, join, line, sides, smooth, whole
from outfitrec.plugins.datasets.garments.fabric import solid
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.waist import BAND, MIDDLE, TOP, waistband


def _panel(waist: float, hip: float, hem: float, bottom: float, sag: float) -> Points:
    return whole(
        join(
            line((MIDDLE, TOP + BAND)),
            smooth(
                (MIDDLE + waist, TOP + BAND),
                (MIDDLE + hip, min(0.27, (TOP + bottom) / 2)),
                (MIDDLE + (hip + hem) / 2, (bottom + 0.27) / 2),
                (MIDDLE + hem, bottom),
            ),
            smooth((MIDDLE + hem, bottom), (MIDDLE + hem * 0.55, bottom + sag * 0.8), (MIDDLE, bottom + sag)),
        )
    )


def pencil(canvas: Canvas, garment: Garment) -> None:
    """A pencil skirt with a slit or darts."""
    bottom = 0.6 + 0.2 * garment.length
    hem = 0.15 + 0.03 * garment.flare
    outline = _panel(0.125, 0.175 + 0.012 * garment.fit, hem, bottom, 0.008)
    folds = [smooth((0.5 + x * 0.6, 0.2), (0.5 + x, 0.4), (0.5 + x * 0.8, bottom)) for x in (-0.12, 0.11)]
    canvas.fill(outline, garment.fabric, puff=0.045, folds=folds)
    colour = garment.fabric.mean
    for curve in sides(line((0.565, TOP + BAND), (0.572, 0.22))):
        canvas.line(curve, seam(colour), 0.006)
    if garment.detail > 0.5:
        canvas.fill(
            line((0.56, bottom + 0.008), (0.575, bottom - 0.15), (0.598, bottom + 0.007)),
            solid(seam(colour, 0.3)),
            puff=0.01,
        )
    elif garment.detail > 0.2:
        for y in np.linspace(0.17, bottom - 0.05, 6):
            canvas.dot((0.5, float(y)), 0.011, GOLD if garment.fabric.weave == "denim" else seam(colour, 0.25))
        canvas.line(line((0.525, TOP + BAND), (0.525, bottom)), seam(colour, 0.12), 0.005)
    waistband(canvas, 0.125, garment.fabric, loops=False, button=None)


def flared(canvas: Canvas, garment: Garment) -> None:
    """An A-line skirt, from mini to maxi, that falls in folds."""
    bottom = 0.46 + 0.45 * garment.length
    hem = 0.23 + 0.13 * garment.flare
    folds = [
        smooth((0.5 + x * 0.35, 0.13), (0.5 + x * 0.6, (bottom + 0.13) / 2), (0.5 + x, bottom + 0.02))
        for x in np.linspace(-0.85, 0.85, 8) * hem
    ]
    outline = _panel(0.12, 0.132 + (hem - 0.12) * (0.27 - TOP) / (bottom - TOP), hem, bottom, 0.035)
    canvas.fill(outline, garment.fabric, puff=0.04, folds=folds, fold=0.016)
    if garment.detail > 0.7:
        tier = 0.55 * bottom + 0.06
        at = 0.12 + (hem - 0.12) * (tier - TOP) / (bottom - TOP) + 0.012
        curve = smooth((0.5 - at, tier), (0.5, tier + 0.03), (0.5 + at, tier))
        canvas.line(curve, seam(garment.fabric.mean), 0.008)
    waistband(canvas, 0.12, garment.trim if garment.detail < 0.2 else garment.fabric, loops=False, button=None)


def pleated(canvas: Canvas, garment: Garment) -> None:
    """A skirt of sharp pleats."""
    bottom = 0.48 + 0.35 * garment.length
    hem = 0.22 + 0.1 * garment.flare
    count = 8 + int(6 * garment.detail)
    edges = np.linspace(-1, 1, count + 1)
    for left, right in pairwise(edges.tolist()):
        sag = 0.03 * (1 - ((left + right) / 2) ** 2)
        pleat = line(
            (0.5 + 0.12 * left, TOP + BAND),
            (0.5 + 0.12 * right, TOP + BAND),
            (0.5 + hem * right + 0.006, bottom + sag),
            (0.5 + hem * left + 0.008, bottom + sag + 0.012),
        )
        canvas.fill(pleat, garment.fabric, puff=0.016)
    waistband(canvas, 0.12, garment.fabric, loops=False, button=STEEL if garment.detail > 0.8 else None)
