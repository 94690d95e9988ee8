"""Simulated users: what they like in garments that can be seen in a photo.

A user has one to three styles. A style is a point in the space of what a photo shows: two colours (in OKLab), a
favourite pattern, a degree of formality, a silhouette. How much an outfit is worth to a user is

    taste (of the style that it suits best) + compatibility of its items + noise,

each of deviation 1 over random outfits before it is weighted. The noise is a hash of user and items, so that the worth
of every outfit is a fixed fact, posted or not.
"""

from collections.abc import Sequence

import attrs
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from outfitrec.core.outfits import Outfits
from outfitrec.plugins.datasets.garments.fabric import WEAVES
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.wardrobe import CATEGORIES, KINDS, colour, cover

Array = NDArray[np.float64]

HOW_MANY = (0.5, 0.35, 0.15)  # share of users with one, two, three styles
LIGHTNESS = 0.5  # counts half in distances: its range is wider than that of the two others
NEAR = 0.13  # colours nearer than this to a style's suit it well
VIVID = 0.04  # colours of less chroma than this go with any other
# Weights of what a style looks at.
COLOUR, PATTERN, FORMALITY, SHAPE = 1.0, 0.6, 0.35, 0.15
ROWS = 1 << 16  # outfits that are judged at once


@attrs.frozen(eq=False)
class Looks:
    """What the photos show of each item.

    Attributes:
        category: Index of its category, ``[item]``.
        colour: Colour from afar, in OKLab with its lightness halved, ``[item, 3]``.
        weave: Index of its weave in `WEAVES`, ``[item]``.
        loudness: How much its pattern stands out, 0 to 1, ``[item]``.
        formality: 0 to 1, ``[item]``.
        shape: How much it covers and how loose it is, 0 to 1, ``[item, 2]``.
    """

    category: NDArray[np.int64]
    colour: Array
    weave: NDArray[np.int64]
    loudness: Array
    formality: Array
    shape: Array

    @classmethod
    def of(cls, garments: Sequence[Garment]) -> "Looks":
        """The looks of garments."""
        weaves = list(WEAVES)
        return cls(
            category=np.array([KINDS[one.kind].category for one in garments]),
            colour=np.array([one.fabric.mean for one in garments]) * [LIGHTNESS, 1, 1],
            weave=np.array([weaves.index(one.fabric.weave) for one in garments]),
            loudness=np.array([one.fabric.loudness for one in garments]),
            formality=np.array([KINDS[one.kind].formality for one in garments]),
            shape=np.array([(cover(one), one.fit) for one in garments]),
        )


def match(looks: Looks, users: int, rng: Generator) -> Float[Tensor, "user style item"]:
    """How well each item suits each style of new users; mean 0 and deviation 1 in each category.

    Users of fewer styles have their first one several times.
    """
    styles = len(HOW_MANY)
    found = np.empty((users, styles, len(looks.category)))
    for user in range(users):
        own = 1 + rng.choice(styles, p=HOW_MANY)
        found[user] = [_suits(looks, rng) for _ in range(own)] + [np.nan] * 0 if own == styles else 0
    return torch.from_numpy(found)
