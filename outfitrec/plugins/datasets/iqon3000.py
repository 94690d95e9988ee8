"""A folder in the layout of IQON3000 (Song et al., GP-BPR, ACM MM 2019)."""

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator

from outfitrec.core.component import component
from outfitrec.core.data import SPLITS, Dataset, Split
from outfitrec.core.errors import DataError
from outfitrec.core.fields import field
from outfitrec.core.files import digest
from outfitrec.plugins.datasets.checks import Complaints
from outfitrec.plugins.datasets.gathered import (
    Numbers,
    content,
    gather,
    identities,
    need_photos,
    padded,
    without_photo,
)
from outfitrec.plugins.datasets.iqon_tree import IqonTree


@component
class Iqon3000:
    """Outfits of any garments, in a folder for each user and outfit, with a JSON and the items' photos.

    Outfits outside the limits are left out, then users with too few of the rest; of the others as many outfits as
    ``outfits`` says are drawn at random into each split. An outfit that a user has twice counts once. The drawing is
    by outfits alone, as in LPAE: an item may be in outfits of one user in two splits. Users are numbered in the order
    of the names of their folders. What was left out is counted in the notes.

    Reference:
        Song et al., GP-BPR: Personalized compatibility modeling for clothing matching, ACM MM 2019 (the data). The
        limits and numbers by default are those of the processing by the authors of LPAE (Lu et al., Personalized
        outfit recommendation with learnable anchors, CVPR 2021), who count categories of a grouping of their own.
    """

    root: str = field(path=True, help="folder of the dataset: <user>/<setId>/ for each outfit")
    size: str = field(default="m", choices=("s", "m", "l"), help="which photos: <itemId>_s.jpg, _m.jpg or _l.jpg")
    categories: dict[str, str] | None = field(
        default=None, help="category as released (in Japanese) → category in its place, for all; null: as released"
    )
    fewest: int = field(default=3, minimum=1, help="an outfit of fewer items is left out")
    most: int = field(default=8, minimum=1, help="an outfit of more items is left out")
    fewest_categories: int = field(default=3, minimum=1, help="an outfit of fewer different categories is left out")
    fewest_outfits: int = field(default=120, minimum=3, help="a user of fewer outfits is left out")
    outfits: tuple[int, int, int] = field(
        default=(85, 15, 20), minimum=1, help="outfits of each user in train, valid and test"
    )
    split_seed: int = field(default=0, minimum=0, help="seed of the split")
    missing_photos: str = field(
        default="error",
        choices=("error", "leave_out"),
        help="an outfit with an item that has no photo is an error, or is left out",
    )

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """The numbers fit together."""
        return _contradictions(config)

    def __attrs_post_init__(self) -> None:
        for key, message in _contradictions(self):
            raise ValueError(f"{key}: {message}")

    def load(self) -> Dataset:
        """Read the folders of all users who may have outfits enough.

        Raises:
            DataError: Files are missing or wrong, all that was found; or no user has outfits enough.
        """
        complaints = Complaints()
        tree = IqonTree(Path(self.root), self.size, self.categories, complaints)
        try:
            posters = tree.users()
            users, items, counts = self._read(tree, list(posters.values()))
        except OSError as error:
            raise DataError(
                f"cannot be read: {error.strerror}",
                where=str(error.filename),
                hint="'root' is the folder that has a folder for each user, and in it one for each outfit",
            ) from error
        known = tree.items()
        complaints.check()
        if self.missing_photos == "leave_out":
            lacking = without_photo(items, known)
            counts["outfits_without_photos"] = int(lacking.sum())
            users, items = users[~lacking], items[~lacking]
        first = np.sort(np.unique(users * len(users) + identities(items), return_index=True)[1])
        counts["outfits_again"] = len(users) - len(first)
        users, items = users[first], items[first]
        posted = np.bincount(users, minlength=1)
        enough = posted[users] >= self.fewest_outfits
        if not enough.any():
            raise DataError(
                f"no user has {self.fewest_outfits} outfits of {self.fewest} to {self.most} items and "
                f"{self.fewest_categories} categories or more; the most that a user has is {posted.max()}",
                where=self.root,
                hint="the keys 'fewest_outfits' and 'outfits' say how many it takes",
            )
        users, items = users[enough], items[enough]
        part = self._parts(users)
        drawn = part < len(SPLITS)
        counts["outfits_not_drawn"] = int((~drawn).sum())
        users, items, part = users[drawn], items[drawn], part[drawn]
        need_photos(items, known, complaints)
        complaints.check()
        ids = list(posters)
        names = [ids[user] for user in np.unique(users)]
        counts["users_of_few_outfits"] = len(posters) - len(names)
        catalog, rows = gather(users, np.arange(len(items)), items, known)
        splits = {name: Split(rows[torch.from_numpy(part == k)]) for k, name in enumerate(SPLITS)}
        whole = digest([content(catalog, splits), names])
        return Dataset(catalog, len(names), splits, whole, notes={"left_out": counts}, user_names=names)

    def _read(self, tree: IqonTree, folders: list[list[str]]) -> tuple[Numbers, Numbers, dict[str, int]]:
        """User of each outfit, its items ``[outfit, slot]``, and how many were left out for what."""
        users, flat, sizes = array("q"), array("q"), array("q")
        counts = {"outfits_of_other_sizes": 0, "outfits_of_few_categories": 0}
        for user, mine in enumerate(folders):
            # Whoever has too few folders has too few outfits: there is no need to read them.
            for folder in mine if len(mine) >= self.fewest_outfits else ():
                items = tree.outfit(folder)
                if not self.fewest <= len(items) <= self.most:
                    counts["outfits_of_other_sizes"] += 1
                elif tree.kinds(items) < self.fewest_categories:
                    counts["outfits_of_few_categories"] += 1
                else:
                    users.append(user)
                    flat.extend(items)
                    sizes.append(len(items))
        counts["items_again"] = tree.repeated
        lengths = np.array(sizes, np.int64)
        return np.array(users, np.int64), padded(np.array(flat, np.int64), lengths), counts

    def _parts(self, users: Numbers) -> Numbers:
        """Split of each outfit, an index into `SPLITS`; their number for one that is in none."""
        shuffled = torch.randperm(len(users), generator=Generator().manual_seed(self.split_seed)).numpy()
        dealt = shuffled[users[shuffled].argsort(kind="stable")]
        _, start, size = np.unique(users[dealt], return_index=True, return_counts=True)
        part = np.empty(len(users), np.int64)
        rank = np.arange(len(users)) - start.repeat(size)
        part[dealt] = np.searchsorted(np.cumsum(self.outfits), rank, side="right")
        return part


def _contradictions(config: Any) -> Iterator[tuple[str, str]]:
    if config.fewest > config.most:
        yield "fewest", f"{config.fewest} items are more than 'most' allows, which is {config.most}"
    if sum(config.outfits) > config.fewest_outfits:
        yield (
            "outfits",
            f"{sum(config.outfits)} outfits are more than each user has: 'fewest_outfits' is {config.fewest_outfits}",
        )
