"""Tops: a body with sleeves, and what makes it a shirt, a hoodie, a blazer."""

import attrs
import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import GOLD, STEEL, WHITE, Lab, lighter, seam
from outfitrec.plugins.datasets.garments.curves import (
    Point,
    Points,
    flip,
    join,
    line,
    oval,
    sides,
    smooth,
    whole,
)
from outfitrec.plugins.datasets.garments.fabric import Fabric, solid
from outfitrec.plugins.datasets.garments.garment import Garment

MIDDLE = 0.5


@attrs.frozen
class Torso:
    """Measures of a body; widths are from the middle line, heights from above."""

    top: float
    neck: float
    shoulder: float
    chest: float
    waist: float
    hem: float
    bottom: float

    @classmethod
    def of(cls, garment: Garment, *, flare: float = 0.0, shorter: float = 0.0, neck: float = 0.085) -> "Torso":
        """The measures of a garment."""
        chest = 0.172 + 0.045 * garment.fit
        return cls(
            top=0.12,
            neck=neck,
            shoulder=0.165 + 0.025 * garment.fit,
            chest=chest,
            waist=chest - 0.025 * (1 - garment.fit),
            hem=chest + (0.005 + flare) * garment.flare,
            bottom=0.7 + 0.18 * garment.length - shorter,
        )

    def at(self, width: float, height: float) -> Point:
        """A point by its distance from the middle line and its height."""
        return (MIDDLE + width, height)

    @property
    def tip(self) -> Point:
        """Where shoulder and sleeve meet."""
        return self.at(self.shoulder, self.top + 0.045)

    @property
    def arm(self) -> Point:
        """Where side and sleeve meet."""
        return self.at(self.chest, self.top + 0.23)

    def side(self) -> Points:
        """From the arm to the hem."""
        middle = (self.top + 0.23 + self.bottom) / 2
        return smooth(self.arm, self.at(self.waist, middle), self.at(self.hem, self.bottom))

    def hem_curve(self, sag: float) -> Points:
        """From the side to the middle of the hem."""
        return smooth(
            self.at(self.hem, self.bottom),
            self.at(self.hem * 0.55, self.bottom + sag * 0.8),
            self.at(0, self.bottom + sag),
        )

    def neckline(self, depth: float, vee: bool) -> Points:
        """From the middle of the neckline to the shoulder."""
        low, high = self.at(0, self.top + depth), self.at(self.neck, self.top)
        if vee:
            return line(low, high)
        return smooth(low, self.at(self.neck * 0.62, self.top + depth * 0.78), high)

    def body(self, depth: float, *, vee: bool = False, sag: float = 0.015) -> Points:
        """The outline."""
        seam_line = smooth(self.tip, self.at(self.shoulder - 0.018, self.top + 0.14), self.arm)
        return whole(join(self.neckline(depth, vee), seam_line, self.side(), self.hem_curve(sag)))

    def inside(self, depth: float) -> Points:
        """The back of the neck, seen through the opening."""
        back = smooth(self.at(0, self.top + 0.028), self.at(self.neck * 0.6, self.top + 0.02), self.at(self.neck, self.top))
        return whole(join(line(self.at(0, self.top + depth + 0.02)), back[::-1][:1], back[::-1]))


def _behind(canvas: Canvas, torso: Torso, depth: float, fabric: Fabric, rise: float = 0.0) -> None:
    neck, top = torso.neck, torso.top
    back = smooth(torso.at(0, top + 0.018 - rise), torso.at(neck * 0.7, top + 0.008 - rise), torso.at(neck, top - rise))
    front = torso.neckline(depth + 0.02, False)
    canvas.fill(whole(join(back, front[::-1])), fabric, dim=0.72, puff=0.01)


