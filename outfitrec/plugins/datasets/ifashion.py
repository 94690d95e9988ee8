"""A folder in the layout of Alibaba iFashion, as released with POG (Chen et al., KDD 2019)."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.data import SPLITS, Dataset, Rows, Split
from outfitrec.core.errors import DataError
from outfitrec.core.fields import field
from outfitrec.core.splits import by_component
from outfitrec.plugins.datasets.checks import Complaints
from outfitrec.plugins.datasets.gathered import content, gather, identities, need_photos, without_photo
from outfitrec.plugins.datasets.pog_files import PogFiles

BLOCK = 1 << 18  # rows that are split at once, in round numbers: a user's stay together


@component
class Ifashion:
    """Outfits of any garments, the users who clicked them, and photos in a folder, named by item.

    A user's outfits are those that she clicked, each once, however often she did; the items that she clicked before
    are not used. Outfits outside the limits are left out, then users with too few of the rest. The outfits are split
    in given shares, so that a user's outfits with a common item are in the same part. Users are numbered as they come
    in ``user_data.txt``. What was left out is counted in the notes.

    Reference:
        Chen et al., POG: Personalized outfit generation for fashion recommendation at Alibaba iFashion, KDD 2019.
    """

    root: str = field(path=True, help="folder of the dataset: outfit_data.txt, user_data.txt and item_data.txt")
    images: str = field(default="images", help="folder of the photos within root: <item_id>.jpg, .png, …")
    fewest: int = field(default=3, minimum=1, help="an outfit of fewer items is left out")
    most: int = field(default=9, minimum=1, help="an outfit of more items is left out")
    fewest_outfits: int = field(
        default=13, minimum=1, help="a user of fewer outfits is left out; 13 are divided 9:2:2 as they are"
    )
    shares: tuple[float, float, float] = field(
        default=(9, 2, 2), above=0, help="sizes of train, valid and test in proportion"
    )
    split_seed: int = field(default=0, minimum=0, help="seed of the split")
    missing_photos: str = field(
        default="error",
        choices=("error", "leave_out"),
        help="an outfit with an item that has no photo is an error, or is left out",
    )

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """The limits leave something between them."""
        if config.fewest > config.most:
            yield "fewest", f"{config.fewest} items are more than 'most' allows, which is {config.most}"

    def __attrs_post_init__(self) -> None:
        if self.fewest > self.most:
            raise ValueError(f"fewest: {self.fewest} items are more than 'most' allows, which is {self.most}")

    def load(self) -> Dataset:
        """Read the three files, line by line, and the names of the photos.

        Raises:
            DataError: Files are missing or wrong, all that was found with file and line; or no user has outfits enough.
        """
        root, complaints = Path(self.root), Complaints()
        files = PogFiles(root, complaints)
        outfits = files.outfits(self.fewest, self.most)
        users, clicked = files.clicks()
        known = files.items(root / self.images)
        complaints.check()

        counts = {"items_again": outfits.again, "users_of_few_outfits": len(np.unique(users))}
        fine = (outfits.size >= self.fewest) & (outfits.size <= self.most)
        counts["clicks_on_outfits_of_other_sizes"] = int((~fine[clicked]).sum())
        if self.missing_photos == "leave_out":
            lacking = fine & without_photo(outfits.items, known)
            counts["clicks_on_outfits_without_photos"] = int(lacking[clicked].sum())
            fine &= ~lacking
        users, clicked = users[fine[clicked]], clicked[fine[clicked]]
        # Outfits of the same items are one, whatever their ids.
        _, first, same = np.unique(identities(outfits.items), return_index=True, return_inverse=True)
        pairs = np.unique(users * len(first) + same[clicked])
        counts["clicks_again"] = len(users) - len(pairs)
        users, clicked = pairs // len(first), first[pairs % len(first)]
        posted = np.bincount(users, minlength=1)
        enough = posted[users] >= self.fewest_outfits
        if not enough.any():
            raise DataError(
                f"no user has {self.fewest_outfits} outfits of {self.fewest} to {self.most} items; the most that a "
                f"user has is {posted.max()}",
                where=self.root,
                hint="the key 'fewest_outfits' says how many it takes",
            )
        users, clicked = users[enough], clicked[enough]
        need_photos(outfits.items[np.unique(clicked)], known, complaints)
        complaints.check()
        catalog, rows = gather(users, clicked, outfits.items, known)
        kept = len(np.unique(users))
        counts["users_of_few_outfits"] -= kept
        part = self._parts(rows)
        splits = {name: Split(rows[part == k]) for k, name in enumerate(SPLITS)}
        empty = [name for name, split in splits.items() if not len(split)]
        if empty:
            raise DataError(
                f"the split leaves no outfit for {' and '.join(empty)}",
                where=self.root,
                hint="outfits of a user with a common item stay together; too few users have any that do not",
            )
        notes = {
            "left_out": counts,
            "shares": {name: len(split) / len(rows) for name, split in splits.items()},
            "users_without_outfits": {name: kept - len(one.positives.users.unique()) for name, one in splits.items()},
        }
        return Dataset(catalog, kept, splits, content(catalog, splits), notes=notes)

    def _parts(self, rows: Rows) -> Int[Tensor, " row"]:
        """Split of each row, an index into `SPLITS`. Some users at a time: all together take a kilobyte a row."""
        starts = np.flatnonzero(np.diff(rows.users.numpy(), prepend=-1))
        cuts = starts[np.unique(np.searchsorted(starts, np.arange(0, starts[-1] + 1, BLOCK)))]
        blocks = pairwise([*cuts.tolist(), len(rows)])
        return torch.cat([by_component(rows[start:end], self.shares, self.split_seed) for start, end in blocks])
