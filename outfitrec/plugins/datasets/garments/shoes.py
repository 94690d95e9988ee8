"""Low shoes: sneakers, loafers, oxfords, ballet flats."""

import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import BLACK, GOLD, WHITE, Lab, lighter, seam
from outfitrec.plugins.datasets.garments.curves import join, line, oval, smooth
from outfitrec.plugins.datasets.garments.fabric import solid
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.soles import GROUND, INSIDE, heeled_sole, pair, trainer_sole


def _laces(canvas: Canvas, low: tuple[float, float], high: tuple[float, float], count: int, colour: Lab) -> None:
    """Laces between the front of the vamp and the top of the tongue."""
    for x, y in zip(np.linspace(low[0], high[0], count), np.linspace(low[1], high[1], count), strict=True):
        bar = line((x - 0.026, y - 0.006), (x + 0.03, y + 0.026))
        canvas.tape(bar, colour, 0.013)


@pair
def sneaker(canvas: Canvas, garment: Garment) -> None:
    """A low sneaker with laces, a toe cap and a rubber sole."""
    thick = 0.055 + 0.05 * garment.fit
    base = GROUND - thick + 0.012
    lift = 0.03 * garment.length
    fabric, trim = garment.fabric, garment.trim
    rubber = WHITE if garment.flare < 0.7 else trim.second
    tongue = smooth((0.36, 0.5), (0.42, 0.4 - lift), (0.47, 0.355 - lift), (0.525, 0.385 - lift), (0.5, 0.47))
    canvas.fill(tongue, fabric, puff=0.015, dim=0.95)
    hole = smooth(
        (0.49, 0.41 - lift),
        (0.6, 0.4 - lift),
        (0.74, 0.4 - lift),
        (0.855, 0.37 - lift),
        (0.8, 0.47),
        (0.6, 0.47),
        (0.49, 0.41 - lift),
    )
    canvas.fill(hole, solid(lighter(trim.main, -0.05)), dim=0.75, puff=0.02)
    upper = join(
        smooth(
            (0.095, base),
            (0.1, 0.615),
            (0.15, 0.565),
            (0.25, 0.53),
            (0.34, 0.485),
            (0.42, 0.42 - lift),
            (0.475, 0.395 - lift),
        ),
        smooth(
            (0.475, 0.395 - lift),
            (0.54, 0.44 - lift),
            (0.64, 0.475 - lift),
            (0.75, 0.45 - lift),
            (0.815, 0.385 - lift),
            (0.86, 0.36 - lift),
        ),
        smooth((0.86, 0.36 - lift), (0.885, 0.42), (0.88, 0.54), (0.895, base)),
    )
    canvas.fill(upper, fabric, puff=0.04, folds=[smooth((0.28, 0.54), (0.32, 0.58), (0.33, 0.64))], fold=0.014)
    two_tone = trim if fabric.weave == "block" or garment.sleeve > 0.6 else fabric
    heel = join(
        smooth((0.86, 0.36 - lift), (0.885, 0.42), (0.88, 0.54), (0.895, base)),
        smooth((0.79, base), (0.78, 0.54), (0.815, 0.385 - lift), (0.86, 0.36 - lift)),
    )
    canvas.fill(heel, two_tone, puff=0.02)
    cap = join(
        smooth((0.095, base), (0.1, 0.615), (0.15, 0.565), (0.2, 0.548)),
        smooth((0.2, 0.548), (0.255, 0.6), (0.265, base)),
    )
    canvas.fill(cap, solid(WHITE) if garment.neck < 0.35 else two_tone, puff=0.025)
    stay = join(
        smooth((0.27, 0.535), (0.36, 0.49), (0.43, 0.43 - lift), (0.475, 0.395 - lift)),
        smooth((0.53, 0.435 - lift), (0.47, 0.52), (0.38, 0.58), (0.3, 0.59), (0.27, 0.535)),
    )
    canvas.fill(stay, fabric, puff=0.012)
    _laces(
        canvas, (0.335, 0.51), (0.475, 0.415 - lift), 5, WHITE if trim.main[0] < 0.5 or fabric.main[0] < 0.8 else BLACK
    )
    _emblem(canvas, garment)
    trainer_sole(canvas, rubber, trim.main, thick)