def _sleeves(
    canvas: Canvas,
    torso: Torso,
    fabric: Fabric,
    *,
    length: float,
    angle: float,
    cuff: float,
    bulge: float = 0.0,
    rib: Fabric | None = None,
    rib_length: float = 0.05,
) -> None:
    """Both sleeves. ``length`` in units, ``angle`` down from the horizontal, ``cuff`` half its width."""
    axis = np.array([np.cos(angle), np.sin(angle)])
    normal = np.array([axis[1], -axis[0]])
    tip, arm = np.array(torso.tip), np.array(torso.arm)
    end = (tip + arm) / 2 + axis * length
    outer = smooth(
        (tip[0] - 0.03, tip[1] - 0.004),
        _pt(tip),
        _pt(tip * 0.55 + (end + normal * cuff) * 0.45 + normal * (0.008 + bulge)),
        _pt(end + normal * cuff),
    )
    inner = smooth(
        _pt(end - normal * cuff),
        _pt(arm * 0.55 + (end - normal * cuff) * 0.45 - normal * bulge),
        _pt(arm),
        (arm[0] - 0.04, arm[1] + 0.01),
    )
    outline = join(outer, inner)
    crease = [
        line(_pt(arm * 0.9 + tip * 0.1), _pt(arm * 0.55 + end * 0.45)),
        line(_pt(arm * 0.75 + end * 0.25), _pt(end * 0.6 + tip * 0.4 + normal * 0.02)),
    ]
    for mirrored in (False, True):
        turn = (angle - np.pi / 2) * (-1 if mirrored else 1)
        pieces = [flip(one) if mirrored else one for one in (outline, *crease)]
        canvas.fill(pieces[0], fabric, turn=turn, puff=0.035, folds=pieces[1:], fold=0.018)
        if rib is not None:
            back = end - axis * rib_length
            band = line(
                _pt(back + normal * cuff * 1.02), _pt(end + normal * cuff), _pt(end - normal * cuff), _pt(back - normal * cuff * 1.02)
            )
            _band(canvas, flip(band) if mirrored else band, rib, 7)


