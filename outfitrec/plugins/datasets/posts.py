"""Which outfits simulated users post, the splits, and what is stored with them: negatives and questions."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from jaxtyping import Int
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from outfitrec.core.data import SPLITS, Catalog, Questions, Rows, Split
from outfitrec.core.errors import DataError
from outfitrec.plugins.datasets.garments.wardrobe import CATEGORIES
from outfitrec.plugins.datasets.tastes import Tastes

Ints = NDArray[np.int64]

CANDIDATES = 4  # of a fill-in-the-blank question
_OUTER = 1  # the slot of the second top, where there is one
_FEWEST = 5  # items of a slot in a split, at least
_DRAWN = 2_000_000  # outfits in memory at once
_ROUNDS = 60  # draws before it is said that there is not enough


class Posts:
    """Draws outfits.

    Args:
        category: Category of each item, ``[item]``.
        outer: Whether a top is worn over another, ``[item]``.
        two_tops: Share of outfits with a second top. Where it is above 0, slots are top, outer top, bottom, shoe, and
            only then is the first top never an outer one.
        rng: Source of everything that is drawn.
    """

    def __init__(self, category: Ints, outer: NDArray[np.bool_], two_tops: float, rng: Generator) -> None:
        top, bottom, shoe = (category == index for index in range(len(CATEGORIES)))
        self._two_tops = two_tops
        # The items of each slot.
        self._slots = [top & ~outer, top & outer, bottom, shoe] if two_tops else [top, bottom, shoe]
        self._base = len(category) + 1
        self._rng = rng

    def sample(self, count: int) -> Int[Tensor, "row slot"]:
        """Outfits drawn at random from all items."""
        return torch.from_numpy(self._draw([np.flatnonzero(slot) for slot in self._slots], (count,)))

    def splits(
        self, catalog: Catalog, tastes: Tastes, numbers: Mapping[str, int], negatives: int
    ) -> Mapping[str, Split]:
        """What each user posts: so many outfits a split that the user likes.

        Each item belongs to one split, whoever posts it: what is tested was never seen in training, and has to be
        judged by its photo.

        Raises:
            DataError: There are not enough items.
        """
        users = len(tastes.threshold)
        pools = self._pools([numbers[name] for name in SPLITS])

        def rows(users: Ints, items: Ints) -> Rows:
            return Rows(torch.from_numpy(users), catalog.outfits(torch.from_numpy(items)))

        found = {}
        for name, own in zip(SPLITS, pools, strict=True):
            likes = partial(self._likes, catalog, tastes)
            items = self._post(likes, own, users, numbers[name], name).reshape(-1, len(self._slots))
            owner = np.repeat(np.arange(users), numbers[name])
            stored, questions = {}, None
            if name != "train":
                every = np.repeat(owner, negatives)
                stored["random"] = rows(every, self._random(items, own, len(every)))
                stored["hard"] = rows(every, self._hard(items, every, numbers[name]))
            if name == "test":
                asked = rows(np.repeat(owner, CANDIDATES), self._questions(items, own))
                questions = Questions(torch.from_numpy(owner), asked.outfits, CANDIDATES)
            found[name] = Split(rows(owner, items), stored, questions)
        return found

    def _pools(self, numbers: list[int]) -> list[list[Ints]]:
        """The items of each split, ``[item]`` for each slot, shared out in proportion to the outfits."""
        pools: list[list[Ints]] = [[] for _ in numbers]
        for slot in self._slots:
            items = self._rng.permutation(np.flatnonzero(slot))
            spare = len(items) - _FEWEST * len(numbers)
            if spare < 0:
                raise _too_few("its items cannot be divided among the splits")
            ends = _FEWEST * np.arange(1, len(numbers)) + spare * np.cumsum(numbers)[:-1] // sum(numbers)
            for pool, part in zip(pools, np.split(items, ends), strict=True):
                pool.append(part)
        return pools

    def _draw(self, pools: list[Ints], size: tuple[int, ...]) -> Ints:
        """Outfits of random items of these pools, ``[*size, slot]``."""
        items = np.stack([self._rng.choice(pool, size) for pool in pools], axis=-1)
        if self._two_tops:
            items[..., _OUTER] = np.where(self._rng.random(size) < self._two_tops, items[..., _OUTER], -1)
        return items

    @staticmethod
    def _likes(catalog: Catalog, tastes: Tastes, users: Ints, items: Ints) -> NDArray[np.bool_]:
        """Whether each user likes each outfit of ``items [user, outfit, slot]``."""
        every = torch.from_numpy(np.repeat(users, items.shape[1]))
        flat = torch.from_numpy(items.reshape(-1, items.shape[2]))
        return tastes.liked(every, catalog.outfits(flat)).numpy().reshape(items.shape[:2])

    def _post(
        self, likes: Callable[[Ints, Ints], NDArray[np.bool_]], pools: list[Ints], users: int, number: int, split: str
    ) -> Ints:
        """The first ``number`` of random outfits that each user likes, none twice, ``[user, number, slot]``."""
        posted = np.full((users, number, len(pools)), -1)
        have = np.zeros(users, dtype=np.int64)
        for _ in range(_ROUNDS):
            short = np.flatnonzero(have < number)
            drawn = self._draw(pools, (len(short), min(24 * number, max(64, _DRAWN // len(short)))))
            liked = likes(short, drawn)
            for row, user in enumerate(short):
                known = np.concatenate([posted[user, : have[user]], drawn[row][liked[row]]])
                _, first = np.unique(self._key(known), return_index=True)
                kept = known[np.sort(first)][:number]
                posted[user, : len(kept)], have[user] = kept, len(kept)
            if (have == number).all():
                return posted
        user = have.argmin()
        raise _too_few(f"user {user} likes only {have[user]} outfits of the items of the {split} split, not {number}")

    def _random(self, positives: Ints, pools: list[Ints], count: int) -> Ints:
        """Outfits of random items of these pools, none of them a positive."""
        known = self._key(positives)
        return _until(
            lambda rows: self._draw(pools, (len(rows),)),
            lambda found, _: ~np.isin(self._key(found), known),
            count,
            "random negatives",
        )

    def _hard(self, positives: Ints, users: Ints, number: int) -> Ints:
        """Other users' positives, none of them the user's own. Each user has ``number`` positives, in order."""
        keys = self._key(positives).reshape(-1, number)

        def draw(rows: Ints) -> Ints:
            drawn = self._rng.integers(len(positives) - number, size=len(rows))
            return positives[drawn + number * (drawn >= users[rows] * number)]

        def good(found: Ints, rows: Ints) -> NDArray[np.bool_]:
            fresh: NDArray[np.bool_] = (keys[users[rows]] != self._key(found)[:, None]).all(1)
            return fresh

        return _until(draw, good, len(users), "hard negatives")

    def _questions(self, positives: Ints, pools: list[Ints]) -> Ints:
        """Candidates of a question a positive: itself, then others that differ from it in one slot."""
        known = self._key(positives)
        filled = np.where(positives >= 0, self._rng.random(positives.shape), -1.0)
        asked = filled.argmax(1)

        def draw(rows: Ints) -> Ints:
            candidates = np.repeat(positives[rows, None], CANDIDATES, axis=1)
            for slot, pool in enumerate(pools):
                here = np.flatnonzero(asked[rows] == slot)
                candidates[here, 1:, slot] = self._rng.choice(pool, size=(len(here), CANDIDATES - 1))
            return candidates

        def good(found: Ints, rows: Ints) -> NDArray[np.bool_]:
            choice = np.sort(np.take_along_axis(found, asked[rows, None, None], axis=2)[..., 0], axis=1)
            posted = np.isin(self._key(found[:, 1:]), known)
            wrong = np.concatenate([posted, np.diff(choice, axis=1) == 0], axis=1)
            right: NDArray[np.bool_] = np.logical_not(wrong).all(1)
            return right

        found = _until(draw, good, len(positives), "fill-in-the-blank questions")
        return found.reshape(-1, positives.shape[1])

    def _key(self, items: Ints) -> Ints:
        """One number an outfit."""
        powers = self._base ** np.arange(items.shape[-1], dtype=np.int64)
        keys: Ints = ((items + 1) * powers).sum(-1)
        return keys


def _until(
    draw: Callable[[Ints], Ints], good: Callable[[Ints, Ints], NDArray[np.bool_]], count: int, what: str
) -> Ints:
    """``count`` rows, each drawn again until it is good."""
    bad = np.arange(count)
    found = draw(bad)
    for _ in range(_ROUNDS):
        bad = bad[~good(found[bad], bad)]
        if not len(bad):
            return found
        found[bad] = draw(bad)
    raise _too_few(f"its items do not suffice for {what}")


def _too_few(what: str) -> DataError:
    return DataError(
        f"the synthetic dataset is too small: {what}",
        hint="raise 'items', 'users' or 'liked', or lower 'train', 'valid' or 'test'",
    )
