"""Warm tops and jackets: sweaters, hoodies, cardigans, blazers, bombers."""

import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import STEEL, WHITE, lighter, seam
from outfitrec.plugins.datasets.garments.curves import box, flip, join, line, sides, smooth, whole
from outfitrec.plugins.datasets.garments.fabric import solid
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.torso import (
    MIDDLE,
    Torso,
    behind,
    buttons,
    drape,
    neckband,
    pocket,
    rib_hem,
    sleeves,
)


def sweater(canvas: Canvas, garment: Garment) -> None:
    """A knitted sweater with ribs, with a round, a vee or a rolled neck."""
    torso = Torso.of(garment, shorter=0.05)
    rib = garment.trim if garment.detail > 0.75 else garment.fabric
    rolled, vee = garment.neck < 0.3, garment.neck > 0.8
    depth = 0.15 if vee else 0.06
    if not rolled:
        behind(canvas, torso, depth, garment.fabric)
    sleeves(
        canvas,
        torso,
        garment.fabric,
        length=0.42 + 0.07 * garment.sleeve,
        angle=1.15,
        cuff=0.052 + 0.01 * garment.fit,
        bulge=0.01,
        rib=rib,
    )
    canvas.fill(torso.body(depth, vee=vee), garment.fabric, folds=drape(torso))
    if garment.detail < 0.3 and garment.fabric.weave == "plain":
        for x in (-0.08, 0.0, 0.08):
            y = np.linspace(torso.top + 0.13 + 0.3 * abs(x), torso.bottom - 0.06, 40)
            for phase in (0, np.pi):
                canvas.line(
                    np.stack([MIDDLE + x + 0.014 * np.sin(y * 75 + phase), y], axis=1),
                    seam(garment.fabric.main, 0.09),
                    0.008,
                )
    rib_hem(canvas, torso, rib)
    if rolled:
        top, neck = torso.top, torso.neck
        roll = whole(
            join(
                smooth(torso.at(0, top - 0.062), torso.at(neck * 0.6, top - 0.058), torso.at(neck * 0.92, top - 0.045)),
                smooth(torso.at(neck * 1.05, top + 0.01), torso.at(neck * 0.6, top + 0.045), torso.at(0, top + 0.05)),
            )
        )
        canvas.fill(roll, rib, puff=0.02)
        fold = smooth(torso.at(-neck, top - 0.01), torso.at(0, top + 0.018), torso.at(neck, top - 0.01))
        canvas.line(fold, seam(rib.mean), 0.006)
    else:
        neckband(canvas, torso, depth, lighter(rib.main, -0.02), vee, 0.026)


def hoodie(canvas: Canvas, garment: Garment) -> None:
    """A hooded sweatshirt with a pouch pocket and cords."""
    torso = Torso.of(garment, shorter=0.03, neck=0.075)
    fabric, top = garment.fabric, torso.top
    sleeves(
        canvas, torso, fabric, length=0.43 + 0.06 * garment.sleeve, angle=1.17, cuff=0.05, bulge=0.012, rib=garment.trim
    )
    canvas.fill(torso.body(0.06), fabric, folds=drape(torso))
    rib_hem(canvas, torso, garment.trim)
    low = torso.bottom - 0.055
    pouch = whole(
        join(
            line(torso.at(0, low - 0.16), torso.at(0.075, low - 0.16)),
            smooth(torso.at(0.075, low - 0.16), torso.at(0.1, low - 0.09), torso.at(0.145, low - 0.06)),
            line(torso.at(0.145, low), torso.at(0, low)),
        )
    )
    canvas.fill(pouch, fabric, puff=0.014)
    hood = whole(
        join(
            smooth(
                torso.at(0, top - 0.085),
                torso.at(0.075, top - 0.07),
                torso.at(0.118, top - 0.01),
                torso.at(0.125, top + 0.06),
            ),
            smooth(torso.at(0.06, top + 0.12), torso.at(0, top + 0.15)),
        )
    )
    canvas.fill(hood, fabric, puff=0.03)
    opening = whole(
        smooth(
            torso.at(0, top - 0.045),
            torso.at(0.055, top - 0.03),
            torso.at(0.07, top + 0.02),
            torso.at(0.04, top + 0.085),
            torso.at(0, top + 0.13),
        )
    )
    canvas.fill(opening, garment.trim, dim=0.62, puff=0.03)
    for sign in (-1, 1):
        cord = smooth(
            torso.at(sign * 0.03, top + 0.1),
            torso.at(sign * 0.036, top + 0.17),
            torso.at(sign * 0.03, top + 0.25 + 0.02 * sign),
        )
        canvas.tape(cord, WHITE, 0.009)


