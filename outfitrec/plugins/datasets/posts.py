"""Which outfits simulated users post, the splits, and what is stored with them: negatives and questions."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Int
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from outfitrec.core.data import Catalog, Questions, Rows, Split
from outfitrec.core.errors import RecipeError
from outfitrec.plugins.datasets.garments.wardrobe import CATEGORIES
from outfitrec.plugins.datasets.tastes import Tastes

Ints = NDArray[np.int64]

SPLITS = ("train", "valid", "test")
CANDIDATES = 4  # of a fill-in-the-blank question
_FEWEST = 4  # items of a category that a user has in a split, at least
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
        self._optional = [two_tops > 0 and slot == 1 for slot in range(len(self._slots))]
        self._base = len(category) + 1
        self._rng = rng

    def sample(self, count: int) -> Int[Tensor, "row slot"]:
        """Outfits drawn at random from all items."""
        pools = [np.flatnonzero(slot)[None] for slot in self._slots]
        return torch.from_numpy(self._draw(pools, count)[0])

    def splits(
        self, catalog: Catalog, tastes: Tastes, numbers: Mapping[str, int], negatives: int
    ) -> Mapping[str, Split]:
        """What each user posts: so many outfits a split that the user likes, of items of that user and split alone.

        Raises:
            RecipeError: There are not enough items.
        """
        users = len(tastes.threshold)
        pools = self._pools(users, [numbers[name] for name in SPLITS])
        found = {}
        for name, own in zip(SPLITS, pools, strict=True):
            posted = self._post(tastes, own, numbers[name], name)
            owner = np.repeat(np.arange(users), numbers[name])
            items = posted.reshape(-1, len(self._slots))

            def rows(users: Ints, items: Ints) -> Rows:
                return Rows(torch.from_numpy(users), catalog.outfits(torch.from_numpy(items)))

            split = Split(rows(owner, items))
            if name != "train":
                every = np.repeat(owner, negatives)
                stored = {
                    "random": rows(every, self._random(items, len(every))),
                    "hard": rows(every, self._hard(items, every, numbers[name])),
                }
                split = Split(rows(owner, items), stored)
            if name == "test":
                candidates = self._questions(items)
                repeated = np.repeat(owner, CANDIDATES)
                split = Split(split.positives, split.negatives, Questions(torch.from_numpy(owner), rows(repeated, candidates).outfits, CANDIDATES))
            found[name] = split
        return found

    def _pools(self, users: int, numbers: list[int]) -> list[list[Ints]]:
        """For each split and slot, the items of each user, ``[user, item]``: no item in two splits of a user."""
        pools: list[list[Ints]] = [[] for _ in numbers]
        for slot in self._slots:
            items = np.flatnonzero(slot)
            shuffled = items[self._rng.random((users, len(items))).argsort(1)]
            shares = [max(_FEWEST, round(len(items) * number / sum(numbers))) for number in numbers[1:]]
            if len(items) - sum(shares) < _FEWEST:
                raise _too_few("a user's items cannot be divided among the splits")
            starts = np.cumsum([len(items) - sum(shares), *shares])[:-1]
            for pool, part in zip(pools, np.split(shuffled, starts, axis=1), strict=True):
                pool.append(part)
        return pools

    def _draw(self, pools: list[Ints], count: int) -> Ints:
        """Outfits of random items of each user's pools, ``[user, count, slot]``."""
        users = len(pools[0])
        columns = []
        for pool, optional in zip(pools, self._optional, strict=True):
            chosen = np.take_along_axis(pool, self._rng.integers(pool.shape[1], size=(users, count)), 1)
            if optional:
                chosen = np.where(self._rng.random((users, count)) < self._two_tops, chosen, -1)
            columns.append(chosen)
        return np.stack(columns, axis=-1)

    def _post(self, tastes: Tastes, pools: list[Ints], number: int, split: str) -> Ints:
        """The first ``number`` outfits of random ones that each user likes, none twice, ``[user, number, slot]``."""
        users = len(pools[0])
        posted = np.full((users, number, len(pools)), -1)
        have = np.zeros(users, dtype=np.int64)
        for _ in range(_ROUNDS):
            short = np.flatnonzero(have < number)
            if not len(short):
                return posted
            drawn = self._draw([pool[short] for pool in pools], max(64, 24 * number))
            flat = drawn.reshape(-1, len(pools))
            owner = torch.from_numpy(np.repeat(short, drawn.shape[1]))
            worth = tastes.worth(owner, torch.from_numpy(flat))
            good = (worth > tastes.threshold[owner]).numpy().reshape(drawn.shape[:2])
            for row, user in enumerate(short):
                fresh = np.concatenate([posted[user, : have[user]], drawn[row][good[row]]])
                _, first = np.unique(self._key(fresh), return_index=True)
                kept = fresh[np.sort(first)][:number]
                posted[user, : len(kept)], have[user] = kept, len(kept)
        raise _too_few(f"user {short[0]} likes only {have[short[0]]} of the outfits of a {split} split's items")

    def _random(self, positives: Ints, count: int) -> Ints:
        """Outfits of items drawn slot by slot from the positives' items, that are none of the positives."""
        pools = [np.unique(column[column >= 0])[None] for column in positives.T]
        known = self._key(positives)

        def draw(count: int) -> Ints:
            return self._draw(pools, count)[0]

        return _until(draw, lambda found, _: ~np.isin(self._key(found), known), count)

    def _hard(self, positives: Ints, users: Ints, number: int) -> Ints:
        """Other users' positives that are none of the user's own. Each user has ``number`` of them, in order."""
        keys = self._key(positives).reshape(-1, number)
        drawn = self._rng.integers(len(positives) - number, size=len(users))
        raise NotImplementedError

    def _questions(self, positives: Ints) -> Ints:
        raise NotImplementedError

    def _key(self, items: Ints) -> Ints:
        """One number an outfit."""
        powers = self._base ** np.arange(items.shape[-1], dtype=np.int64)
        return ((items + 1) * powers).sum(-1)


def _too_few(what: str) -> RecipeError:
    return RecipeError(f"the synthetic dataset is too small: {what}", hint="raise 'items' or 'liked', or lower 'train', 'valid' and 'test'")
