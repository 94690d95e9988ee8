"""Light tops: tanks, tees, polos, shirts, blouses."""

import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import GOLD, WHITE, lighter, seam
from outfitrec.plugins.datasets.garments.curves import Point, box, flip, join, line, oval, sides, smooth, whole
from outfitrec.plugins.datasets.garments.fabric import Fabric, solid
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.torso import (
    MIDDLE,
    Torso,
    behind,
    buttons,
    collar,
    drape,
    hem_stitch,
    neckband,
    pocket,
    sleeves,
)


def tank(canvas: Canvas, garment: Garment) -> None:
    """A sleeveless top with straps."""
    torso = Torso.of(garment, flare=0.03, neck=0.1)
    depth, wide = 0.1 + 0.08 * garment.neck, 0.13 + 0.02 * garment.fit
    neck, top = torso.neck, torso.top - 0.01
    front = smooth(torso.at(0, top + depth), torso.at(neck * 0.72, top + depth * 0.75), torso.at(neck, top))
    hole = smooth(torso.at(wide, top + 0.004), torso.at(wide - 0.008, top + 0.15), torso.arm)
    back = smooth(torso.at(0, top + 0.07), torso.at(neck * 0.72, top + 0.05), torso.at(neck, top))
    canvas.fill(whole(join(back, front[::-1])), garment.fabric, dim=0.7, puff=0.01)
    canvas.fill(whole(join(front, hole, torso.side(), torso.hem_curve(0.015))), garment.fabric, folds=drape(torso))
    trim = lighter(garment.fabric.main, -0.05)
    for curve in (*sides(front), *sides(hole)):
        canvas.tape(curve, trim, 0.012)
    hem_stitch(canvas, torso, garment.fabric.mean)


def tee(canvas: Canvas, garment: Garment) -> None:
    """A t-shirt, plain, with a pocket or a print."""
    torso = Torso.of(garment, flare=0.02)
    vee = garment.neck > 0.7
    depth = 0.13 if vee else 0.055 + 0.05 * garment.neck
    behind(canvas, torso, depth, garment.fabric)
    sleeve = garment.trim if garment.detail > 0.8 else garment.fabric
    sleeves(canvas, torso, sleeve, length=0.13 + 0.07 * garment.sleeve, angle=0.68, cuff=0.078 + 0.02 * garment.fit)
    canvas.fill(torso.body(depth, vee=vee), garment.fabric, folds=drape(torso))
    neckband(canvas, torso, depth, sleeve.main, vee)
    hem_stitch(canvas, torso, garment.fabric.mean)
    if garment.fabric.weave == "plain" and garment.detail < 0.3:
        _print(canvas, garment)
    elif garment.detail < 0.5:
        pocket(canvas, garment.fabric, (0.585, 0.34), 0.085)


def _print(canvas: Canvas, garment: Garment) -> None:
    colour = garment.trim.main
    where, size = (MIDDLE, 0.42), 0.07 + 0.03 * garment.fit
    choice = garment.detail * 10
    if choice < 1:
        canvas.fill(oval(where, size, size), solid(colour), edge=False)
    elif choice < 2:
        for row in range(3):
            y, half = where[1] - 0.045 + 0.045 * row, size * (1.25, 0.85, 1.1)[row]
            canvas.fill(
                box(0.5 - half, y, 0.5 + half, y + 0.026),
                solid(colour),
                edge=False,
            )
    else:
        turn = np.linspace(0, 2 * np.pi, 10, endpoint=False) - np.pi / 2
        radius = np.where(np.arange(10) % 2, 0.45, 1.1) * size
        star = np.stack([where[0] + radius * np.cos(turn), where[1] + radius * np.sin(turn)], axis=1)
        canvas.fill(star, solid(colour), edge=False)


def polo(canvas: Canvas, garment: Garment) -> None:
    """A polo shirt: a collar, two or three buttons, short sleeves with a rib."""
    torso = Torso.of(garment, flare=0.015)
    behind(canvas, torso, 0.05, garment.fabric)
    cuff = 0.08 + 0.015 * garment.fit
    sleeves(
        canvas,
        torso,
        garment.fabric,
        length=0.14 + 0.05 * garment.sleeve,
        angle=0.72,
        cuff=cuff,
        rib=garment.trim,
        rib_length=0.022,
    )
    canvas.fill(torso.body(0.06), garment.fabric, folds=drape(torso))
    low = torso.top + 0.2 + 0.05 * garment.neck
    canvas.fill(box(0.482, 0.17, 0.518, low), garment.fabric, puff=0.008)
    buttons(canvas, 0.5, torso.top + 0.09, low - 0.025, 2 + (garment.detail > 0.5), WHITE)
    collar(canvas, torso, garment.trim, 0.075, 0.1)
    hem_stitch(canvas, torso, garment.fabric.mean)