def _open_front(canvas: Canvas, torso: Torso, garment: Garment, depth: float, gap: float) -> None:
    """Body of a jacket: lining behind, then two front pieces that leave a vee open."""
    lining = lighter(garment.trim.main, -0.04)
    canvas.fill(torso.body(0.03), solid(lining), dim=0.8)
    low = torso.bottom
    inner = smooth(torso.at(torso.neck, torso.top), torso.at(0.028, torso.top + depth), torso.at(gap, low + 0.012))
    seam_line = smooth(torso.tip, torso.at(torso.shoulder - 0.018, torso.top + 0.14), torso.arm)
    piece = join(seam_line, torso.side(), line(torso.at(gap, low + 0.012)), inner[::-1])
    folds = drape(torso)
    canvas.fill(flip(piece), garment.fabric, folds=folds)
    canvas.fill(piece, garment.fabric, folds=folds)


def cardigan(canvas: Canvas, garment: Garment) -> None:
    """A knitted jacket with buttons."""
    torso = Torso.of(garment, flare=0.01, neck=0.08)
    depth = 0.2 + 0.12 * garment.neck
    sleeves(
        canvas, torso, garment.fabric, length=0.43 + 0.07 * garment.sleeve, angle=1.15, cuff=0.05, rib=garment.fabric
    )
    _open_front(canvas, torso, garment, depth, 0.004)
    band = lighter(garment.fabric.main, -0.04)
    front = join(
        smooth(
            torso.at(torso.neck, torso.top), torso.at(0.024, torso.top + depth), torso.at(0.0, torso.top + depth + 0.06)
        ),
        line(torso.at(0.0, torso.bottom + 0.01)),
    )
    for curve in sides(front):
        canvas.tape(curve, band, 0.032)
    buttons(
        canvas,
        0.5,
        torso.top + depth + 0.05,
        torso.bottom - 0.03,
        4 + int(3 * garment.length),
        garment.trim.main,
        0.011,
    )
    for x in (0.405, 0.595):
        if garment.detail > 0.4:
            pocket(canvas, garment.fabric, (x, torso.bottom - 0.16), 0.1)


def blazer(canvas: Canvas, garment: Garment) -> None:
    """A tailored jacket with lapels."""
    torso = Torso.of(garment, flare=0.03, neck=0.075)
    fabric, top = garment.fabric, torso.top
    depth = 0.26 + 0.12 * garment.neck
    sleeves(canvas, torso, fabric, length=0.46 + 0.06 * garment.sleeve, angle=1.27, cuff=0.048)
    _open_front(canvas, torso, garment, depth, 0.03)
    point = top + 0.15 + 0.04 * garment.detail
    lapel = join(
        smooth(
            torso.at(torso.neck, top - 0.004), torso.at(torso.neck + 0.03, top + 0.05), torso.at(0.125, point - 0.035)
        ),
        line(torso.at(0.092, point - 0.03), torso.at(0.13, point), torso.at(0.02, top + depth + 0.03)),
        smooth(
            torso.at(0.02, top + depth + 0.03), torso.at(0.04, top + depth * 0.55), torso.at(torso.neck, top - 0.004)
        ),
    )
    for piece in sides(lapel):
        canvas.fill(piece, fabric, puff=0.014, turn=0.35)
    rows = 2 if garment.detail > 0.7 else 1
    for column in (0.5,) if rows == 1 else (0.455, 0.545):
        buttons(
            canvas,
            column,
            top + depth + 0.05,
            top + depth + 0.05 + 0.1 * (garment.length > 0.4),
            1 + (garment.length > 0.4),
            seam(fabric.mean, 0.25),
            0.012,
        )
    for x in (0.395, 0.605):
        y = torso.bottom - 0.2
        canvas.fill(box(x - 0.055, y, x + 0.055, y + 0.04), fabric, puff=0.008)


def bomber(canvas: Canvas, garment: Garment) -> None:
    """A short jacket with a zip and ribbed ends."""
    torso = Torso.of(garment, shorter=0.1, neck=0.085)
    top = torso.top
    behind(canvas, torso, 0.04, garment.trim)
    sleeves(
        canvas,
        torso,
        garment.trim if garment.detail > 0.75 else garment.fabric,
        length=0.44 + 0.05 * garment.sleeve,
        angle=1.12,
        cuff=0.05,
        bulge=0.02,
        rib=garment.trim,
    )
    canvas.fill(torso.body(0.05), garment.fabric, folds=drape(torso, 0.7))
    rib_hem(canvas, torso, garment.trim)
    zip_line = line((0.5, top + 0.05), (0.5, torso.bottom))
    canvas.line(zip_line, seam(garment.fabric.mean, 0.25), 0.018)
    canvas.stitch(zip_line, STEEL, 0.01, 0.008)
    half = torso.neckline(0.05, False)
    collar = np.concatenate([flip(half)[::-1], half])
    canvas.tape(collar, garment.trim.main, 0.038)
    for sign in (-1, 1):
        canvas.line(
            line(torso.at(sign * 0.11, torso.bottom - 0.2), torso.at(sign * 0.075, torso.bottom - 0.1)),
            seam(garment.fabric.mean, 0.22),
            0.012,
        )
