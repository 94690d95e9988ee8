"""A dataset: catalogue, users, outfits and splits."""

import hashlib

import torch

from outfitrec import Catalog, Dataset, Rows, Split, component, field

CATEGORIES = ("top", "bottom", "shoe")
# Outfits that each user posted, by split.
POSTED = {"train": 16, "valid": 6, "test": 6}


@component
class Mine:
    """Items of random features, and users who like what points in their direction: replace it by your own files.

    `outfitrec.Catalog` takes photos (an object with ``read``, ``where`` and ``stamp``) in place of features. Where data
    are missing or wrong, raise `outfitrec.DataError` with all that was found, each with file and line.

    Reference:
        Nobody yet.
    """

    users: int = field(default=8, minimum=1, help="number of users")
    items: int = field(default=40, minimum=10, help="number of items of each category")
    seed: int = field(default=0, minimum=0, help="of the data")

    def load(self) -> Dataset:
        """Everything but the photos."""
        draws = torch.Generator().manual_seed(self.seed)
        count = self.items * len(CATEGORIES)
        category = torch.arange(len(CATEGORIES)).repeat_interleave(self.items)
        features = torch.randn(count, 12, generator=draws)
        catalog = Catalog([f"item-{number}" for number in range(count)], category, CATEGORIES, features=features)
        tastes = torch.randn(self.users, 12, generator=draws)
        slots = torch.arange(len(CATEGORIES)) * self.items
        offered = torch.randint(self.items, (600, len(CATEGORIES)), generator=draws) + slots
        offered = offered.unique(dim=0)
        liking = tastes @ features[offered].mean(dim=1).T
        total = sum(POSTED.values())
        posted = liking.topk(total, dim=1).indices[:, torch.randperm(total, generator=draws)]
        splits, first = {}, 0
        for name, number in POSTED.items():
            rows = posted[:, first : first + number]
            users = torch.arange(self.users).repeat_interleave(number)
            splits[name] = Split(Rows(users, catalog.outfits(offered[rows.flatten()])))
            first += number
        # What distinguishes these data from all others: of files, a hash of their content.
        digest = hashlib.sha256(f"mine {self.users} {self.items} {self.seed}".encode()).hexdigest()
        return Dataset(catalog, self.users, splits, digest)
