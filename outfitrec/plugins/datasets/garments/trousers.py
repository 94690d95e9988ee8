"""Trousers of all lengths."""

import attrs
import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import GOLD, WHITE, Lab, lighter, seam
from outfitrec.plugins.datasets.garments.curves import (
    STEPS,
    Point,
    Points,
    flip,
    join,
    line,
    sides,
    smooth,
)
from outfitrec.plugins.datasets.garments.fabric import Fabric, solid
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.waist import BAND, MIDDLE, TOP, gathered, waistband


@attrs.frozen
class Legs:
    """Measures of trousers; widths are from the middle line, heights from above."""

    waist: float
    hip: float
    knee: float
    outer: float
    inner: float
    bottom: float

    crotch: float = 0.37

    @classmethod
    def of(cls, garment: Garment, *, bottom: float, width: float, spread: float = 0.06) -> "Legs":
        """The measures of a garment whose legs end at ``bottom`` and are ``width`` wide there."""
        hip = 0.192 + 0.03 * garment.fit
        reach = (bottom - 0.37) / 0.56
        inner = 0.012 + spread * reach
        return cls(
            waist=0.148 + 0.02 * garment.fit,
            hip=hip,
            knee=(hip + inner + width) / 2 + (0.012 - 0.014 * (1 - garment.fit)) * min(reach, 1),
            outer=inner + width,
            inner=inner,
            bottom=bottom,
        )

    def outline(self) -> Points:
        """The right leg with its half of the seat."""
        middle = (self.crotch + self.bottom) / 2
        return join(
            line((MIDDLE, TOP + BAND)),
            smooth(
                (MIDDLE + self.waist, TOP + BAND),
                (MIDDLE + self.hip, 0.27),
                (MIDDLE + (self.hip + self.knee) / 2 + 0.006, self.crotch + 0.05),
                (MIDDLE + self.knee, middle),
                (MIDDLE + self.outer, self.bottom),
            ),
            smooth(
                (MIDDLE + self.outer, self.bottom),
                (MIDDLE + (self.outer + self.inner) / 2, self.bottom + 0.01),
                (MIDDLE + self.inner, self.bottom + 0.004),
            ),
            smooth(
                (MIDDLE + self.inner, self.bottom + 0.004),
                (MIDDLE + self.inner * 0.55 + 0.004, middle),
                (MIDDLE, self.crotch),
            ),
        )

    def side(self, height: float, inset: float = 0.0) -> Point:
        """The point of the outer side at a height, or ``inset`` within it."""
        edge = self.outline()[1 : 2 + 4 * STEPS]
        return (float(np.interp(height, edge[:, 1], edge[:, 0])) - inset, height)

    def centre(self, height: float) -> Point:
        """The middle of the leg at a height."""
        share = (height - 0.2) / (self.bottom - 0.2)
        top = self.hip * 0.52
        return (MIDDLE + top + ((self.outer + self.inner) / 2 - top) * share, height)


def _legs(canvas: Canvas, legs: Legs, fabric: Fabric, folds: list[Points]) -> None:
    outline = legs.outline()
    knee = (legs.crotch + legs.bottom) / 2
    creases = [
        smooth(
            (MIDDLE + 0.015, legs.crotch - 0.01),
            (MIDDLE + legs.hip * 0.45, legs.crotch - 0.035),
            (MIDDLE + legs.hip * 0.8, legs.crotch - 0.09),
        ),
        smooth((MIDDLE + 0.02, legs.crotch + 0.02), (MIDDLE + legs.hip * 0.5, legs.crotch + 0.03)),
        *folds,
    ]
    if legs.bottom > 0.7:
        creases.append(smooth((MIDDLE + legs.inner * 0.6 + 0.02, knee), (legs.centre(knee)[0] + 0.02, knee + 0.02)))
    for mirrored in (True, False):
        canvas.fill(
            flip(outline) if mirrored else outline,
            fabric,
            puff=0.03,
            folds=[flip(c) if mirrored else c for c in creases],
            fold=0.014,
        )


