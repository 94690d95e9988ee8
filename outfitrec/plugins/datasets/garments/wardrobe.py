"""Garments drawn at random: which kinds there are, of which stuff and colours they are made."""

from collections.abc import Callable, Mapping

import attrs
import numpy as np
from numpy.random import Generator
from PIL import Image

from outfitrec.plugins.datasets.garments import boots, heels, layers, shoes, skirts, tops, trousers
from outfitrec.plugins.datasets.garments.canvas import Canvas
from outfitrec.plugins.datasets.garments.colour import Lab, lighter, polar
from outfitrec.plugins.datasets.garments.fabric import Fabric, solid
from outfitrec.plugins.datasets.garments.garment import Garment

CATEGORIES = ("top", "bottom", "shoe")


@attrs.frozen
class Kind:
    """A kind of garment.

    Attributes:
        category: Index in `CATEGORIES`.
        draw: Draws it.
        formality: 0 (gym) to 1 (evening).
        cover: How much of the body it covers, 0 to 1, at its shortest and at its longest.
        weaves: How often it has each weave.
        outer: Whether it is worn over another top.
        knit: Depth of its knitted texture.
    """

    category: int
    draw: Callable[[Canvas, Garment], None]
    formality: float
    cover: tuple[float, float]
    weaves: Mapping[str, float]
    outer: bool = False
    knit: float = 0.0


_LIGHT = {"plain": 4, "stripes": 2, "dots": 1.2, "floral": 1.2, "check": 0.8, "block": 0.8}
_SHIRT = {"plain": 3, "stripes": 2, "check": 2, "denim": 1.2, "dots": 0.8, "floral": 0.8}
_WARM = {"plain": 4, "stripes": 2, "block": 1.5, "check": 0.8}
_COAT = {"plain": 4, "check": 1.5, "stripes": 0.7, "denim": 0.6}
_SKIRT = {"plain": 3, "check": 1.5, "dots": 1.2, "floral": 1.5, "stripes": 1.2, "denim": 0.8, "block": 0.4}
_LEG = {"plain": 4, "check": 1.2, "stripes": 1, "floral": 0.4}
_SHOE = {"plain": 5, "block": 1.6, "check": 0.4, "dots": 0.3, "stripes": 0.3, "floral": 0.4, "denim": 0.4}
_LEATHER = {"plain": 5, "block": 1.5, "floral": 0.3, "check": 0.3}

KINDS: dict[str, Kind] = {
    "tank": Kind(0, tops.tank, 0.1, (0.0, 0.1), _LIGHT),
    "tee": Kind(0, tops.tee, 0.2, (0.3, 0.45), _LIGHT),
    "polo": Kind(0, tops.polo, 0.45, (0.35, 0.45), {"plain": 4, "stripes": 2.5, "block": 1.5}),
    "shirt": Kind(0, tops.shirt, 0.7, (0.5, 0.95), _SHIRT),
    "blouse": Kind(0, tops.blouse, 0.8, (0.35, 0.9), _LIGHT),
    "sweater": Kind(0, layers.sweater, 0.5, (0.9, 1.0), _WARM, knit=0.13),
    "hoodie": Kind(0, layers.hoodie, 0.05, (0.9, 1.0), _WARM),
    "cardigan": Kind(0, layers.cardigan, 0.55, (0.9, 1.0), _WARM, outer=True, knit=0.13),
    "blazer": Kind(0, layers.blazer, 0.95, (0.9, 1.0), _COAT, outer=True),
    "bomber": Kind(0, layers.bomber, 0.25, (0.9, 1.0), {**_COAT, "block": 1, "floral": 0.5}, outer=True),
    "jeans": Kind(1, trousers.jeans, 0.3, (0.8, 1.0), {"denim": 5, "plain": 1.5}),
    "trousers": Kind(1, trousers.trousers, 0.85, (0.8, 1.0), _LEG),
    "joggers": Kind(1, trousers.joggers, 0.05, (0.85, 1.0), {"plain": 5, "block": 0.8, "check": 0.4, "stripes": 0.4}),
    "leggings": Kind(1, trousers.leggings, 0.1, (0.7, 0.95), {"plain": 4, "floral": 1, "dots": 0.7, "stripes": 0.7}),
    "shorts": Kind(1, trousers.shorts, 0.15, (0.15, 0.4), {"plain": 3, "denim": 2, **_LEG}),
    "pencil": Kind(1, skirts.pencil, 0.9, (0.4, 0.65), _SKIRT),
    "flared": Kind(1, skirts.flared, 0.6, (0.2, 0.9), _SKIRT),
    "pleated": Kind(1, skirts.pleated, 0.65, (0.25, 0.7), {"plain": 4, "check": 1.5, "dots": 0.6, "floral": 0.6}),
    "sneaker": Kind(2, shoes.sneaker, 0.1, (0.3, 0.35), _SHOE),
    "high_top": Kind(2, boots.high_top, 0.15, (0.55, 0.7), _SHOE),
    "boot": Kind(2, boots.boot, 0.45, (0.6, 0.75), _LEATHER),
    "knee_boot": Kind(2, boots.knee_boot, 0.6, (0.9, 1.0), {"plain": 6, "floral": 0.3}),
    "loafer": Kind(2, shoes.loafer, 0.7, (0.3, 0.35), _LEATHER),
    "oxford": Kind(2, shoes.oxford, 0.85, (0.35, 0.4), _LEATHER),
    "pump": Kind(2, heels.pump, 0.95, (0.2, 0.25), {**_LEATHER, "dots": 0.5, "check": 0.4}),
    "sandal": Kind(2, heels.sandal, 0.4, (0.05, 0.1), {"plain": 5, "floral": 0.4, "denim": 0.4}),
    "ballet": Kind(2, shoes.ballet, 0.55, (0.2, 0.25), {**_LEATHER, "dots": 0.6, "stripes": 0.5, "check": 0.5}),
}

