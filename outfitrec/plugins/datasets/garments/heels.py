"""Pumps and sandals."""

import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import GOLD, lighter, seam
from outfitrec.plugins.datasets.garments.curves import join, smooth
from outfitrec.plugins.datasets.garments.fabric import solid
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.soles import GROUND, INSIDE, high_heel, instep, pair


@pair
def pump(canvas: Canvas, garment: Garment) -> None:
    """A court shoe with a high heel."""
    last, rear = high_heel(canvas, garment, garment.fabric.main)
    throat = 0.33 + 0.06 * garment.neck
    edge = smooth((0.885, rear - 0.02), (0.91, rear - 0.08), (0.895, rear - 0.15))
    rim = smooth(
        (0.895, rear - 0.15),
        (0.78, rear - 0.06),
        (0.62, (rear + GROUND) / 2 - 0.11),
        (0.48, GROUND - 0.09 - 0.18 * (GROUND - rear)),
        (throat, GROUND - 0.125),
    )
    inside = join(
        rim,
        smooth(
            (throat, GROUND - 0.125),
            (0.5, GROUND - 0.14 - 0.3 * (GROUND - rear)),
            (0.7, rear - 0.14),
            (0.895, rear - 0.15),
        ),
    )
    canvas.fill(inside, solid(INSIDE), dim=0.85)
    toe = smooth((throat, GROUND - 0.125), (0.22, GROUND - 0.1), (0.12, GROUND - 0.055), (0.095, GROUND - 0.026))
    canvas.fill(join(last, edge, rim, toe), garment.fabric, puff=0.035)
    if garment.sleeve > 0.65:
        where = (throat + 0.01, GROUND - 0.12)
        for sign in (-1, 1):
            loop = smooth(
                where, (where[0] + 0.055 * sign, where[1] - 0.035), (where[0] + 0.06 * sign, where[1] + 0.02), where
            )
            canvas.fill(loop, garment.trim, puff=0.01)
        canvas.dot(where, 0.013, garment.trim.main)
    elif garment.sleeve < 0.25:
        over = smooth((0.885, rear - 0.1), (0.8, rear - 0.19), (0.7, rear - 0.19), (0.6, (rear + GROUND) / 2 - 0.13))
        canvas.tape(over, garment.fabric.main, 0.017)


@pair
def sandal(canvas: Canvas, garment: Garment) -> None:
    """A sandal: thin straps on a high heel, or broad bands on a flat sole."""
    fabric, colour = garment.fabric, garment.fabric.main
    width = 0.022 + 0.02 * garment.length
    high = garment.flare > 0.45
    if high:
        last, rear = high_heel(canvas, garment, colour)
        for lift in (0.028, -0.024):
            ankle = smooth(
                (0.885, rear - 0.15), (0.79, rear - 0.15 - lift), (0.7, rear - 0.145 - lift), (0.67, rear - 0.145)
            )
            canvas.tape(ankle, lighter(colour, -lift), width)
        canvas.tape(smooth((0.885, rear - 0.02), (0.9, rear - 0.08), (0.885, rear - 0.15)), colour, width * 1.5)
        canvas.dot((0.74, rear - 0.132), 0.015, GOLD)
    else:
        last, thick = instep(0.05), 0.02 + 0.06 * garment.fit
        low = smooth((0.9, GROUND - 0.05), (0.905, GROUND + 0.5 * thick), (0.88, GROUND + thick))
        toe = smooth((0.12, GROUND + thick), (0.085, GROUND + 0.4 * thick), (0.1, GROUND - 0.022))
        canvas.fill(join(last, low, toe), solid(INSIDE if garment.neck < 0.6 else garment.trim.main), puff=0.014)
        canvas.line(low[-1:] + np.array([[0.0, -0.008], [-0.74, -0.008]]), seam(INSIDE, 0.3), 0.012)
    count = len(last) - 1
    for start, end, rise in ((0.13, 0.34, 0.1), (0.38, 0.58, 0.15)):
        a, b = last[round(start * count)], last[round(end * count)]
        peak = (a + b) / 2 + np.array([0.03, -rise])
        if high:
            arch = smooth(a, (a + peak) / 2 - 0.012, peak, (b + peak) / 2 + np.array([0.02, -0.01]), b)
            canvas.tape(arch, colour, width)
        else:
            # The instep rises from the toe on; a band follows it.
            up = np.array([0.0, -0.055 - 0.32 * (a[0] - 0.14)]), np.array([0.0, -0.055 - 0.32 * (b[0] - 0.14)])
            top = smooth(
                b + up[1] + 0.02, (a + b) / 2 + (up[0] + up[1]) / 2 + np.array([0.02, -0.008]), a + up[0] + 0.02
            )
            canvas.fill(join(np.stack([a, b]), top), fabric, puff=0.03)
            if garment.sleeve > 0.4:
                canvas.dot((a + b) / 2 + np.array([0.012, -0.035]), 0.017, GOLD)