def _fly(canvas: Canvas, colour: Lab, low: float, *, stitched: bool) -> None:
    start = TOP + BAND + 0.008
    canvas.line(line((MIDDLE, start), (MIDDLE, low)), seam(colour), 0.006)
    curve = smooth(
        (MIDDLE + 0.036, start), (MIDDLE + 0.036, low - 0.09), (MIDDLE + 0.024, low - 0.045), (MIDDLE, low - 0.025)
    )
    if stitched:
        canvas.stitch(curve, GOLD)
    else:
        canvas.line(curve, seam(colour, 0.1), 0.005)


def jeans(canvas: Canvas, garment: Garment) -> None:
    """Jeans with stitching, pockets and a fade, from tight to flared."""
    width = 0.075 + 0.05 * garment.fit + 0.08 * garment.flare**2
    legs = Legs.of(garment, bottom=0.84 + 0.1 * garment.length, width=width)
    _legs(canvas, legs, garment.fabric, [])
    colour = garment.fabric.mean
    for mirrored in (False, True):
        pocket = smooth((MIDDLE + 0.06, TOP + BAND + 0.008), (MIDDLE + 0.085, 0.175), legs.side(0.2))
        outer = smooth(*(legs.side(y, 0.014) for y in np.linspace(0.24, legs.bottom - 0.02, 5)))
        hem = line((MIDDLE + legs.inner, legs.bottom - 0.02), legs.side(legs.bottom - 0.022))
        for curve in (pocket, pocket + np.array([0.0, 0.011]), hem):
            canvas.stitch(flip(curve) if mirrored else curve, GOLD)
        canvas.line(flip(outer) if mirrored else outer, seam(colour, 0.1), 0.004)
        if garment.detail > 0.75:
            knee = (0.37 + legs.bottom) / 2 + (0.02 if mirrored else -0.03)
            x = legs.centre(knee)[0]
            tear = smooth((x - 0.04, knee), (x, knee - 0.016), (x + 0.04, knee), (x, knee + 0.018), (x - 0.04, knee))
            canvas.fill(flip(tear) if mirrored else tear, solid(lighter(colour, 0.4)), puff=0.006)
    _fly(canvas, colour, legs.crotch - 0.07, stitched=True)
    canvas.line(line((MIDDLE, legs.crotch - 0.07), (MIDDLE, legs.crotch)), seam(colour), 0.006)
    waistband(canvas, legs.waist, garment.fabric, loops=True, button=GOLD)


def trousers(canvas: Canvas, garment: Garment) -> None:
    """Tailored trousers with creases, narrow or wide."""
    width = 0.085 + 0.05 * garment.fit + 0.07 * garment.flare**2
    legs = Legs.of(garment, bottom=0.83 + 0.1 * garment.length, width=width, spread=0.05)
    crease = line(legs.centre(0.2), legs.centre(legs.bottom))
    _legs(canvas, legs, garment.fabric, [crease])
    colour = garment.fabric.mean
    for curve in sides(crease):
        canvas.line(curve, seam(colour, 0.07), 0.005)
    for curve in sides(line((MIDDLE + 0.1, TOP + BAND + 0.01), legs.side(0.22))):
        canvas.line(curve, seam(colour), 0.007)
    if garment.detail > 0.5:
        for curve in sides(line((MIDDLE + 0.055, TOP + BAND + 0.01), (MIDDLE + 0.058, 0.18))):
            canvas.line(curve, seam(colour), 0.006)
    _fly(canvas, colour, legs.crotch - 0.06, stitched=False)
    waistband(canvas, legs.waist, garment.fabric, loops=garment.detail < 0.6, button=None)


