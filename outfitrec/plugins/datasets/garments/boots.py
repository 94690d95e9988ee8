"""Boots and high tops."""

import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import BLACK, GOLD, STEEL, WHITE, lighter, seam
from outfitrec.plugins.datasets.garments.curves import join, line, oval, smooth
from outfitrec.plugins.datasets.garments.fabric import solid
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.soles import GROUND, INSIDE, heeled_sole, pair, trainer_sole


@pair
def high_top(canvas: Canvas, garment: Garment) -> None:
    """A canvas shoe over the ankle with laces and a rubber toe."""
    rise = 0.1 + 0.08 * garment.length
    base, top = GROUND - 0.055, 0.33 - rise
    fabric = garment.fabric
    hole = smooth(
        (0.5, top + 0.02),
        (0.62, top - 0.012),
        (0.8, top - 0.02),
        (0.82, top + 0.05),
        (0.55, top + 0.07),
        (0.5, top + 0.02),
    )
    canvas.fill(hole, solid(garment.trim.main), dim=0.8)
    upper = join(
        smooth(
            (0.1, base),
            (0.105, 0.62),
            (0.16, 0.575),
            (0.27, 0.54),
            (0.37, 0.48),
            (0.44, 0.4),
            (0.475, top + 0.1),
            (0.49, top),
        ),
        smooth((0.49, top), (0.62, top + 0.035), (0.74, top + 0.03), (0.83, top - 0.02)),
        smooth((0.83, top - 0.02), (0.86, 0.36), (0.865, 0.5), (0.88, base)),
    )
    folds = [smooth((0.55, 0.44), (0.7, 0.47), (0.84, 0.45)), smooth((0.34, 0.56), (0.37, 0.6), (0.37, 0.66))]
    canvas.fill(upper, fabric, puff=0.04, folds=folds, fold=0.014)
    front = smooth((0.27, 0.54), (0.37, 0.48), (0.44, 0.4), (0.475, top + 0.1), (0.49, top))
    canvas.line(front + np.array([0.045, 0.045]), seam(fabric.mean), 0.006)
    count = 6 + int(2 * garment.length)
    for share in np.linspace(0.08, 0.95, count):
        x, y = front[round(share * (len(front) - 1))]
        bar = line((x - 0.012, y + 0.004), (x + 0.05, y + 0.032))
        canvas.tape(bar, WHITE, 0.013)
    canvas.line(smooth((0.815, top + 0.02), (0.825, 0.4), (0.83, base)), seam(fabric.mean), 0.006)
    if garment.neck > 0.4:
        canvas.fill(oval((0.68, 0.39 - 0.3 * rise), 0.05, 0.05), solid(WHITE), puff=0.01)
        canvas.fill(oval((0.68, 0.39 - 0.3 * rise), 0.026, 0.026), solid(garment.trim.main), puff=0.01, edge=False)
    cap = join(
        smooth((0.095, base), (0.1, 0.62), (0.15, 0.578), (0.2, 0.562)),
        smooth((0.2, 0.562), (0.25, 0.61), (0.255, base)),
    )
    canvas.fill(cap, solid(WHITE), puff=0.025)
    trainer_sole(canvas, WHITE if garment.flare < 0.75 else BLACK, garment.trim.main, 0.062 + 0.03 * garment.fit)