def shirt(canvas: Canvas, garment: Garment) -> None:
    """A shirt with a collar, a button placket and cuffs."""
    torso = Torso.of(garment, flare=0.01)
    fabric = garment.fabric
    short = garment.sleeve < 0.2
    if short:
        sleeves(canvas, torso, fabric, length=0.17, angle=0.75, cuff=0.085)
    else:
        sleeves(
            canvas,
            torso,
            fabric,
            length=0.42 + 0.08 * garment.sleeve,
            angle=1.2,
            cuff=0.045 + 0.012 * garment.fit,
            rib=fabric,
            rib_length=0.05,
        )
    canvas.fill(torso.body(0.07, sag=0.05), fabric, folds=drape(torso))
    bottom = torso.bottom + 0.045
    canvas.fill(box(0.48, 0.18, 0.52, bottom), fabric, puff=0.006)
    button = GOLD if fabric.weave == "denim" else lighter(WHITE, -0.05)
    buttons(canvas, 0.5, torso.top + 0.11, torso.bottom - 0.02, 6, button)
    if garment.detail > 0.45:
        pocket(canvas, fabric, (0.595, 0.33), 0.085, flap=fabric.weave == "denim")
    if garment.detail > 0.75 or fabric.weave == "denim":
        pocket(canvas, fabric, (0.405, 0.33), 0.085, flap=fabric.weave == "denim")
    collar(canvas, torso, fabric, 0.085, 0.105)
    if fabric.weave == "denim":
        for curve in sides(line(torso.at(0.02, torso.top + 0.15), torso.at(torso.shoulder - 0.02, torso.top + 0.13))):
            canvas.stitch(curve, GOLD)


def blouse(canvas: Canvas, garment: Garment) -> None:
    """A blouse: full sleeves, a flowing hem, a bow, a ruffle or a deep neckline."""
    torso = Torso.of(garment, flare=0.09, shorter=0.02, neck=0.08)
    depth = 0.1 + 0.1 * garment.neck
    behind(canvas, torso, depth * 0.8, garment.fabric)
    length = 0.16 + 0.34 * garment.sleeve
    sleeves(
        canvas,
        torso,
        garment.fabric,
        length=length,
        angle=0.8 + 0.35 * garment.sleeve,
        cuff=0.052,
        bulge=0.035,
        rib=garment.fabric,
        rib_length=0.026,
    )
    low = torso.bottom
    hang = [
        smooth(torso.at(x * 0.55, torso.top + 0.3), torso.at(x * 0.75, low - 0.15), torso.at(x, low + 0.01))
        for x in (-0.17, -0.09, -0.02, 0.05, 0.12, 0.19)
    ]
    canvas.fill(torso.body(depth, vee=garment.detail < 0.66), garment.fabric, folds=hang, fold=0.016)
    fine = lighter(garment.fabric.main, 0.03)
    if garment.detail < 0.33:
        _bow(canvas, garment.fabric, (MIDDLE, torso.top + depth))
    elif garment.detail < 0.66:
        neckband(canvas, torso, depth, fine, True, 0.014)
        buttons(canvas, 0.5, torso.top + depth + 0.04, low - 0.06, 4, GOLD, 0.008)
    else:
        for inset in (0.0, 0.03):
            half = torso.neckline(depth + inset, False)
            wave = half + np.stack([np.zeros(len(half)), 0.008 * np.sin(np.arange(len(half)) * 1.6)], axis=1)
            for curve in sides(wave):
                canvas.line(curve, seam(garment.fabric.mean, 0.1), 0.03)
                canvas.line(curve, fine, 0.022)


def _bow(canvas: Canvas, fabric: Fabric, where: Point) -> None:
    x, y = where
    for mirrored in (False, True):
        loop = smooth(
            (x, y), (x + 0.05, y - 0.04), (x + 0.095, y - 0.02), (x + 0.085, y + 0.035), (x + 0.04, y + 0.022), (x, y)
        )
        end = line((x, y), (x + 0.035, y + 0.16), (x + 0.07, y + 0.145), (x + 0.012, y))
        for piece in (end, loop):
            canvas.fill(flip(piece) if mirrored else piece, fabric, puff=0.014)
    canvas.fill(oval(where, 0.018, 0.02), fabric, puff=0.01)
