"""Shoes, seen from the side with the toe to the left, alone or as a pair."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import BLACK, GOLD, STEEL, WHITE, Lab, lighter, seam
from outfitrec.plugins.datasets.garments.curves import Point, Points, join, line, oval, smooth
from outfitrec.plugins.datasets.garments.fabric import Fabric, solid
from outfitrec.plugins.datasets.garments.garment import Garment

GROUND = 0.74
INSIDE: Lab = (0.78, 0.012, 0.04)  # bare leather


def _pair(draw: Callable[[Canvas, Garment], None]) -> Callable[[Canvas, Garment], None]:
    """Draw the shoe, and behind it the other one of the pair where the garment says so."""

    def both(canvas: Canvas, garment: Garment) -> None:
        if garment.detail > 0.35:
            canvas.place(0.94, (0.055, -0.125))
            draw(canvas, garment)
            canvas.place(0.94, (-0.05, 0.03))
        draw(canvas, garment)

    both.__name__, both.__doc__ = draw.__name__, draw.__doc__
    return both


def _laces(canvas: Canvas, low: tuple[float, float], high: tuple[float, float], count: int, colour: Lab) -> None:
    """Laces between the front of the vamp and the top of the tongue."""
    for x, y in zip(np.linspace(low[0], high[0], count), np.linspace(low[1], high[1], count), strict=True):
        bar = line((x - 0.026, y - 0.006), (x + 0.03, y + 0.026))
        canvas.line(bar, seam(colour, 0.3), 0.02)
        canvas.line(bar, colour, 0.013)


def _trainer_sole(canvas: Canvas, colour: Lab, accent: Lab, thick: float) -> None:
    top = GROUND - thick
    outline = join(
        smooth((0.085, top + 0.012), (0.075, GROUND - 0.3 * thick), (0.115, GROUND)),
        smooth((0.5, GROUND + 0.002), (0.85, GROUND), (0.905, GROUND - 0.3 * thick), (0.9, top - 0.01)),
        smooth((0.9, top - 0.01), (0.62, top + 0.012), (0.3, top + 0.016), (0.085, top + 0.012)),
    )
    canvas.fill(outline, solid(colour), puff=0.014)
    canvas.line(smooth((0.09, GROUND - 0.022), (0.5, GROUND - 0.018), (0.9, GROUND - 0.026)), accent, 0.01)


@_pair
def sneaker(canvas: Canvas, garment: Garment) -> None:
    """A low sneaker with laces, a toe cap and a rubber sole."""
    thick = 0.055 + 0.05 * garment.fit
    base = GROUND - thick + 0.012
    lift = 0.03 * garment.length
    fabric, trim = garment.fabric, garment.trim
    rubber = WHITE if garment.flare < 0.7 else trim.second
    tongue = smooth((0.36, 0.5), (0.42, 0.4 - lift), (0.47, 0.355 - lift), (0.525, 0.385 - lift), (0.5, 0.47))
    canvas.fill(tongue, fabric, puff=0.015, dim=0.95)
    hole = smooth((0.49, 0.41 - lift), (0.6, 0.4 - lift), (0.74, 0.4 - lift), (0.855, 0.37 - lift), (0.8, 0.47), (0.6, 0.47), (0.49, 0.41 - lift))
    canvas.fill(hole, solid(lighter(trim.main, -0.05)), dim=0.75, puff=0.02)
    upper = join(
        smooth((0.095, base), (0.1, 0.615), (0.15, 0.565), (0.25, 0.53), (0.34, 0.485), (0.42, 0.42 - lift), (0.475, 0.395 - lift)),
        smooth((0.475, 0.395 - lift), (0.54, 0.44 - lift), (0.64, 0.475 - lift), (0.75, 0.45 - lift), (0.815, 0.385 - lift), (0.86, 0.36 - lift)),
        smooth((0.86, 0.36 - lift), (0.885, 0.42), (0.88, 0.54), (0.895, base)),
    )
    canvas.fill(upper, fabric, puff=0.04, folds=[smooth((0.28, 0.54), (0.32, 0.58), (0.33, 0.64))], fold=0.014)
    two_tone = trim if fabric.weave == "block" or garment.sleeve > 0.6 else fabric
    heel = join(smooth((0.86, 0.36 - lift), (0.885, 0.42), (0.88, 0.54), (0.895, base)), smooth((0.79, base), (0.78, 0.54), (0.815, 0.385 - lift), (0.86, 0.36 - lift)))
    canvas.fill(heel, two_tone, puff=0.02)
    cap = join(smooth((0.095, base), (0.1, 0.615), (0.15, 0.565), (0.2, 0.548)), smooth((0.2, 0.548), (0.255, 0.6), (0.265, base)))
    canvas.fill(cap, solid(WHITE) if garment.neck < 0.35 else two_tone, puff=0.025)
    stay = join(smooth((0.27, 0.535), (0.36, 0.49), (0.43, 0.43 - lift), (0.475, 0.395 - lift)), smooth((0.53, 0.435 - lift), (0.47, 0.52), (0.38, 0.58), (0.3, 0.59), (0.27, 0.535)))
    canvas.fill(stay, fabric, puff=0.012)
    _laces(canvas, (0.335, 0.51), (0.475, 0.415 - lift), 5, WHITE if trim.main[0] < 0.5 or fabric.main[0] < 0.8 else BLACK)
    _emblem(canvas, garment)
    _trainer_sole(canvas, rubber, trim.main, thick)


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


@_pair
def high_top(canvas: Canvas, garment: Garment) -> None:
    """A canvas shoe over the ankle with laces and a rubber toe."""
    rise = 0.1 + 0.08 * garment.length
    base, top = GROUND - 0.055, 0.33 - rise
    fabric = garment.fabric
    hole = smooth((0.5, top + 0.02), (0.62, top - 0.012), (0.8, top - 0.02), (0.82, top + 0.05), (0.55, top + 0.07), (0.5, top + 0.02))
    canvas.fill(hole, solid(garment.trim.main), dim=0.8)
    upper = join(
        smooth((0.1, base), (0.105, 0.62), (0.16, 0.575), (0.27, 0.54), (0.37, 0.48), (0.44, 0.4), (0.475, top + 0.1), (0.49, top)),
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
        canvas.line(bar, seam(WHITE, 0.3), 0.02)
        canvas.line(bar, WHITE, 0.013)
    canvas.line(smooth((0.815, top + 0.02), (0.825, 0.4), (0.83, base)), seam(fabric.mean), 0.006)
    if garment.neck > 0.4:
        canvas.fill(oval((0.68, 0.39 - 0.3 * rise), 0.05, 0.05), solid(WHITE), puff=0.01)
        canvas.fill(oval((0.68, 0.39 - 0.3 * rise), 0.026, 0.026), solid(garment.trim.main), puff=0.01, edge=False)
    cap = join(smooth((0.095, base), (0.1, 0.62), (0.15, 0.578), (0.2, 0.562)), smooth((0.2, 0.562), (0.25, 0.61), (0.255, base)))
    canvas.fill(cap, solid(WHITE), puff=0.025)
    _trainer_sole(canvas, WHITE if garment.flare < 0.75 else BLACK, garment.trim.main, 0.062 + 0.03 * garment.fit)


def _heeled_sole(canvas: Canvas, colour: Lab, heel: float, thick: float, wide: float) -> None:
    """A leather sole that lies on the ground in front and on a block heel behind."""
    ball = GROUND - thick
    under = GROUND - heel
    outline = join(
        smooth((0.1, ball + 0.004), (0.12, GROUND), (0.3, GROUND), (0.45, GROUND - 0.12 * heel)),
        smooth((0.6, under - 0.1 * thick), (0.66, under + 0.012), (0.885 - wide, under + 0.018)),
        line((0.89 - wide, GROUND), (0.885, GROUND), (0.895, under - thick)),
        smooth((0.895, under - thick), (0.62, under - thick * 1.2), (0.42, ball - 0.25 * heel), (0.1, ball + 0.004)),
    )
    canvas.fill(outline, solid(colour), puff=0.012)


@_pair
def boot(canvas: Canvas, garment: Garment) -> None:
    """An ankle boot: with elastic panels, or with laces and a thick sole."""
    top = 0.29 - 0.12 * garment.length
    laced = garment.neck > 0.5
    thick = 0.025 + 0.03 * garment.fit * laced
    heel = 0.045 + 0.03 * garment.flare
    base, fabric = GROUND - thick, garment.fabric
    rear = GROUND - heel - thick
    hole = smooth((0.5, top), (0.66, top - 0.02), (0.84, top - 0.012), (0.8, top + 0.05), (0.56, top + 0.05), (0.5, top))
    canvas.fill(hole, solid(INSIDE), dim=0.7)
    upper = join(
        smooth((0.1, base), (0.095, base - 0.05), (0.15, 0.605), (0.27, 0.57), (0.38, 0.51), (0.46, 0.42), (0.49, 0.33), (0.49, top)),
        smooth((0.49, top), (0.65, top + 0.02), (0.845, top - 0.012)),
        smooth((0.845, top - 0.012), (0.855, 0.38), (0.865, 0.52), (0.895, rear + 0.01)),
        smooth((0.895, rear + 0.01), (0.62, rear), (0.42, base - 0.22 * heel), (0.1, base)),
    )
    folds = [smooth((0.5, 0.43), (0.62, 0.47), (0.72, 0.46)), smooth((0.3, 0.58), (0.34, 0.63), (0.34, 0.69)), smooth((0.52, 0.5), (0.6, 0.53))]
    canvas.fill(upper, fabric, puff=0.045, folds=folds, fold=0.014)
    _heeled_sole(canvas, BLACK if laced else lighter(garment.trim.main, -0.1), heel, thick, 0.2)
    canvas.line(smooth((0.1, base - 0.014), (0.42, base - 0.02 - 0.22 * heel), (0.62, rear - 0.018), (0.89, rear - 0.01)), seam(fabric.mean, 0.1), 0.005)
    if laced:
        front = smooth((0.29, 0.565), (0.38, 0.51), (0.46, 0.42), (0.49, 0.33), (0.49, top))
        colour = GOLD if fabric.main[2] > 0.05 else seam(fabric.mean, 0.35)
        for share in np.linspace(0.06, 0.94, 7):
            x, y = front[round(share * (len(front) - 1))]
            canvas.line(line((x - 0.006, y + 0.004), (x + 0.055, y + 0.03)), colour, 0.015)
            canvas.dot((float(x) + 0.06, float(y) + 0.032), 0.008, STEEL)
    else:
        panel = join(smooth((0.6, top + 0.018), (0.62, 0.4), (0.68, 0.52)), smooth((0.68, 0.52), (0.75, 0.4), (0.77, top + 0.006)))
        elastic = garment.trim if garment.sleeve > 0.5 else solid(lighter(fabric.main, -0.08))
        canvas.fill(panel, elastic, puff=0.015)
        for share in np.linspace(0.15, 0.85, 6):
            canvas.line(line((0.6 + 0.17 * share, top + 0.02), (0.65 + 0.06 * share, 0.46)), seam(elastic.main, 0.1), 0.005)
        canvas.line(smooth((0.83, top + 0.03), (0.815, top - 0.035), (0.85, top - 0.035), (0.852, top + 0.03)), seam(fabric.mean, 0.2), 0.014)


@_pair
def knee_boot(canvas: Canvas, garment: Garment) -> None:
    """A high boot with a heel and a zip or a buckle."""
    canvas_top, heel = 0.09 + 0.08 * (1 - garment.length), 0.05 + 0.08 * garment.flare
    base, rear = GROUND + 0.12, GROUND + 0.12 - heel
    wide, fabric = 0.035 * garment.fit, garment.fabric
    hole = smooth((0.5 - wide, canvas_top), (0.66, canvas_top - 0.02), (0.84, canvas_top), (0.66, canvas_top + 0.04), (0.5 - wide, canvas_top))
    canvas.fill(hole, solid(INSIDE), dim=0.65)
    upper = join(
        smooth((0.15, base - 0.01), (0.14, base - 0.05), (0.2, base - 0.105), (0.31, base - 0.145), (0.42, base - 0.22), (0.485, base - 0.33), (0.49 - wide, 0.35), (0.495 - wide, canvas_top)),
        smooth((0.495 - wide, canvas_top), (0.66, canvas_top + 0.025), (0.84, canvas_top)),
        smooth((0.84, canvas_top), (0.85, 0.3), (0.8, 0.52), (0.79, base - 0.25), (0.83, rear)),
        smooth((0.83, rear), (0.62, rear + 0.005), (0.45, base - 0.02 - 0.2 * heel), (0.15, base - 0.01)),
    )
    folds = [smooth((0.5, base - 0.3), (0.6, base - 0.27), (0.75, base - 0.29)), smooth((0.52, base - 0.37), (0.62, base - 0.35)), smooth((0.7, 0.2), (0.69, 0.4), (0.68, 0.55))]
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
        strap = join(smooth((0.488, base - 0.31), (0.65, base - 0.27), (0.795, base - 0.29)), smooth((0.79, base - 0.25), (0.65, base - 0.23), (0.47, base - 0.27)))
        canvas.fill(strap, garment.trim, puff=0.012)
        canvas.dot((0.62, base - 0.255), 0.02, GOLD)
    else:
        canvas.line(smooth((0.66, canvas_top + 0.03), (0.655, 0.4), (0.64, base - 0.2)), seam(colour, 0.14), 0.007)


@_pair
def loafer(canvas: Canvas, garment: Garment) -> None:
    """A slip-on of leather with a strap, a bit or tassels."""
    heel, thick, fabric = 0.035 + 0.02 * garment.flare, 0.018 + 0.03 * garment.fit, garment.fabric
    base, rear = GROUND - thick, GROUND - heel - thick
    hole = smooth((0.4, 0.5), (0.55, 0.475), (0.75, 0.475), (0.865, 0.48), (0.8, 0.56), (0.5, 0.56), (0.4, 0.5))
    canvas.fill(hole, solid(INSIDE), dim=0.8)
    upper = join(
        smooth((0.09, base), (0.085, base - 0.045), (0.13, 0.625), (0.24, 0.585), (0.34, 0.52), (0.42, 0.475), (0.46, 0.475)),
        smooth((0.46, 0.475), (0.54, 0.545), (0.66, 0.57), (0.79, 0.53), (0.87, 0.475)),
        smooth((0.87, 0.475), (0.9, 0.54), (0.885, 0.62), (0.895, rear + 0.012)),
        smooth((0.895, rear + 0.012), (0.62, rear), (0.42, base - 0.2 * heel), (0.09, base)),
    )
    canvas.fill(upper, fabric, puff=0.045)
    colour = fabric.mean
    apron = smooth((0.135, 0.63), (0.2, 0.655), (0.32, 0.625), (0.43, 0.565), (0.5, 0.51))
    canvas.line(apron, seam(colour), 0.012)
    saddle = join(smooth((0.31, 0.537), (0.36, 0.505), (0.4, 0.483)), smooth((0.4, 0.483), (0.46, 0.56), (0.55, 0.64), (0.56, rear - 0.005)), smooth((0.46, base - 0.02), (0.42, 0.61), (0.31, 0.537)))
    canvas.fill(saddle, garment.trim if fabric.weave == "block" else fabric, puff=0.014)
    if garment.neck > 0.6:
        canvas.line(line((0.345, 0.53), (0.42, 0.585)), GOLD, 0.022)
        canvas.dot((0.345, 0.53), 0.018, GOLD)
    elif garment.neck > 0.3:
        for shift in (0.0, 0.035):
            canvas.fill(line((0.345 + shift, 0.52), (0.36 + shift, 0.52), (0.375 + shift, 0.6), (0.335 + shift, 0.6)), garment.trim, puff=0.01)
    _heeled_sole(canvas, lighter(garment.trim.main, -0.12), heel, thick, 0.22)


@_pair
def oxford(canvas: Canvas, garment: Garment) -> None:
    """A laced leather shoe with a toe cap, plain or with wing tips."""
    heel, thick, fabric = 0.04 + 0.015 * garment.flare, 0.016 + 0.02 * garment.fit, garment.fabric
    base, rear = GROUND - thick, GROUND - heel - thick
    hole = smooth((0.47, 0.44), (0.6, 0.43), (0.78, 0.44), (0.865, 0.44), (0.8, 0.53), (0.55, 0.52), (0.47, 0.44))
    canvas.fill(hole, solid(INSIDE), dim=0.75)
    upper = join(
        smooth((0.085, base), (0.08, base - 0.035), (0.13, 0.64), (0.24, 0.605), (0.33, 0.545), (0.42, 0.46), (0.475, 0.43)),
        smooth((0.475, 0.43), (0.55, 0.49), (0.66, 0.525), (0.79, 0.49), (0.865, 0.435)),
        smooth((0.865, 0.435), (0.895, 0.52), (0.885, 0.62), (0.895, rear + 0.012)),
        smooth((0.895, rear + 0.012), (0.62, rear), (0.42, base - 0.2 * heel), (0.085, base)),
    )
    canvas.fill(upper, fabric, puff=0.045)
    accent = garment.trim if fabric.weave == "block" else fabric
    cap = join(smooth((0.085, base), (0.08, base - 0.035), (0.13, 0.64), (0.21, 0.615)), smooth((0.21, 0.615), (0.25, 0.66), (0.25, base)) if garment.neck < 0.5 else smooth((0.21, 0.615), (0.25, 0.64), (0.36, 0.685), (0.42, base - 0.012)))
    canvas.fill(cap, accent, puff=0.025)
    back = join(smooth((0.865, 0.435), (0.895, 0.52), (0.885, 0.62), (0.895, rear + 0.012)), smooth((0.76, rear), (0.77, 0.58), (0.865, 0.435)))
    canvas.fill(back, accent, puff=0.02)
    stay = join(smooth((0.31, 0.565), (0.37, 0.51), (0.43, 0.455), (0.475, 0.43)), smooth((0.54, 0.485), (0.52, 0.56), (0.44, 0.62), (0.35, 0.62), (0.31, 0.565)))
    canvas.fill(stay, fabric, puff=0.012)
    laces = seam(fabric.mean, 0.3)
    for share in np.linspace(0.1, 0.95, 4):
        x, y = 0.335 + 0.135 * share, 0.545 - 0.105 * share
        canvas.line(line((x - 0.01, y), (x + 0.045, y + 0.035)), laces, 0.013)
    _heeled_sole(canvas, lighter(garment.trim.main, -0.12), heel, thick, 0.22)


def _last(heel: float) -> Points:
    """The line on which a foot stands on a heel, from the toe to the back."""
    rear = GROUND - heel
    return smooth((0.1, GROUND - 0.022), (0.24, GROUND - 0.014), (0.36, GROUND - 0.02 - 0.05 * heel), (0.5, GROUND - 0.03 - 0.38 * heel), (0.66, rear + 0.06 * heel), (0.78, rear - 0.01), (0.885, rear - 0.02))


def _high_heel(canvas: Canvas, garment: Garment, colour: Lab) -> tuple[Points, float]:
    """Sole and heel of a dress shoe; gives its last and the height of its back."""
    heel = 0.1 + 0.22 * garment.flare
    last, rear = _last(heel), GROUND - heel
    fine = 0.012 + 0.055 * garment.fit
    back = join(smooth((0.885, rear - 0.02), (0.888, rear + 0.2 * heel), (0.86, GROUND)), smooth((0.86 - fine, GROUND), (0.84 - fine, rear + 0.35 * heel), (0.74, rear + 0.02), (0.72, rear + 0.01)))
    canvas.fill(back, solid(colour), puff=0.014)
    canvas.fill(join(last, last[::-1] + np.array([0.0, 0.022])), solid(lighter(garment.trim.main, -0.08)), puff=0.01)
    return last, rear


@_pair
def pump(canvas: Canvas, garment: Garment) -> None:
    """A court shoe with a high heel."""
    last, rear = _high_heel(canvas, garment, garment.fabric.main)
    throat = 0.33 + 0.06 * garment.neck
    edge = smooth((0.885, rear - 0.02), (0.91, rear - 0.08), (0.895, rear - 0.15))
    rim = smooth((0.895, rear - 0.15), (0.78, rear - 0.06), (0.62, (rear + GROUND) / 2 - 0.11), (0.48, GROUND - 0.09 - 0.18 * (GROUND - rear)), (throat, GROUND - 0.125))
    inside = join(rim, smooth((throat, GROUND - 0.125), (0.5, GROUND - 0.14 - 0.3 * (GROUND - rear)), (0.7, rear - 0.14), (0.895, rear - 0.15)))
    canvas.fill(inside, solid(INSIDE), dim=0.85)
    toe = smooth((throat, GROUND - 0.125), (0.22, GROUND - 0.1), (0.12, GROUND - 0.055), (0.095, GROUND - 0.026))
    canvas.fill(join(last, edge, rim, toe), garment.fabric, puff=0.035)
    if garment.sleeve > 0.65:
        where = (throat + 0.01, GROUND - 0.12)
        for sign in (-1, 1):
            loop = smooth(where, (where[0] + 0.055 * sign, where[1] - 0.035), (where[0] + 0.06 * sign, where[1] + 0.02), where)
            canvas.fill(loop, garment.trim, puff=0.01)
        canvas.dot(where, 0.013, garment.trim.main)
    elif garment.sleeve < 0.25:
        strap = smooth((0.885, rear - 0.1), (0.8, rear - 0.19), (0.7, rear - 0.19), (0.6, (rear + GROUND) / 2 - 0.13))
        canvas.line(strap, seam(garment.fabric.mean, 0.2), 0.024)
        canvas.line(strap, garment.fabric.main, 0.017)


def _pt(point: NDArray[np.float64]) -> Point:
    return (float(point[0]), float(point[1]))


def _strap(canvas: Canvas, curve: Points, colour: Lab, width: float) -> None:
    canvas.line(curve, seam(colour, 0.22), width + 0.012)
    canvas.line(curve, colour, width)


@_pair
def sandal(canvas: Canvas, garment: Garment) -> None:
    """A sandal: thin straps on a high heel, or broad bands on a flat sole."""
    fabric, colour = garment.fabric, garment.fabric.main
    width = 0.022 + 0.02 * garment.length
    high = garment.flare > 0.45
    if high:
        last, rear = _high_heel(canvas, garment, colour)
        for lift in (0.028, -0.024):
            ankle = smooth((0.885, rear - 0.15), (0.79, rear - 0.15 - lift), (0.7, rear - 0.145 - lift), (0.67, rear - 0.145))
            _strap(canvas, ankle, lighter(colour, -lift), width)
        _strap(canvas, smooth((0.885, rear - 0.02), (0.9, rear - 0.08), (0.885, rear - 0.15)), colour, width * 1.5)
        canvas.dot((0.74, rear - 0.132), 0.015, GOLD)
    else:
        last, thick = _last(0.05), 0.02 + 0.06 * garment.fit
        low = smooth((0.9, GROUND - 0.05), (0.905, GROUND + 0.5 * thick), (0.88, GROUND + thick))
        toe = smooth((0.12, GROUND + thick), (0.085, GROUND + 0.4 * thick), (0.1, GROUND - 0.022))
        canvas.fill(join(last, low, toe), solid(INSIDE if garment.neck < 0.6 else garment.trim.main), puff=0.014)
        canvas.line(low[-1:] + np.array([[0.0, -0.008], [-0.74, -0.008]]), seam(INSIDE, 0.3), 0.012)
    count = len(last) - 1
    for start, end, rise in ((0.13, 0.34, 0.1), (0.38, 0.58, 0.15)):
        a, b = last[round(start * count)], last[round(end * count)]
        peak = (a + b) / 2 + np.array([0.03, -rise])
        if high:
            arch = smooth(_pt(a), _pt((a + peak) / 2 - 0.012), _pt(peak), _pt((b + peak) / 2 + np.array([0.02, -0.01])), _pt(b))
            _strap(canvas, arch, colour, width)
        else:
            # The instep rises from the toe on; a band follows it.
            up = np.array([0.0, -0.055 - 0.32 * (a[0] - 0.14)]), np.array([0.0, -0.055 - 0.32 * (b[0] - 0.14)])
            top = smooth(_pt(b + up[1] + 0.02), _pt((a + b) / 2 + (up[0] + up[1]) / 2 + np.array([0.02, -0.008])), _pt(a + up[0] + 0.02))
            canvas.fill(join(np.stack([a, b]), top), fabric, puff=0.03)
            if garment.sleeve > 0.4:
                canvas.dot(_pt((a + b) / 2 + np.array([0.012, -0.035])), 0.017, GOLD)


@_pair
def ballet(canvas: Canvas, garment: Garment) -> None:
    """A flat slip-on with a bow or a strap."""
    fabric, low = garment.fabric, 0.03 * garment.length
    hole = smooth((0.33, 0.635), (0.5, 0.6 - low), (0.75, 0.585 - low), (0.87, 0.575 - low), (0.8, 0.66), (0.45, 0.67), (0.33, 0.635))
    canvas.fill(hole, solid(INSIDE), dim=0.85)
    upper = join(
        smooth((0.085, GROUND - 0.012), (0.09, 0.69), (0.15, 0.645), (0.24, 0.622), (0.33, 0.612)),
        smooth((0.33, 0.612), (0.42, 0.65), (0.6, 0.66 - low), (0.78, 0.615 - low), (0.875, 0.565 - low)),
        smooth((0.875, 0.565 - low), (0.9, 0.63), (0.9, GROUND - 0.02)),
        smooth((0.9, GROUND - 0.02), (0.6, GROUND - 0.024), (0.085, GROUND - 0.012)),
    )
    canvas.fill(upper, fabric, puff=0.03)
    canvas.fill(join(smooth((0.085, GROUND - 0.016), (0.5, GROUND - 0.026), (0.9, GROUND - 0.026)), line((0.9, GROUND), (0.76, GROUND), (0.75, GROUND - 0.008), (0.12, GROUND - 0.002))), solid(lighter(garment.trim.main, -0.1)), puff=0.008)
    if fabric.weave == "block":
        cap = join(smooth((0.085, GROUND - 0.014), (0.09, 0.69), (0.15, 0.645), (0.2, 0.63)), smooth((0.2, 0.63), (0.235, 0.67), (0.235, GROUND - 0.018)))
        canvas.fill(cap, garment.trim, puff=0.02)
    if garment.neck > 0.4:
        for sign in (-1, 1):
            loop = smooth((0.31, 0.615), (0.31 + 0.06 * sign, 0.575), (0.31 + 0.065 * sign, 0.635), (0.31, 0.615))
            canvas.fill(loop, garment.trim if garment.neck > 0.7 else fabric, puff=0.01)
        canvas.dot((0.31, 0.615), 0.013, fabric.main)
    else:
        strap = smooth((0.6, 0.65 - low), (0.61, 0.57), (0.67, 0.535), (0.74, 0.56), (0.75, 0.62 - low))
        canvas.line(strap, seam(fabric.mean, 0.2), 0.028)
        canvas.line(strap, fabric.main, 0.02)

