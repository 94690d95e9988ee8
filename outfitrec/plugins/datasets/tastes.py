"""Simulated users: what they like in garments that can be seen in a photo.

A user has one to three styles. A style is a point in the space of what a photo shows: two colours (in OKLab), a
favourite pattern, a degree of formality, a silhouette. How much an outfit is worth to a user is

    taste (of the style that it suits best) + compatibility of its items + noise,

each of deviation 1 over random outfits before it is weighted. The noise is a hash of user and items, so that the worth
of every outfit is a fixed fact, posted or not.
"""

from collections.abc import Sequence
from itertools import combinations

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
COLOUR, PATTERN, FORMALITY, SHAPE = 1.4, 0.7, 0.35, 0.15
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
    most = len(HOW_MANY)
    found = np.empty((users, most, len(looks.category)))
    for user in range(users):
        own = [_suits(looks, rng) for _ in range(1 + rng.choice(most, p=HOW_MANY))]
        found[user] = own + own[:1] * (most - len(own))
    return torch.from_numpy(found)


def _suits(looks: Looks, rng: Generator) -> Array:
    """How well each item suits a new style, ``[item]``."""
    names = list(WEAVES)
    plain, denim = names.index("plain"), names.index("denim")
    colours = np.array([colour(rng), colour(rng)]) * [LIGHTNESS, 1, 1]
    apart = np.linalg.norm(looks.colour[:, None] - colours, axis=-1).min(1)
    liking = rng.random(len(names))
    liking[plain] += 0.4
    liking[rng.integers(len(names))] += 1
    # A faint pattern is as good as none.
    seen = np.where(looks.weave == denim, 1.0, 2 * looks.loudness.clip(0, 0.5))
    parts = (
        (COLOUR, np.exp(-((apart / NEAR) ** 2) / 2)),
        (PATTERN, seen * liking[looks.weave] + (1 - seen) * liking[plain]),
        (FORMALITY, -np.abs(looks.formality - rng.random())),
        (SHAPE, -np.abs(looks.shape - rng.random(2)).sum(1)),
    )
    total = np.zeros(len(looks.category))
    for weight, part in parts:
        total += weight * _standard(part, looks.category)
    return _standard(total, looks.category)


def _standard(values: Array, category: NDArray[np.int64]) -> Array:
    """The values with mean 0 and deviation 1 in each category."""
    result = np.empty_like(values)
    for index in range(len(CATEGORIES)):
        own = values[category == index]
        result[category == index] = (own - own.mean()) / max(own.std(), 1e-9)
    return result


def harmony(looks: Looks, items: Int[Tensor, "row slot"]) -> Float[Tensor, " row"]:
    """How well the items of each outfit go together, whoever wears them (-1: empty slot).

    Mean over pairs of items: hues that are near or opposite are better than those a quarter turn apart (where both
    have one), formality should agree, and two loud patterns clash.
    """
    a, b = looks.colour[:, 1], looks.colour[:, 2]
    chroma = np.hypot(a, b)
    # Vectors whose products in pairs are the cosine of twice the angle between hues.
    doubled = np.stack([a**2 - b**2, 2 * a * b], axis=1) / (chroma * (chroma + VIVID) + 1e-9)[:, None]
    hue, loud, formal = (torch.from_numpy(one) for one in (doubled, looks.loudness, looks.formality))
    total, pairs = torch.zeros(2, len(items), dtype=torch.float64)
    for one, other in combinations(items.T, 2):
        left, right = one.clamp(min=0), other.clamp(min=0)
        agreement = 0.7 * (hue[left] * hue[right]).sum(1) - 4 * (formal[left] - formal[right]) ** 2
        both = (one >= 0) & (other >= 0)
        total += both * (agreement - 1.5 * loud[left] * loud[right])
        pairs += both
    mean: Tensor = total / pairs.clamp(min=1)
    return mean