def _pt(point: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Point:
    return (float(point[0]), float(point[1]))


def _band(canvas: Canvas, corners: Points, fabric: Fabric, ribs: int) -> None:
    """A ribbed band between the first and second, and fourth and third corner."""
    canvas.fill(corners, fabric, puff=0.012)
    a, b, c, d = corners
    for share in np.linspace(0, 1, ribs + 2)[1:-1]:
        canvas.line(np.stack([a + (d - a) * share, b + (c - b) * share]), seam(fabric.mean, 0.09), 0.004)


def _rib_hem(canvas: Canvas, torso: Torso, fabric: Fabric, height: float = 0.05) -> None:
    upper, lower = torso.bottom - height, torso.bottom + 0.004
    band = line(
        torso.at(-torso.hem, upper), torso.at(-torso.hem * 0.93, lower), torso.at(torso.hem * 0.93, lower), torso.at(torso.hem, upper)
    )
    _band(canvas, band, fabric, 26)


def _drape(torso: Torso, strength: float = 1.0) -> list[Points]:
    """Folds that a body hangs in."""
    low = torso.bottom
    right = [
        smooth(torso.at(torso.chest - 0.01, torso.top + 0.24), torso.at(0.09, torso.top + 0.3), torso.at(0.06, torso.top + 0.4)),
        smooth(torso.at(torso.waist * 0.7, low - 0.25 * strength), torso.at(torso.waist * 0.62, low - 0.1), torso.at(torso.hem * 0.66, low)),
    ]
    left = [smooth(torso.at(-torso.waist * 0.55, low - 0.3 * strength), torso.at(-torso.waist * 0.5, low - 0.12), torso.at(-torso.hem * 0.45, low))]
    return [*right, flip(right[0]), *left]


def _neckband(canvas: Canvas, torso: Torso, depth: float, colour: Lab, vee: bool, width: float = 0.02) -> None:
    half = torso.neckline(depth, vee)
    curve = np.concatenate([flip(half)[::-1], half])
    canvas.line(curve, seam(colour, 0.2), width + 0.008)
    canvas.line(curve, colour, width)


def tank(canvas: Canvas, garment: Garment) -> None:
    """A sleeveless top with straps."""
    torso = Torso.of(garment, flare=0.03, neck=0.1)
    depth, wide = 0.1 + 0.08 * garment.neck, 0.13 + 0.02 * garment.fit
    neck, top = torso.neck, torso.top - 0.01
    front = smooth(torso.at(0, top + depth), torso.at(neck * 0.72, top + depth * 0.75), torso.at(neck, top))
    hole = smooth(torso.at(wide, top + 0.004), torso.at(wide - 0.008, top + 0.15), torso.arm)
    back = smooth(torso.at(0, top + 0.07), torso.at(neck * 0.72, top + 0.05), torso.at(neck, top))
    canvas.fill(whole(join(back, front[::-1])), garment.fabric, dim=0.7, puff=0.01)
    canvas.fill(whole(join(front, hole, torso.side(), torso.hem_curve(0.015))), garment.fabric, folds=_drape(torso))
    trim = lighter(garment.fabric.main, -0.05)
    for curve in (*sides(front), *sides(hole)):
        canvas.line(curve, seam(trim), 0.018)
        canvas.line(curve, trim, 0.012)
    _hem_stitch(canvas, torso, garment.fabric.mean)


def tee(canvas: Canvas, garment: Garment) -> None:
    """A t-shirt, plain, with a pocket or a print."""
    torso = Torso.of(garment, flare=0.02)
    vee = garment.neck > 0.7
    depth = 0.13 if vee else 0.055 + 0.05 * garment.neck
    _behind(canvas, torso, depth, garment.fabric)
    sleeve = garment.trim if garment.detail > 0.8 else garment.fabric
    _sleeves(canvas, torso, sleeve, length=0.13 + 0.07 * garment.sleeve, angle=0.68, cuff=0.078 + 0.02 * garment.fit)
    canvas.fill(torso.body(depth, vee=vee), garment.fabric, folds=_drape(torso))
    _neckband(canvas, torso, depth, sleeve.main, vee)
    _hem_stitch(canvas, torso, garment.fabric.mean)
    if garment.fabric.weave == "plain" and garment.detail < 0.3:
        _print(canvas, garment)
    elif garment.detail < 0.5:
        _pocket(canvas, garment.fabric, (0.585, 0.34), 0.085)


def _hem_stitch(canvas: Canvas, torso: Torso, colour: Lab) -> None:
    half = torso.hem_curve(0.015) - np.array([0.0, 0.022])
    canvas.line(join(flip(half), half[::-1]), seam(colour, 0.1), 0.004)


def _print(canvas: Canvas, garment: Garment) -> None:
    colour = garment.trim.main
    where, size = (MIDDLE, 0.42), 0.07 + 0.03 * garment.fit
    choice = garment.detail * 10
    if choice < 1:
        canvas.fill(oval(where, size, size), solid(colour), edge=False)
    elif choice < 2:
        for row in range(3):
            y, half = where[1] - 0.045 + 0.045 * row, size * (1.25, 0.85, 1.1)[row]
            canvas.fill(line((0.5 - half, y), (0.5 + half, y), (0.5 + half, y + 0.026), (0.5 - half, y + 0.026)), solid(colour), edge=False)
    else:
        turn = np.linspace(0, 2 * np.pi, 10, endpoint=False) - np.pi / 2
        radius = np.where(np.arange(10) % 2, 0.45, 1.1) * size
        star = np.stack([where[0] + radius * np.cos(turn), where[1] + radius * np.sin(turn)], axis=1)
        canvas.fill(star, solid(colour), edge=False)


def _pocket(canvas: Canvas, fabric: Fabric, corner: Point, width: float, flap: bool = False) -> None:
    x, y = corner
    outline = line((x - width / 2, y), (x + width / 2, y), (x + width / 2, y + width), (x, y + width * 1.2), (x - width / 2, y + width))
    canvas.fill(outline, fabric, puff=0.01)
    edge = y + (0.03 if flap else 0.014)
    canvas.line(line((x - width / 2, edge), (x + width / 2, edge)), seam(fabric.mean), 0.005)


def _collar(canvas: Canvas, torso: Torso, fabric: Fabric, reach: float, drop: float) -> None:
    """A turned-down collar with points."""
    top, neck = torso.top, torso.neck
    band = whole(
        join(
            smooth(torso.at(0, top - 0.03), torso.at(neck * 0.7, top - 0.035), torso.at(neck, top - 0.012)),
            smooth(torso.at(neck * 0.9, top + 0.03), torso.at(0, top + 0.05)),
        )
    )
    canvas.fill(band, fabric, dim=0.74, puff=0.01)
    leaf = join(
        smooth(torso.at(neck * 0.8, top - 0.03), torso.at(neck + 0.012, top - 0.004), torso.at(neck + 0.018, top + 0.018)),
        line(torso.at(reach, top + drop), torso.at(0.004, top + 0.07)),
        smooth(torso.at(0.004, top + 0.07), torso.at(neck * 0.6, top + 0.018), torso.at(neck * 0.8, top - 0.03)),
    )
    for piece in sides(leaf):
        canvas.fill(piece, fabric, puff=0.012)


def _buttons(canvas: Canvas, x: float, low: float, high: float, count: int, colour: Lab, radius: float = 0.0095) -> None:
    for y in np.linspace(low, high, count):
        canvas.dot((x, float(y)), radius, colour)


def polo(canvas: Canvas, garment: Garment) -> None:
    """A polo shirt: a collar, two or three buttons, short sleeves with a rib."""
    torso = Torso.of(garment, flare=0.015)
    _behind(canvas, torso, 0.05, garment.fabric)
    cuff = 0.08 + 0.015 * garment.fit
    _sleeves(
        canvas, torso, garment.fabric, length=0.14 + 0.05 * garment.sleeve, angle=0.72, cuff=cuff, rib=garment.trim, rib_length=0.022
    )
    canvas.fill(torso.body(0.06), garment.fabric, folds=_drape(torso))
    low = torso.top + 0.2 + 0.05 * garment.neck
    canvas.fill(line((0.482, 0.17), (0.518, 0.17), (0.518, low), (0.482, low)), garment.fabric, puff=0.008)
    _buttons(canvas, 0.5, torso.top + 0.09, low - 0.025, 2 + (garment.detail > 0.5), WHITE)
    _collar(canvas, torso, garment.trim, 0.075, 0.1)
    _hem_stitch(canvas, torso, garment.fabric.mean)


def shirt(canvas: Canvas, garment: Garment) -> None:
    """A shirt with a collar, a button placket and cuffs."""
    torso = Torso.of(garment, flare=0.01)
    fabric = garment.fabric
    short = garment.sleeve < 0.2
    if short:
        _sleeves(canvas, torso, fabric, length=0.17, angle=0.75, cuff=0.085)
    else:
        _sleeves(
            canvas, torso, fabric, length=0.42 + 0.08 * garment.sleeve, angle=1.2, cuff=0.045 + 0.012 * garment.fit, rib=fabric, rib_length=0.05
        )
    canvas.fill(torso.body(0.07, sag=0.05), fabric, folds=_drape(torso))
    bottom = torso.bottom + 0.045
    canvas.fill(line((0.48, 0.18), (0.52, 0.18), (0.52, bottom), (0.48, bottom)), fabric, puff=0.006)
    button = GOLD if fabric.weave == "denim" else lighter(WHITE, -0.05)
    _buttons(canvas, 0.5, torso.top + 0.11, torso.bottom - 0.02, 6, button)
    if garment.detail > 0.45:
        _pocket(canvas, fabric, (0.595, 0.33), 0.085, flap=fabric.weave == "denim")
    if garment.detail > 0.75 or fabric.weave == "denim":
        _pocket(canvas, fabric, (0.405, 0.33), 0.085, flap=fabric.weave == "denim")
    _collar(canvas, torso, fabric, 0.085, 0.105)
    if fabric.weave == "denim":
        for curve in sides(line(torso.at(0.02, torso.top + 0.15), torso.at(torso.shoulder - 0.02, torso.top + 0.13))):
            canvas.stitch(curve, GOLD)


def blouse(canvas: Canvas, garment: Garment) -> None:
    """A blouse: full sleeves, a flowing hem, a bow, a ruffle or a deep neckline."""
    torso = Torso.of(garment, flare=0.09, shorter=0.02, neck=0.08)
    depth = 0.1 + 0.1 * garment.neck
    _behind(canvas, torso, depth * 0.8, garment.fabric)
    length = 0.16 + 0.34 * garment.sleeve
    _sleeves(
        canvas, torso, garment.fabric, length=length, angle=0.8 + 0.35 * garment.sleeve, cuff=0.052, bulge=0.035, rib=garment.fabric, rib_length=0.026
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
        _neckband(canvas, torso, depth, fine, True, 0.014)
        _buttons(canvas, 0.5, torso.top + depth + 0.04, low - 0.06, 4, GOLD, 0.008)
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
        loop = smooth((x, y), (x + 0.05, y - 0.04), (x + 0.095, y - 0.02), (x + 0.085, y + 0.035), (x + 0.04, y + 0.022), (x, y))
        end = line((x, y), (x + 0.035, y + 0.16), (x + 0.07, y + 0.145), (x + 0.012, y))
        for piece in (end, loop):
            canvas.fill(flip(piece) if mirrored else piece, fabric, puff=0.014)
    canvas.fill(oval(where, 0.018, 0.02), fabric, puff=0.01)


def sweater(canvas: Canvas, garment: Garment) -> None:
    """A knitted sweater with ribs, with a round, a vee or a rolled neck."""
    torso = Torso.of(garment, shorter=0.05)
    rib = garment.trim if garment.detail > 0.75 else garment.fabric
    rolled, vee = garment.neck < 0.3, garment.neck > 0.8
    depth = 0.15 if vee else 0.06
    if not rolled:
        _behind(canvas, torso, depth, garment.fabric)
    _sleeves(
        canvas, torso, garment.fabric, length=0.42 + 0.07 * garment.sleeve, angle=1.15, cuff=0.052 + 0.01 * garment.fit, bulge=0.01, rib=rib
    )
    canvas.fill(torso.body(depth, vee=vee), garment.fabric, folds=_drape(torso))
    if garment.detail < 0.3 and garment.fabric.weave == "plain":
        for x in (-0.08, 0.0, 0.08):
            y = np.linspace(torso.top + 0.13 + 0.3 * abs(x), torso.bottom - 0.06, 40)
            for phase in (0, np.pi):
                canvas.line(np.stack([MIDDLE + x + 0.014 * np.sin(y * 75 + phase), y], axis=1), seam(garment.fabric.main, 0.09), 0.008)
    _rib_hem(canvas, torso, rib)
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
        _neckband(canvas, torso, depth, lighter(rib.main, -0.02), vee, 0.026)


def hoodie(canvas: Canvas, garment: Garment) -> None:
    """A hooded sweatshirt with a pouch pocket and cords."""
    torso = Torso.of(garment, shorter=0.03, neck=0.075)
    fabric, top = garment.fabric, torso.top
    _sleeves(canvas, torso, fabric, length=0.43 + 0.06 * garment.sleeve, angle=1.17, cuff=0.05, bulge=0.012, rib=garment.trim)
    canvas.fill(torso.body(0.06), fabric, folds=_drape(torso))
    _rib_hem(canvas, torso, garment.trim)
    low = torso.bottom - 0.055
    pouch = whole(join(line(torso.at(0, low - 0.16), torso.at(0.075, low - 0.16)), smooth(torso.at(0.075, low - 0.16), torso.at(0.1, low - 0.09), torso.at(0.145, low - 0.06)), line(torso.at(0.145, low), torso.at(0, low))))
    canvas.fill(pouch, fabric, puff=0.014)
    hood = whole(
        join(
            smooth(torso.at(0, top - 0.085), torso.at(0.075, top - 0.07), torso.at(0.118, top - 0.01), torso.at(0.125, top + 0.06)),
            smooth(torso.at(0.06, top + 0.12), torso.at(0, top + 0.15)),
        )
    )
    canvas.fill(hood, fabric, puff=0.03)
    opening = whole(smooth(torso.at(0, top - 0.045), torso.at(0.055, top - 0.03), torso.at(0.07, top + 0.02), torso.at(0.04, top + 0.085), torso.at(0, top + 0.13)))
    canvas.fill(opening, garment.trim, dim=0.62, puff=0.03)
    for sign in (-1, 1):
        cord = smooth(torso.at(sign * 0.03, top + 0.1), torso.at(sign * 0.036, top + 0.17), torso.at(sign * 0.03, top + 0.25 + 0.02 * sign))
        canvas.line(cord, seam(WHITE, 0.3), 0.014)
        canvas.line(cord, WHITE, 0.009)


def _open_front(canvas: Canvas, torso: Torso, garment: Garment, depth: float, gap: float) -> None:
    """Body of a jacket: lining behind, then two front pieces that leave a vee open."""
    lining = lighter(garment.trim.main, -0.04)
    canvas.fill(torso.body(0.03), solid(lining), dim=0.8)
    low = torso.bottom
    inner = smooth(torso.at(torso.neck, torso.top), torso.at(0.028, torso.top + depth), torso.at(gap, low + 0.012))
    seam_line = smooth(torso.tip, torso.at(torso.shoulder - 0.018, torso.top + 0.14), torso.arm)
    piece = join(seam_line, torso.side(), line(torso.at(gap, low + 0.012)), inner[::-1])
    folds = _drape(torso)
    canvas.fill(flip(piece), garment.fabric, folds=folds)
    canvas.fill(piece, garment.fabric, folds=folds)


def cardigan(canvas: Canvas, garment: Garment) -> None:
    """A knitted jacket with buttons."""
    torso = Torso.of(garment, flare=0.01, neck=0.08)
    depth = 0.2 + 0.12 * garment.neck
    _sleeves(canvas, torso, garment.fabric, length=0.43 + 0.07 * garment.sleeve, angle=1.15, cuff=0.05, rib=garment.fabric)
    _open_front(canvas, torso, garment, depth, 0.004)
    band = lighter(garment.fabric.main, -0.04)
    front = join(
        smooth(torso.at(torso.neck, torso.top), torso.at(0.024, torso.top + depth), torso.at(0.0, torso.top + depth + 0.06)),
        line(torso.at(0.0, torso.bottom + 0.01)),
    )
    for curve in sides(front):
        canvas.line(curve, seam(band), 0.04)
        canvas.line(curve, band, 0.032)
    _buttons(canvas, 0.5, torso.top + depth + 0.05, torso.bottom - 0.03, 4 + int(3 * garment.length), garment.trim.main, 0.011)
    for x in (0.405, 0.595):
        if garment.detail > 0.4:
            _pocket(canvas, garment.fabric, (x, torso.bottom - 0.16), 0.1)


def blazer(canvas: Canvas, garment: Garment) -> None:
    """A tailored jacket with lapels."""
    torso = Torso.of(garment, flare=0.03, neck=0.075)
    fabric, top = garment.fabric, torso.top
    depth = 0.26 + 0.12 * garment.neck
    _sleeves(canvas, torso, fabric, length=0.46 + 0.06 * garment.sleeve, angle=1.27, cuff=0.048)
    _open_front(canvas, torso, garment, depth, 0.03)
    point = top + 0.15 + 0.04 * garment.detail
    lapel = join(
        smooth(torso.at(torso.neck, top - 0.004), torso.at(torso.neck + 0.03, top + 0.05), torso.at(0.125, point - 0.035)),
        line(torso.at(0.092, point - 0.03), torso.at(0.13, point), torso.at(0.02, top + depth + 0.03)),
        smooth(torso.at(0.02, top + depth + 0.03), torso.at(0.04, top + depth * 0.55), torso.at(torso.neck, top - 0.004)),
    )
    for piece in sides(lapel):
        canvas.fill(piece, fabric, puff=0.014, turn=0.35)
    rows = 2 if garment.detail > 0.7 else 1
    for column in (0.5,) if rows == 1 else (0.455, 0.545):
        _buttons(canvas, column, top + depth + 0.05, top + depth + 0.05 + 0.1 * (garment.length > 0.4), 1 + (garment.length > 0.4), seam(fabric.mean, 0.25), 0.012)
    for x in (0.395, 0.605):
        y = torso.bottom - 0.2
        canvas.fill(line((x - 0.055, y), (x + 0.055, y), (x + 0.055, y + 0.04), (x - 0.055, y + 0.04)), fabric, puff=0.008)


def bomber(canvas: Canvas, garment: Garment) -> None:
    """A short jacket with a zip and ribbed ends."""
    torso = Torso.of(garment, shorter=0.1, neck=0.085)
    top = torso.top
    _behind(canvas, torso, 0.04, garment.trim)
    _sleeves(canvas, torso, garment.trim if garment.detail > 0.75 else garment.fabric, length=0.44 + 0.05 * garment.sleeve, angle=1.12, cuff=0.05, bulge=0.02, rib=garment.trim)
    canvas.fill(torso.body(0.05), garment.fabric, folds=_drape(torso, 0.7))
    _rib_hem(canvas, torso, garment.trim)
    zip_line = line((0.5, top + 0.05), (0.5, torso.bottom))
    canvas.line(zip_line, seam(garment.fabric.mean, 0.25), 0.018)
    canvas.stitch(zip_line, STEEL, 0.01, 0.008)
    half = torso.neckline(0.05, False)
    collar = np.concatenate([flip(half)[::-1], half])
    canvas.line(collar, seam(garment.trim.main), 0.046)
    canvas.line(collar, garment.trim.main, 0.038)
    for sign in (-1, 1):
        canvas.line(line(torso.at(sign * 0.11, torso.bottom - 0.2), torso.at(sign * 0.075, torso.bottom - 0.1)), seam(garment.fabric.mean, 0.22), 0.012)
