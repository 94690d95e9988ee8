"""What tops are made of: a body, sleeves, collars, ribs, pockets."""

import attrs
import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import Lab, seam
from outfitrec.plugins.datasets.garments.curves import Point, Points, flip, join, line, sides, smooth, whole
from outfitrec.plugins.datasets.garments.fabric import Fabric
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


def behind(canvas: Canvas, torso: Torso, depth: float, fabric: Fabric) -> None:
    """The back of the neck, seen through the opening."""
    neck, top = torso.neck, torso.top
    back = smooth(torso.at(0, top + 0.018), torso.at(neck * 0.7, top + 0.008), torso.at(neck, top))
    front = torso.neckline(depth + 0.02, False)
    canvas.fill(whole(join(back, front[::-1])), fabric, dim=0.72, puff=0.01)


def sleeves(
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
        tip,
        tip * 0.55 + (end + normal * cuff) * 0.45 + normal * (0.008 + bulge),
        end + normal * cuff,
    )
    inner = smooth(
        end - normal * cuff,
        arm * 0.55 + (end - normal * cuff) * 0.45 - normal * bulge,
        arm,
        (arm[0] - 0.04, arm[1] + 0.01),
    )
    outline = join(outer, inner)
    crease = [
        line(arm * 0.9 + tip * 0.1, arm * 0.55 + end * 0.45),
        line(arm * 0.75 + end * 0.25, end * 0.6 + tip * 0.4 + normal * 0.02),
    ]
    for mirrored in (False, True):
        turn = (angle - np.pi / 2) * (-1 if mirrored else 1)
        pieces = [flip(one) if mirrored else one for one in (outline, *crease)]
        canvas.fill(pieces[0], fabric, turn=turn, puff=0.035, folds=pieces[1:], fold=0.018)
        if rib is not None:
            back = end - axis * rib_length
            band = line(
                back + normal * cuff * 1.02, end + normal * cuff, end - normal * cuff, back - normal * cuff * 1.02
            )
            ribbed(canvas, flip(band) if mirrored else band, rib, 7)


def ribbed(canvas: Canvas, corners: Points, fabric: Fabric, ribs: int) -> None:
    """A ribbed band between the first and second, and fourth and third corner."""
    canvas.fill(corners, fabric, puff=0.012)
    a, b, c, d = corners
    for share in np.linspace(0, 1, ribs + 2)[1:-1]:
        canvas.line(np.stack([a + (d - a) * share, b + (c - b) * share]), seam(fabric.mean, 0.09), 0.004)


def rib_hem(canvas: Canvas, torso: Torso, fabric: Fabric, height: float = 0.05) -> None:
    """A ribbed hem."""
    upper, lower = torso.bottom - height, torso.bottom + 0.004
    band = line(
        torso.at(-torso.hem, upper),
        torso.at(-torso.hem * 0.93, lower),
        torso.at(torso.hem * 0.93, lower),
        torso.at(torso.hem, upper),
    )
    ribbed(canvas, band, fabric, 26)


def drape(torso: Torso, strength: float = 1.0) -> list[Points]:
    """Folds that a body hangs in."""
    low = torso.bottom
    right = [
        smooth(
            torso.at(torso.chest - 0.01, torso.top + 0.24),
            torso.at(0.09, torso.top + 0.3),
            torso.at(0.06, torso.top + 0.4),
        ),
        smooth(
            torso.at(torso.waist * 0.7, low - 0.25 * strength),
            torso.at(torso.waist * 0.62, low - 0.1),
            torso.at(torso.hem * 0.66, low),
        ),
    ]
    left = [
        smooth(
            torso.at(-torso.waist * 0.55, low - 0.3 * strength),
            torso.at(-torso.waist * 0.5, low - 0.12),
            torso.at(-torso.hem * 0.45, low),
        )
    ]
    return [*right, flip(right[0]), *left]


def neckband(canvas: Canvas, torso: Torso, depth: float, colour: Lab, vee: bool, width: float = 0.02) -> None:
    """A band around the neckline."""
    half = torso.neckline(depth, vee)
    curve = np.concatenate([flip(half)[::-1], half])
    canvas.tape(curve, colour, width)


def hem_stitch(canvas: Canvas, torso: Torso, colour: Lab) -> None:
    """The seam along the hem."""
    half = torso.hem_curve(0.015) - np.array([0.0, 0.022])
    canvas.line(join(flip(half), half[::-1]), seam(colour, 0.1), 0.004)


def pocket(canvas: Canvas, fabric: Fabric, corner: Point, width: float, flap: bool = False) -> None:
    """A patch pocket, hanging from ``corner``, the middle of its opening."""
    x, y = corner
    outline = line(
        (x - width / 2, y),
        (x + width / 2, y),
        (x + width / 2, y + width),
        (x, y + width * 1.2),
        (x - width / 2, y + width),
    )
    canvas.fill(outline, fabric, puff=0.01)
    edge = y + (0.03 if flap else 0.014)
    canvas.line(line((x - width / 2, edge), (x + width / 2, edge)), seam(fabric.mean), 0.005)


def collar(canvas: Canvas, torso: Torso, fabric: Fabric, reach: float, drop: float) -> None:
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
        smooth(
            torso.at(neck * 0.8, top - 0.03), torso.at(neck + 0.012, top - 0.004), torso.at(neck + 0.018, top + 0.018)
        ),
        line(torso.at(reach, top + drop), torso.at(0.004, top + 0.07)),
        smooth(torso.at(0.004, top + 0.07), torso.at(neck * 0.6, top + 0.018), torso.at(neck * 0.8, top - 0.03)),
    )
    for piece in sides(leaf):
        canvas.fill(piece, fabric, puff=0.012)


def buttons(canvas: Canvas, x: float, low: float, high: float, count: int, colour: Lab, radius: float = 0.0095) -> None:
    """Buttons one below the other."""
    for y in np.linspace(low, high, count):
        canvas.dot((x, float(y)), radius, colour)