@pair
def boot(canvas: Canvas, garment: Garment) -> None:
    """An ankle boot: with elastic panels, or with laces and a thick sole."""
    top = 0.29 - 0.12 * garment.length
    laced = garment.neck > 0.5
    thick = 0.025 + 0.03 * garment.fit * laced
    heel = 0.045 + 0.03 * garment.flare
    base, fabric = GROUND - thick, garment.fabric
    rear = GROUND - heel - thick
    hole = smooth(
        (0.5, top), (0.66, top - 0.02), (0.84, top - 0.012), (0.8, top + 0.05), (0.56, top + 0.05), (0.5, top)
    )
    canvas.fill(hole, solid(INSIDE), dim=0.7)
    upper = join(
        smooth(
            (0.1, base),
            (0.095, base - 0.05),
            (0.15, 0.605),
            (0.27, 0.57),
            (0.38, 0.51),
            (0.46, 0.42),
            (0.49, 0.33),
            (0.49, top),
        ),
        smooth((0.49, top), (0.65, top + 0.02), (0.845, top - 0.012)),
        smooth((0.845, top - 0.012), (0.855, 0.38), (0.865, 0.52), (0.895, rear + 0.01)),
        smooth((0.895, rear + 0.01), (0.62, rear), (0.42, base - 0.22 * heel), (0.1, base)),
    )
    folds = [
        smooth((0.5, 0.43), (0.62, 0.47), (0.72, 0.46)),
        smooth((0.3, 0.58), (0.34, 0.63), (0.34, 0.69)),
        smooth((0.52, 0.5), (0.6, 0.53)),
    ]
    canvas.fill(upper, fabric, puff=0.045, folds=folds, fold=0.014)
    heeled_sole(canvas, BLACK if laced else lighter(garment.trim.main, -0.1), heel, thick, 0.2)
    canvas.line(
        smooth((0.1, base - 0.014), (0.42, base - 0.02 - 0.22 * heel), (0.62, rear - 0.018), (0.89, rear - 0.01)),
        seam(fabric.mean, 0.1),
        0.005,
    )
    if laced:
        front = smooth((0.29, 0.565), (0.38, 0.51), (0.46, 0.42), (0.49, 0.33), (0.49, top))
        colour = GOLD if fabric.main[2] > 0.05 else seam(fabric.mean, 0.35)
        for share in np.linspace(0.06, 0.94, 7):
            x, y = front[round(share * (len(front) - 1))]
            canvas.line(line((x - 0.006, y + 0.004), (x + 0.055, y + 0.03)), colour, 0.015)
            canvas.dot((float(x) + 0.06, float(y) + 0.032), 0.008, STEEL)
    else:
        panel = join(
            smooth((0.6, top + 0.018), (0.62, 0.4), (0.68, 0.52)),
            smooth((0.68, 0.52), (0.75, 0.4), (0.77, top + 0.006)),
        )
        elastic = garment.trim if garment.sleeve > 0.5 else solid(lighter(fabric.main, -0.08))
        canvas.fill(panel, elastic, puff=0.015)
        for share in np.linspace(0.15, 0.85, 6):
            canvas.line(
                line((0.6 + 0.17 * share, top + 0.02), (0.65 + 0.06 * share, 0.46)), seam(elastic.main, 0.1), 0.005
            )
        canvas.line(
            smooth((0.83, top + 0.03), (0.815, top - 0.035), (0.85, top - 0.035), (0.852, top + 0.03)),
            seam(fabric.mean, 0.2),
            0.014,
        )


@pair
def knee_boot(canvas: Canvas, garment: Garment) -> None:
    """A high boot with a heel and a zip or a buckle."""
    canvas_top, heel = 0.14 + 0.08 * (1 - garment.length), 0.05 + 0.08 * garment.flare
    base, rear = GROUND + 0.12, GROUND + 0.12 - heel
    wide, fabric = 0.035 * garment.fit, garment.fabric
    hole = smooth(
        (0.5 - wide, canvas_top),
        (0.66, canvas_top - 0.02),
        (0.84, canvas_top),
        (0.66, canvas_top + 0.04),
        (0.5 - wide, canvas_top),
    )
    canvas.fill(hole, solid(INSIDE), dim=0.65)
    upper = join(
        smooth(
            (0.15, base - 0.01),
            (0.14, base - 0.05),
            (0.2, base - 0.105),
            (0.31, base - 0.145),
            (0.42, base - 0.22),
            (0.485, base - 0.33),
            (0.49 - wide, 0.35),
            (0.495 - wide, canvas_top),
        ),
        smooth((0.495 - wide, canvas_top), (0.66, canvas_top + 0.025), (0.84, canvas_top)),
        smooth((0.84, canvas_top), (0.85, 0.3), (0.8, 0.52), (0.79, base - 0.25), (0.83, rear)),
        smooth((0.83, rear), (0.62, rear + 0.005), (0.45, base - 0.02 - 0.2 * heel), (0.15, base - 0.01)),
    )
    folds = [
        smooth((0.5, base - 0.3), (0.6, base - 0.27), (0.75, base - 0.29)),
        smooth((0.52, base - 0.37), (0.62, base - 0.35)),
        smooth((0.7, 0.2), (0.69, 0.4), (0.68, 0.55)),
    ]
    canvas.fill(upper, fabric, puff=0.05, folds=folds, fold=0.016)
    sole = join(
        smooth((0.15, base - 0.012), (0.17, base + 0.004), (0.35, base + 0.004), (0.46, base - 0.15 * heel)),
        smooth((0.6, rear + 0.02), (0.66, rear + 0.03), (0.7, rear + 0.04)),
        line((0.715, base), (0.81, base), (0.832, rear)),
        smooth((0.832, rear), (0.62, rear + 0.003), (0.45, base - 0.022 - 0.2 * heel), (0.15, base - 0.012)),
    )
    canvas.fill(sole, solid(BLACK if fabric.main[0] < 0.5 else lighter(garment.trim.main, -0.1)), puff=0.012)
    colour = fabric.mean
    if garment.neck > 0.5:
        strap = join(
            smooth((0.488, base - 0.31), (0.65, base - 0.27), (0.795, base - 0.29)),
            smooth((0.79, base - 0.25), (0.65, base - 0.23), (0.47, base - 0.27)),
        )
        canvas.fill(strap, garment.trim, puff=0.012)
        canvas.dot((0.62, base - 0.255), 0.02, GOLD)
    else:
        canvas.line(smooth((0.66, canvas_top + 0.03), (0.655, 0.4), (0.64, base - 0.2)), seam(colour, 0.14), 0.007)