# How often, lightness, chroma, hue in degrees.
_Range = tuple[float, float]
_FAMILIES: tuple[tuple[float, _Range, _Range, _Range], ...] = (
    (0.14, (0.17, 0.3), (0.0, 0.012), (0, 360)),  # black
    (0.09, (0.45, 0.75), (0.0, 0.012), (0, 360)),  # grey
    (0.13, (0.93, 0.975), (0.0, 0.022), (60, 110)),  # white, cream
    (0.09, (0.26, 0.36), (0.05, 0.1), (252, 272)),  # navy
    (0.08, (0.33, 0.5), (0.05, 0.09), (40, 70)),  # brown
    (0.09, (0.7, 0.86), (0.03, 0.08), (60, 90)),  # beige, camel
    (0.12, (0.82, 0.91), (0.05, 0.09), (0, 360)),  # pastels
    (0.14, (0.52, 0.78), (0.14, 0.24), (0, 360)),  # brights
    (0.08, (0.33, 0.46), (0.09, 0.16), (0, 360)),  # deep tones
    (0.04, (0.45, 0.6), (0.05, 0.09), (105, 135)),  # olive, khaki
)
_CONTRAST = 0.28  # two colours nearer than this do not make a pattern
# Smallest and largest repeat of each weave.
_PERIODS = {"stripes": (0.05, 0.12), "check": (0.08, 0.17), "dots": (0.06, 0.12), "floral": (0.09, 0.16)}
_ANGLES = {"stripes": (0.0, 0.0, 0.0, np.pi / 2, np.pi / 2, 0.7), "check": (0.0, 0.0, 0.0, np.pi / 4)}


def colour(rng: Generator) -> Lab:
    """A colour that clothes have."""
    share = np.array([family[0] for family in _FAMILIES])
    _, *ranges = _FAMILIES[int(rng.choice(len(_FAMILIES), p=share / share.sum()))]
    lightness, chroma, hue = (float(rng.uniform(low, high)) for low, high in ranges)
    return polar(lightness, chroma, hue)


def distance(a: Lab, b: Lab) -> float:
    """How different two colours look."""
    return float(np.linalg.norm(np.subtract(a, b)))


def _contrasting(rng: Generator, *others: Lab) -> Lab:
    for _ in range(40):
        found = colour(rng)
        if min(distance(found, other) for other in others) > _CONTRAST:
            break
    return found


def _fabric(rng: Generator, kind: Kind) -> Fabric:
    names = list(kind.weaves)
    share = np.array([kind.weaves[name] for name in names])
    weave = names[int(rng.choice(len(names), p=share / share.sum()))]
    main = colour(rng)
    if weave == "denim":
        blue = rng.random() < 0.8
        main = polar(rng.uniform(0.3, 0.74), rng.uniform(0.05, 0.085) if blue else 0.006, rng.uniform(248, 264))
    second = lighter(main, 0.13) if weave == "denim" else _contrasting(rng, main)
    accent = _contrasting(rng, main, second)
    low, high = _PERIODS.get(weave, (0.1, 0.1))
    return Fabric(
        weave=weave,
        main=main,
        second=second,
        accent=accent,
        period=float(rng.uniform(low, high)),
        angle=float(rng.choice(_ANGLES.get(weave, (0.0,)))),
        share=float(rng.uniform(0.3, 0.6)),
        seed=int(rng.integers(1 << 30)),
        knit=kind.knit,
    )


def _trim(rng: Generator, kind: Kind, fabric: Fabric) -> Fabric:
    if kind.category == CATEGORIES.index("shoe") and fabric.weave != "block":
        soles = (polar(0.22, 0.005, 60), polar(0.42, 0.06, 55), polar(0.95, 0.005, 90), polar(0.62, 0.08, 62))
        return solid(soles[int(rng.integers(len(soles)))])
    if fabric.weave != "plain" or rng.random() < 0.3:
        return solid(fabric.second)
    return solid(lighter(fabric.main, -0.07 if fabric.main[0] > 0.4 else 0.12))


def kinds(category: int) -> list[str]:
    """The kinds of a category."""
    return [name for name, kind in KINDS.items() if kind.category == category]


def garment(rng: Generator, name: str) -> Garment:
    """A garment of a kind, drawn at random."""
    kind = KINDS[name]
    fabric = _fabric(rng, kind)
    length, fit, flare, sleeve, neck, detail = rng.random(6).tolist()
    return Garment(
        kind=name,
        fabric=fabric,
        trim=_trim(rng, kind, fabric),
        length=length,
        fit=fit,
        flare=flare,
        sleeve=sleeve,
        neck=neck,
        detail=detail,
        tilt=float(rng.normal(0, 0.025)),
    )


def cover(item: Garment) -> float:
    """How much of the body a garment covers, 0 to 1: sleeves, legs, shafts."""
    kind = KINDS[item.kind]
    low, high = kind.cover
    return low + (high - low) * (item.sleeve if kind.category == 0 else item.length)


def photo(item: Garment, pixels: int) -> Image.Image:
    """The picture of a garment on white, a square of so many pixels."""
    canvas = Canvas(pixels, item.tilt)
    KINDS[item.kind].draw(canvas, item)
    return canvas.finish()
