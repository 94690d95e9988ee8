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

STYLES = 3  # styles of a user, at most
_HOW_MANY = (0.5, 0.35, 0.15)  # share of users with one, two, three styles
_LIGHTNESS = 0.5  # lightness counts half: its range is wider than that of the other two
_NEAR = 0.13  # colours nearer than this to a style's suit it well
_CHROMA = 0.04  # colours of less chroma than this go with any other
# Weights of what a style looks at.
_COLOUR, _PATTERN, _FORMALITY, _SHAPE = 1.0, 0.6, 0.35, 0.15
_ROWS = 1 << 16  # outfits that are judged at once


@attrs.frozen(eq=False)
class Looks:
    """What the photos show of each item.

    Attributes:
        category: Index of its category, ``[item]``.
        colour: Colour from afar, in OKLab with its lightness halved, ``[item, 3]``.
        weave: Index of its weave, ``[item]``.
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
            colour=np.array([one.fabric.mean for one in garments]) * [_LIGHTNESS, 1, 1],
            weave=np.array([weaves.index(one.fabric.weave) for one in garments]),
            loudness=np.array([one.fabric.loudness for one in garments]),
            formality=np.array([KINDS[one.kind].formality for one in garments]),
            shape=np.array([(cover(one), one.fit) for one in garments]),
        )


def match(looks: Looks, users: int, rng: Generator) -> Float[Tensor, "user style item"]:
    """How well each item suits each style of new users; mean 0 and deviation 1 in each category.

    Users of fewer styles have one of them several times.
    """
    plain = np.array([weave == "plain" for weave in WEAVES])
    found = np.empty((users, STYLES, len(looks.category)))
    for user in range(users):
        for style in range(STYLES):
            found[user, style] = _suits(looks, plain, rng)
        for style in range(1 + rng.choice(STYLES, p=_HOW_MANY), STYLES):
            found[user, style] = found[user, 0]
    return torch.from_numpy(found)


def _suits(looks: Looks, plain: NDArray[np.bool_], rng: Generator) -> Array:
    colours = np.array([colour(rng), colour(rng)]) * [_LIGHTNESS, 1, 1]
    apart = np.linalg.norm(looks.colour[:, None] - colours, axis=-1).min(1)
    # A faint pattern is as good as none.
    liking = rng.random(len(WEAVES)) + plain * 0.4
    liking[rng.integers(len(WEAVES))] += 1
    seen = np.where(looks.weave == list(WEAVES).index("denim"), 1.0, looks.loudness.clip(0, 0.5) * 2)
    parts = (
        (_COLOUR, np.exp(-((apart / _NEAR) ** 2) / 2)),
        (_PATTERN, seen * liking[looks.weave] + (1 - seen) * liking[plain.argmax()]),
        (_FORMALITY, -np.abs(looks.formality - rng.random())),
        (_SHAPE, -np.abs(looks.shape - rng.random(2)).sum(1)),
    )
    return _standard(sum(weight * _standard(part, looks.category) for weight, part in parts), looks.category)


def _standard(values: Array, category: NDArray[np.int64]) -> Array:
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
    total = torch.zeros(len(items), dtype=torch.float64)
    pairs = torch.zeros(len(items), dtype=torch.float64)
    chroma = np.hypot(looks.colour[:, 1], looks.colour[:, 2])
    # A vector per item, whose products in pairs are the cosine of twice the angle between the hues.
    double = np.stack(
        [looks.colour[:, 1] ** 2 - looks.colour[:, 2] ** 2, 2 * looks.colour[:, 1] * looks.colour[:, 2]], 1
    )
    hue = torch.from_numpy(double / (chroma * (chroma + _CHROMA) + 1e-9)[:, None])
    loud, formal = torch.from_numpy(looks.loudness), torch.from_numpy(looks.formality)
    width = items.shape[1]
    for left in range(width):
        for right in range(left + 1, width):
            a, b = items[:, left], items[:, right]
            both = ((a >= 0) & (b >= 0)).double()
            a, b = a.clamp(min=0), b.clamp(min=0)
            apart = (formal[a] - formal[b]) ** 2
            worth = 0.7 * (hue[a] * hue[b]).sum(1) - 2.5 * apart - 1.5 * loud[a] * loud[b]
            total += both * worth
            pairs += both
    return total / pairs.clamp(min=1)


def chance(users: Int[Tensor, " row"], items: Int[Tensor, "row slot"], seed: int) -> Float[Tensor, " row"]:
    """Noise of mean 0 and deviation 1, a hash of user and set of items."""
    each = torch.where(items >= 0, _hash(items + 1 + (seed + 1) * 1_000_003), 0)
    drawn = _hash(_hash(users - 7 - seed) ^ each.sum(1))
    # The sum of four uniform numbers of 16 bits each is as good as normal.
    parts = torch.stack([(drawn >> shift) & 0xFFFF for shift in (0, 16, 32, 48)]).double()
    return (parts.sum(0) / 65535 - 2) * 3**0.5


def _hash(numbers: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """Splitmix64's finaliser. Integers wrap; ``>>`` keeps the sign, hence the masks."""
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
        weights: Of compatibility and of noise, where taste has 1.
        seed: Of the noise.
        middle: Mean of each user's taste over random outfits, ``[user]``; ``spread`` is its deviation.
        harmony: Mean and deviation of the compatibility of random outfits.
        threshold: What an outfit must be worth to a user to be liked, ``[user]``.
    """

    looks: Looks
    match: Float[Tensor, "user style item"]
    weights: tuple[float, float]
    seed: int
    middle: Float[Tensor, " user"]
    spread: Float[Tensor, " user"]
    harmony: tuple[float, float]
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
        users = len(match)
        every = torch.arange(users).repeat_interleave(len(sample))
        taste = _taste(match, every, sample.repeat(users, 1)).view(users, -1)
        together = harmony(looks, sample)
        found = cls(
            looks=looks,
            match=match,
            weights=(compatibility, noise),
            seed=seed,
            middle=taste.mean(1),
            spread=taste.std(1),
            harmony=(float(together.mean()), float(together.std())),
            threshold=torch.zeros(users, dtype=torch.float64),
        )
        worth = found.worth(every, sample.repeat(users, 1)).view(users, -1)
        return attrs.evolve(found, threshold=worth.quantile(1 - liked, dim=1))

    def worth(self, users: Int[Tensor, " row"], items: Int[Tensor, "row slot"]) -> Float[Tensor, " row"]:
        """What each outfit is worth to each user."""
        pieces = zip(users.split(_ROWS), items.split(_ROWS), strict=True)
        return torch.cat([self._worth(*piece) for piece in pieces])

    def _worth(self, users: Int[Tensor, " row"], items: Int[Tensor, "row slot"]) -> Float[Tensor, " row"]:
        taste = (_taste(self.match, users, items) - self.middle[users]) / self.spread[users]
        mean, deviation = self.harmony
        together = (harmony(self.looks, items) - mean) / deviation
        return taste + self.weights[0] * together + self.weights[1] * chance(users, items, self.seed)

    def liked(self, users: Int[Tensor, " row"], outfits: Outfits) -> Bool[Tensor, " row"]:
        """Whether each user likes each outfit, observed or not."""
        return self.worth(users, outfits.items) > self.threshold[users]


def _taste(
    match: Float[Tensor, "user style item"], users: Int[Tensor, " row"], items: Int[Tensor, "row slot"]
) -> Float[Tensor, " row"]:
    """The mean over an outfit's items, of the style that it suits best."""
    styles = torch.arange(match.shape[1])[None, :, None]
    each = match[users[:, None, None], styles, items.clamp(min=0)[:, None, :]] * (items >= 0)[:, None, :]
    return (each.sum(2) / (items >= 0).sum(1, keepdim=True)).amax(1)
