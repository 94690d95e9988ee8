"""What shoes are made of: soles, heels, straps; they are seen from the side, with the toe to the left."""

from collections.abc import Callable
from functools import wraps

import numpy as np

from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import Lab, lighter
from outfitrec.plugins.datasets.garments.curves import Points, join, line, smooth
from outfitrec.plugins.datasets.garments.fabric import solid
from outfitrec.plugins.datasets.garments.garment import Garment

GROUND = 0.74
INSIDE: Lab = (0.78, 0.012, 0.04)  # bare leather


def pair(draw: Callable[[Canvas, Garment], None]) -> Callable[[Canvas, Garment], None]:
    """Draw the shoe, and behind it the other one of the pair where the garment says so."""

    @wraps(draw)
    def both(canvas: Canvas, garment: Garment) -> None:
        if garment.detail > 0.35:
            canvas.place(0.94, (0.055, -0.115))
            draw(canvas, garment)
            canvas.place(0.94, (-0.05, 0.035))
        draw(canvas, garment)

    return both


def trainer_sole(canvas: Canvas, colour: Lab, accent: Lab, thick: float) -> None:
    """A rubber sole with a line along it."""
    top = GROUND - thick
    outline = join(
        smooth((0.085, top + 0.012), (0.075, GROUND - 0.3 * thick), (0.115, GROUND)),
        smooth((0.5, GROUND + 0.002), (0.85, GROUND), (0.905, GROUND - 0.3 * thick), (0.9, top - 0.01)),
        smooth((0.9, top - 0.01), (0.62, top + 0.012), (0.3, top + 0.016), (0.085, top + 0.012)),
    )
    canvas.fill(outline, solid(colour), puff=0.014)
    canvas.line(smooth((0.09, GROUND - 0.022), (0.5, GROUND - 0.018), (0.9, GROUND - 0.026)), accent, 0.01)


def heeled_sole(canvas: Canvas, colour: Lab, heel: float, thick: float, wide: float) -> None:
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


def instep(heel: float) -> Points:
    """The line on which a foot stands on a heel, from the toe to the back."""
    rear = GROUND - heel
    return smooth(
        (0.1, GROUND - 0.022),
        (0.24, GROUND - 0.014),
        (0.36, GROUND - 0.02 - 0.05 * heel),
        (0.5, GROUND - 0.03 - 0.38 * heel),
        (0.66, rear + 0.06 * heel),
        (0.78, rear - 0.01),
        (0.885, rear - 0.02),
    )


def high_heel(canvas: Canvas, garment: Garment, colour: Lab) -> tuple[Points, float]:
    """Sole and heel of a dress shoe; gives its last and the height of its back."""
    heel = 0.1 + 0.22 * garment.flare
    last, rear = instep(heel), GROUND - heel
    fine = 0.012 + 0.055 * garment.fit
    back = join(
        smooth((0.885, rear - 0.02), (0.888, rear + 0.2 * heel), (0.86, GROUND)),
        smooth((0.86 - fine, GROUND), (0.84 - fine, rear + 0.35 * heel), (0.74, rear + 0.02), (0.72, rear + 0.01)),
    )
    canvas.fill(back, solid(colour), puff=0.014)
    canvas.fill(join(last, last[::-1] + np.array([0.0, 0.022])), solid(lighter(garment.trim.main, -0.08)), puff=0.01)
    return last, rear