def chance(users: Int[Tensor, " row"], items: Int[Tensor, "row slot"], seed: int) -> Float[Tensor, " row"]:
    """Noise of mean 0 and deviation 1: a hash of seed, user and set of items."""
    each = torch.where(items >= 0, _hash(items + 1), 0).sum(1)
    drawn = _hash(_hash(each ^ _hash(users + 1)) + seed)
    # The sum of four uniform numbers is near enough to normal.
    parts = torch.stack([(drawn >> shift) & 0xFFFF for shift in (0, 16, 32, 48)]).double()
    return (parts.sum(0) / 65535 - 2) * 3**0.5


def _hash(numbers: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """Splitmix64. Integers wrap; ``>>`` keeps the sign, hence the masks."""
    x = numbers * -7046029254386353131
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * -4658895280553007687
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * -7723592293110705685
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


@attrs.frozen(eq=False)
class Tastes:
    """The ground truth: whom every outfit pleases.

    Attributes:
        looks: What is seen of the items.
        match: How well each item suits each style of each user, ``[user, style, item]``.
        compatibility: Weight of the items' going together, where taste has 1; ``noise`` is that of chance.
        seed: Of the noise.
        taste: Mean and deviation of each user's taste over random outfits, ``[2, user]``.
        together: Mean and deviation of the compatibility of random outfits.
        threshold: What an outfit must be worth to a user to be liked, ``[user]``.
    """

    looks: Looks
    match: Float[Tensor, "user style item"]
    compatibility: float
    noise: float
    seed: int
    taste: Float[Tensor, "2 user"]
    together: tuple[float, float]
    threshold: Float[Tensor, " user"]

    @classmethod
    def fit(
        cls,
        looks: Looks,
        match: Float[Tensor, "user style item"],
        sample: Int[Tensor, "row slot"],
        *,
        liked: float,
        compatibility: float,
        noise: float,
        seed: int,
    ) -> "Tastes":
        """Tastes by which each user likes the share ``liked`` of outfits like those of a random sample."""
        users = [torch.full((len(sample),), user) for user in range(len(match))]
        suits = torch.stack([_taste(match, user, sample) for user in users])
        agreement = harmony(looks, sample)
        found = cls(
            looks=looks,
            match=match,
            compatibility=compatibility,
            noise=noise,
            seed=seed,
            taste=torch.stack([suits.mean(1), suits.std(1)]),
            together=(float(agreement.mean()), float(agreement.std())),
            threshold=torch.zeros(len(match), dtype=torch.float64),
        )
        threshold = torch.stack([found.worth(user, sample).quantile(1 - liked) for user in users])
        return attrs.evolve(found, threshold=threshold)

    def worth(self, users: Int[Tensor, " row"], items: Int[Tensor, "row slot"]) -> Float[Tensor, " row"]:
        """What each outfit is worth to each user."""
        pieces = zip(users.split(ROWS), items.split(ROWS), strict=True)
        return torch.cat([self._worth(*piece) for piece in pieces])

    def _worth(self, users: Int[Tensor, " row"], items: Int[Tensor, "row slot"]) -> Float[Tensor, " row"]:
        middle, spread = self.taste[:, users]
        mean, deviation = self.together
        taste = (_taste(self.match, users, items) - middle) / spread
        agreement = (harmony(self.looks, items) - mean) / deviation
        worth: Tensor = taste + self.compatibility * agreement + self.noise * chance(users, items, self.seed)
        return worth

    def liked(self, users: Int[Tensor, " row"], outfits: Outfits) -> Bool[Tensor, " row"]:
        """Whether each user likes each outfit, observed or not."""
        return self.worth(users, outfits.items) > self.threshold[users]


def _taste(
    match: Float[Tensor, "user style item"], users: Int[Tensor, " row"], items: Int[Tensor, "row slot"]
) -> Float[Tensor, " row"]:
    """How well the items suit on average the style that they suit best."""
    styles = torch.arange(match.shape[1])[None, :, None]
    each = match[users[:, None, None], styles, items.clamp(min=0)[:, None, :]] * (items >= 0)[:, None, :]
    return (each.sum(2) / (items >= 0).sum(1, keepdim=True)).amax(1)