def _emblem(canvas: Canvas, garment: Garment) -> None:
    colour, choice = garment.trim.main, garment.neck
    if choice < 0.35:
        return
    if choice < 0.6:
        for shift in (0.0, 0.075):
            canvas.line(line((0.54 + shift, 0.5), (0.49 + shift, 0.65)), colour, 0.034)
    elif choice < 0.85:
        canvas.line(line((0.45, 0.62), (0.53, 0.55), (0.61, 0.62), (0.69, 0.55), (0.77, 0.62)), colour, 0.028)
    else:
        canvas.fill(oval((0.62, 0.565), 0.045, 0.045), solid(colour), puff=0.01)


@pair
def loafer(canvas: Canvas, garment: Garment) -> None:
    """A slip-on of leather with a strap, a bit or tassels."""
    heel, thick, fabric = 0.035 + 0.02 * garment.flare, 0.018 + 0.03 * garment.fit, garment.fabric
    base, rear = GROUND - thick, GROUND - heel - thick
    hole = smooth((0.4, 0.5), (0.55, 0.475), (0.75, 0.475), (0.865, 0.48), (0.8, 0.56), (0.5, 0.56), (0.4, 0.5))
    canvas.fill(hole, solid(INSIDE), dim=0.8)
    upper = join(
        smooth(
            (0.09, base),
            (0.085, base - 0.045),
            (0.13, 0.625),
            (0.24, 0.585),
            (0.34, 0.52),
            (0.42, 0.475),
            (0.46, 0.475),
        ),
        smooth((0.46, 0.475), (0.54, 0.545), (0.66, 0.57), (0.79, 0.53), (0.87, 0.475)),
        smooth((0.87, 0.475), (0.9, 0.54), (0.885, 0.62), (0.895, rear + 0.012)),
        smooth((0.895, rear + 0.012), (0.62, rear), (0.42, base - 0.2 * heel), (0.09, base)),
    )
    canvas.fill(upper, fabric, puff=0.045)
    colour = fabric.mean
    apron = smooth((0.135, 0.63), (0.2, 0.655), (0.32, 0.625), (0.43, 0.565), (0.5, 0.51))
    canvas.line(apron, seam(colour), 0.012)
    saddle = join(
        smooth((0.31, 0.537), (0.36, 0.505), (0.4, 0.483)),
        smooth((0.4, 0.483), (0.46, 0.56), (0.55, 0.64), (0.56, rear - 0.005)),
        smooth((0.46, base - 0.02), (0.42, 0.61), (0.31, 0.537)),
    )
    canvas.fill(saddle, garment.trim if fabric.weave == "block" else fabric, puff=0.014)
    if garment.neck > 0.6:
        canvas.line(line((0.345, 0.53), (0.42, 0.585)), GOLD, 0.022)
        canvas.dot((0.345, 0.53), 0.018, GOLD)
    elif garment.neck > 0.3:
        for shift in (0.0, 0.035):
            canvas.fill(
                line((0.345 + shift, 0.52), (0.36 + shift, 0.52), (0.375 + shift, 0.6), (0.335 + shift, 0.6)),
                garment.trim,
                puff=0.01,
            )
    heeled_sole(canvas, lighter(garment.trim.main, -0.12), heel, thick, 0.22)


