"""A small world: everything that the engine fills into components, made in milliseconds."""

from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor

from outfitrec.core.build import most_items
from outfitrec.core.data import Catalog, Dataset, Questions, Rows, Split
from outfitrec.core.files import digest
from outfitrec.core.nearest import by_products, nearest
from outfitrec.core.neighbours import Neighbours
from outfitrec.core.outfits import Outfits
from outfitrec.core.seeds import generator

USERS = 6
CATEGORIES = ("top", "bottom", "shoe")
# Items of each category.
ITEMS = 24
FEATURES = 12
DIM = 16
PIXELS = 64
# Outfits that each user posted, by split.
POSTED = {"train": 12, "valid": 4, "test": 4}


class World:
    """Users, items with features, and outfits of one or two tops, a bottom and a pair of shoes.

    Args:
        pool: Items of each category that outfits are made of: the first so many. The others are in no outfit.
        pixels: Side of the photos.
    """

    def __init__(self, pool: int = ITEMS, pixels: int = PIXELS) -> None:
        self.pool = pool
        self.pixels = pixels

    @cached_property
    def catalog(self) -> Catalog:
        """72 items in three categories, known by features of length 12."""
        count = ITEMS * len(CATEGORIES)
        category = torch.arange(len(CATEGORIES)).repeat_interleave(ITEMS)
        features = torch.randn(count, FEATURES, generator=generator("world", "features"))
        return Catalog([f"item-{number}" for number in range(count)], category, CATEGORIES, features=features)

    @cached_property
    def dataset(self) -> Dataset:
        """20 distinct outfits of each of six users, in three splits, with stored negatives and questions."""
        total = sum(POSTED.values())
        outfits = self._outfits(USERS * total)
        users = torch.arange(USERS).repeat_interleave(total)
        place = torch.arange(USERS * total) % total
        splits, first = {}, 0
        for name, count in POSTED.items():
            rows = (place >= first) & (place < first + count)
            splits[name] = self._split(Rows(users[rows], outfits[rows]), name)
            first += count
        return Dataset(self.catalog, USERS, splits, digest(["outfitrec.testing", self.pool]))

    @cached_property
    def given(self) -> dict[str, Any]:
        """What the engine fills into components, by name."""
        train = self.dataset.splits["train"]
        return {
            "dim": DIM,
            "image_size": self.pixels,
            "users": USERS,
            "categories": CATEGORIES,
            "slots": train.positives.outfits.width,
            "most": most_items(train.positives.outfits, len(CATEGORIES)),
            "teacher_dim": DIM,
            "neighbours": self.neighbours,
            "split": train,
            "catalog": self.catalog,
        }

    @cached_property
    def neighbours(self) -> Neighbours:
        """Similar items, among those of the training split, by their features."""
        catalog, used = self.catalog, self.dataset.splits["train"].positives.outfits.distinct()[0]
        features = cast(Tensor, catalog.features)

        def find(count: int) -> Tensor:
            return nearest(features, catalog.category, used, count, search=by_products)

        return Neighbours(catalog.names, find)

    def images(self, count: int) -> Tensor:
        """Normalised photos, ``[count, 3, pixels, pixels]``."""
        return torch.randn(count, 3, self.pixels, self.pixels, generator=generator("world", "images", count))

    def _outfits(self, count: int) -> Outfits:
        """So many outfits, no two alike: every third one has a second top."""
        draws = generator("world", "outfits")
        first = torch.arange(len(CATEGORIES)) * ITEMS
        # A place in the product of all tops, bottoms and shoes, none twice.
        pool = self.pool
        mixed = torch.randperm(pool**3, generator=draws)[:count]
        items = torch.stack([mixed // pool**2, mixed // pool % pool, mixed % pool], dim=1) + first
        second = torch.where(torch.arange(count) % 3 == 0, (items[:, 0] + 1) % pool, -1)
        return self.catalog.outfits(torch.stack([items[:, 0], second, items[:, 1], items[:, 2]], dim=1))

    def _split(self, posted: Rows, name: str) -> Split:
        draws = generator("world", "wrong", name)
        known = set(map(tuple, posted.outfits.items.tolist()))

        def wrong(ratio: int) -> Tensor:
            items = posted.outfits.items.repeat_interleave(ratio, dim=0)
            # Another pair of shoes each: one with which the outfit was posted by nobody.
            step = torch.randint(1, self.pool, (len(items),), generator=draws)
            while step.any():
                items[:, 3] = 2 * ITEMS + (items[:, 3] - 2 * ITEMS + step) % self.pool
                step = torch.tensor([tuple(row) in known for row in items.tolist()]).long()
            return items

        stored = self.catalog.outfits(wrong(3))
        asked = wrong(4).view(-1, 4, posted.outfits.width)
        asked[:, 0] = posted.outfits.items
        questions = Questions(posted.users, self.catalog.outfits(asked.flatten(0, 1)), 4)
        return Split(posted, {"random": Rows(posted.users.repeat_interleave(3), stored)}, questions)


WORLD = World()