def joggers(canvas: Canvas, garment: Garment) -> None:
    """Sweatpants with ribbed ends and a cord."""
    legs = Legs.of(garment, bottom=0.82 + 0.08 * garment.length, width=0.085 + 0.03 * garment.fit, spread=0.075)
    _legs(canvas, legs, garment.fabric, [])
    colour = garment.fabric.mean
    for mirrored in (False, True):
        low = legs.bottom + 0.035
        cuff = line(
            (MIDDLE + legs.inner - 0.002, legs.bottom - 0.012),
            (MIDDLE + legs.outer + 0.002, legs.bottom - 0.016),
            (MIDDLE + legs.outer - 0.014, low),
            (MIDDLE + legs.inner + 0.014, low),
        )
        cuff = flip(cuff) if mirrored else cuff
        canvas.fill(cuff, garment.trim, puff=0.014)
        for share in np.linspace(0.12, 0.88, 7):
            canvas.line(
                np.stack([cuff[0] + (cuff[1] - cuff[0]) * share, cuff[3] + (cuff[2] - cuff[3]) * share]),
                seam(garment.trim.mean, 0.1),
                0.004,
            )
        pocket = smooth((MIDDLE + 0.1, TOP + BAND + 0.01), (MIDDLE + 0.125, 0.2), legs.side(0.25))
        canvas.line(flip(pocket) if mirrored else pocket, seam(colour), 0.008)
        if garment.detail > 0.6:
            outer = smooth(*(legs.side(y, 0.02) for y in np.linspace(0.24, legs.bottom - 0.02, 5)))
            canvas.line(flip(outer) if mirrored else outer, garment.trim.main, 0.02)
    canvas.line(line((MIDDLE, 0.15), (MIDDLE, legs.crotch)), seam(colour), 0.005)
    gathered(canvas, legs.waist, garment.fabric)
    for sign in (-1, 1):
        cord = smooth(
            (MIDDLE + 0.012 * sign, TOP + 0.04),
            (MIDDLE + 0.035 * sign, 0.15),
            (MIDDLE + 0.022 * sign, 0.23 + 0.02 * sign),
        )
        canvas.tape(cord, WHITE, 0.009)


def shorts(canvas: Canvas, garment: Garment) -> None:
    """Shorts, of denim with stitching or of cloth with a turn-up."""
    bottom = 0.47 + 0.14 * garment.length
    width = 0.165 + 0.025 * garment.fit + 0.02 * garment.flare
    legs = Legs.of(garment, bottom=bottom, width=width, spread=0.1)
    _legs(canvas, legs, garment.fabric, [])
    colour, denim = garment.fabric.mean, garment.fabric.weave == "denim"
    line_colour = GOLD if denim else seam(colour)
    for mirrored in (False, True):
        pocket = smooth((MIDDLE + 0.06, TOP + BAND + 0.008), (MIDDLE + 0.085, 0.175), legs.side(0.2))
        canvas.line(flip(pocket) if mirrored else pocket, line_colour, 0.006)
        cuff = line(
            (MIDDLE + legs.inner * 0.86 - 0.004, bottom - 0.034),
            legs.side(bottom - 0.04, -0.006),
            (MIDDLE + legs.outer + 0.006, bottom + 0.004),
            (MIDDLE + legs.inner - 0.006, bottom + 0.01),
        )
        if garment.detail > 0.4:
            canvas.fill(flip(cuff) if mirrored else cuff, garment.fabric, puff=0.012)
        else:
            canvas.stitch(flip(cuff[:2]) if mirrored else cuff[:2], line_colour)
    _fly(canvas, colour, legs.crotch - 0.06, stitched=denim)
    canvas.line(line((MIDDLE, legs.crotch - 0.07), (MIDDLE, legs.crotch)), seam(colour), 0.006)
    if garment.fit > 0.7 and not denim:
        gathered(canvas, legs.waist, garment.fabric)
    else:
        waistband(canvas, legs.waist, garment.fabric, loops=True, button=GOLD if denim else seam(colour, 0.25))


def leggings(canvas: Canvas, garment: Garment) -> None:
    """Leggings: tight, plain, with a wide waistband and a stripe or panel."""
    tight = attrs.evolve(garment, fit=garment.fit * 0.2)
    legs = Legs.of(tight, bottom=0.76 + 0.16 * garment.length, width=0.062, spread=0.07)
    _legs(canvas, legs, garment.fabric, [])
    if garment.detail > 0.5:
        outer = smooth(*(legs.side(y, 0.016) for y in np.linspace(0.2, legs.bottom - 0.01, 5)))
        for curve in sides(outer):
            canvas.line(curve, garment.trim.main, 0.018)
    canvas.line(line((MIDDLE, 0.13), (MIDDLE, legs.crotch)), seam(garment.fabric.mean, 0.1), 0.005)
    waistband(canvas, legs.waist, garment.fabric, loops=False, button=None)