@pair
def oxford(canvas: Canvas, garment: Garment) -> None:
    """A laced leather shoe with a toe cap, plain or with wing tips."""
    heel, thick, fabric = 0.04 + 0.015 * garment.flare, 0.016 + 0.02 * garment.fit, garment.fabric
    base, rear = GROUND - thick, GROUND - heel - thick
    hole = smooth((0.47, 0.44), (0.6, 0.43), (0.78, 0.44), (0.865, 0.44), (0.8, 0.53), (0.55, 0.52), (0.47, 0.44))
    canvas.fill(hole, solid(INSIDE), dim=0.75)
    upper = join(
        smooth(
            (0.085, base), (0.08, base - 0.035), (0.13, 0.64), (0.24, 0.605), (0.33, 0.545), (0.42, 0.46), (0.475, 0.43)
        ),
        smooth((0.475, 0.43), (0.55, 0.49), (0.66, 0.525), (0.79, 0.49), (0.865, 0.435)),
        smooth((0.865, 0.435), (0.895, 0.52), (0.885, 0.62), (0.895, rear + 0.012)),
        smooth((0.895, rear + 0.012), (0.62, rear), (0.42, base - 0.2 * heel), (0.085, base)),
    )
    canvas.fill(upper, fabric, puff=0.045)
    accent = garment.trim if fabric.weave == "block" else fabric
    cap = join(
        smooth((0.085, base), (0.08, base - 0.035), (0.13, 0.64), (0.21, 0.615)),
        smooth((0.21, 0.615), (0.25, 0.66), (0.25, base))
        if garment.neck < 0.5
        else smooth((0.21, 0.615), (0.25, 0.64), (0.36, 0.685), (0.42, base - 0.012)),
    )
    canvas.fill(cap, accent, puff=0.025)
    back = join(
        smooth((0.865, 0.435), (0.895, 0.52), (0.885, 0.62), (0.895, rear + 0.012)),
        smooth((0.76, rear), (0.77, 0.58), (0.865, 0.435)),
    )
    canvas.fill(back, accent, puff=0.02)
    stay = join(
        smooth((0.31, 0.565), (0.37, 0.51), (0.43, 0.455), (0.475, 0.43)),
        smooth((0.54, 0.485), (0.52, 0.56), (0.44, 0.62), (0.35, 0.62), (0.31, 0.565)),
    )
    canvas.fill(stay, fabric, puff=0.012)
    laces = seam(fabric.mean, 0.3)
    for share in np.linspace(0.1, 0.95, 4):
        x, y = 0.335 + 0.135 * share, 0.545 - 0.105 * share
        canvas.line(line((x - 0.01, y), (x + 0.045, y + 0.035)), laces, 0.013)
    heeled_sole(canvas, lighter(garment.trim.main, -0.12), heel, thick, 0.22)


@pair
def ballet(canvas: Canvas, garment: Garment) -> None:
    """A flat slip-on with a bow or a strap."""
    fabric, low = garment.fabric, 0.03 * garment.length
    hole = smooth(
        (0.33, 0.635),
        (0.5, 0.6 - low),
        (0.75, 0.585 - low),
        (0.87, 0.575 - low),
        (0.8, 0.66),
        (0.45, 0.67),
        (0.33, 0.635),
    )
    canvas.fill(hole, solid(INSIDE), dim=0.85)
    upper = join(
        smooth((0.085, GROUND - 0.012), (0.09, 0.69), (0.15, 0.645), (0.24, 0.622), (0.33, 0.612)),
        smooth((0.33, 0.612), (0.42, 0.65), (0.6, 0.66 - low), (0.78, 0.615 - low), (0.875, 0.565 - low)),
        smooth((0.875, 0.565 - low), (0.9, 0.63), (0.9, GROUND - 0.02)),
        smooth((0.9, GROUND - 0.02), (0.6, GROUND - 0.024), (0.085, GROUND - 0.012)),
    )
    canvas.fill(upper, fabric, puff=0.03)
    canvas.fill(
        join(
            smooth((0.085, GROUND - 0.016), (0.5, GROUND - 0.026), (0.9, GROUND - 0.026)),
            line((0.9, GROUND), (0.76, GROUND), (0.75, GROUND - 0.008), (0.12, GROUND - 0.002)),
        ),
        solid(lighter(garment.trim.main, -0.1)),
        puff=0.008,
    )
    if fabric.weave == "block":
        cap = join(
            smooth((0.085, GROUND - 0.014), (0.09, 0.69), (0.15, 0.645), (0.2, 0.63)),
            smooth((0.2, 0.63), (0.235, 0.67), (0.235, GROUND - 0.018)),
        )
        canvas.fill(cap, garment.trim, puff=0.02)
    if garment.neck > 0.4:
        for sign in (-1, 1):
            loop = smooth((0.31, 0.615), (0.31 + 0.06 * sign, 0.575), (0.31 + 0.065 * sign, 0.635), (0.31, 0.615))
            canvas.fill(loop, garment.trim if garment.neck > 0.7 else fabric, puff=0.01)
        canvas.dot((0.31, 0.615), 0.013, fabric.main)
    else:
        strap = smooth((0.6, 0.65 - low), (0.61, 0.57), (0.67, 0.535), (0.74, 0.56), (0.75, 0.62 - low))
        canvas.tape(strap, fabric.main, 0.02)
