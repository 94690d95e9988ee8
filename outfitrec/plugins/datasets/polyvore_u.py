"""A folder in the layout of Polyvore-U, as released with the Fashion Hashing Network (Lu et al., CVPR 2019)."""

from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch

from outfitrec.core.component import component
from outfitrec.core.data import Catalog, Dataset, Questions, Rows, Split
from outfitrec.core.errors import DataError, listed
from outfitrec.core.fields import field
from outfitrec.core.files import digest
from outfitrec.core.splits import resplit
from outfitrec.plugins.datasets.checks import is_folder
from outfitrec.plugins.datasets.photos import find_photos
from outfitrec.plugins.datasets.tuples import CATEGORIES, Table, TupleFolder

# Name of a split, and of its files; name of stored negatives, and the end of their file.
SPLITS = {"train": "train", "valid": "val", "test": "test"}
NEGATIVES = {"random": "nega", "hard": "nega_hard"}
# Numbers of users whose outfits have one or two tops.
TWO_TOPS = (519, 32)
QUESTIONS = "fill_in_blank_test"


@component
class PolyvoreU:
    """Outfits of top, bottom and shoe, or of one or two tops, bottom and shoe, with the users who posted them.

    The root has a folder ``tuples_{users}`` of image lists and tuple files, and the photos. Items are numbered top by
    top, bottom by bottom, shoe by shoe, in the order of the image lists. Stored negatives are named ``random``
    (``tuples_*_nega``) and ``hard`` (``tuples_*_nega_hard``).
    """

    root: str = field(path=True, help="folder of the dataset")
    users: int = field(minimum=1, help="number of users; their outfits are in the folder tuples_{users}")
    images: str | None = field(
        default=None,
        help="folder or LMDB of the photos within root; by default images/291x291, or images/lmdb where that is absent",
    )
    split: str = field(
        default="released",
        choices=("released", "resplit"),
        help="the released split, or a seeded one that keeps a user's outfits with a common item together",
    )
    shares: tuple[float, float, float] = field(
        default=(9, 2, 2), above=0, help="resplit: sizes of train, valid and test in proportion"
    )
    split_seed: int = field(default=0, minimum=0, help="resplit: seed of the split")

    @staticmethod
    def outline(config: Any) -> dict[str, int]:
        """The most items of each category in an outfit, by what is known of the released data."""
        return {category: 1 + (category == CATEGORIES[0] and config.users in TWO_TOPS) for category in CATEGORIES}

    def load(self) -> Dataset:
        """Read the image lists, all tuple files and the questions.

        Raises:
            DataError: Files are missing or wrong; all that was found, with file and line.
        """
        folder = TupleFolder(self._folder(), self.users)
        names = {category: folder.image_list(category) for category in CATEGORIES}
        positives: dict[str, Table] = {}
        negatives: dict[str, dict[str, Table]] = {}
        for split, file in SPLITS.items():
            posted = positives[split] = folder.outfits(f"tuples_{file}_posi")
            negatives[split] = {
                name: folder.negatives(f"tuples_{file}_{end}", posted)
                for name, end in NEGATIVES.items()
                if folder.has(f"tuples_{file}_{end}")
            }
            if self.split == "released":
                folder.need_users(posted, folder.path / f"tuples_{file}_posi")
        asked = folder.questions(QUESTIONS) if folder.has(QUESTIONS) else None
        catalog = self._catalog(folder, names)
        folder.check()

        slots = [CATEGORIES.index(column) for column in folder.header[1:]]
        first = np.cumsum([0, *map(len, names.values())])[slots]

        def rows(table: Table) -> Rows:
            items = torch.from_numpy(np.where(table[:, 1:] >= 0, table[:, 1:] + first, -1))
            return Rows(torch.from_numpy(table[:, 0].copy()), catalog.outfits(items))

        splits = {
            name: Split(rows(table), {kind: rows(stored) for kind, stored in negatives[name].items()})
            for name, table in positives.items()
        }
        if asked is not None:
            outfits = rows(asked.reshape(-1, asked.shape[2])).outfits
            questions = Questions(torch.from_numpy(asked[:, 0, 0].copy()), outfits, asked.shape[1])
            splits["test"] = attrs.evolve(splits["test"], questions=questions)
        content = {"files": folder.digests, "users": self.users, "split": self.split}
        if self.split == "released":
            return Dataset(catalog, self.users, splits, digest(content))
        folder.need_users(np.concatenate(list(positives.values())), folder.path)
        folder.check()
        splits, notes = resplit(splits, self.shares, self.split_seed)
        content |= {"shares": [float(share) for share in self.shares], "seed": self.split_seed}
        return Dataset(catalog, self.users, splits, digest(content), notes=notes)

    def _folder(self) -> Path:
        root = Path(self.root)
        folder = root / f"tuples_{self.users}"
        if not is_folder(folder):
            others = sorted(path.name for path in root.glob("tuples_*") if path.is_dir())
            raise DataError(
                f"no such folder: {folder}",
                hint=f"{root} has {listed(others)}: 'users' chooses one"
                if others
                else "'root' is the folder that has tuples_{users} and images in it, as Polyvore-U is released",
            )
        return folder

    def _catalog(self, folder: TupleFolder, names: dict[str, list[str]]) -> Catalog:
        files = [name for some in names.values() for name in some]
        category = torch.repeat_interleave(torch.tensor([len(some) for some in names.values()]))
        # A photo may be in several lists; its items are then told apart by their category.
        several = {name for name, count in Counter(files).items() if count > 1}
        unique = [
            f"{name} ({CATEGORIES[index]})" if name in several else name
            for name, index in zip(files, category.tolist(), strict=True)
        ]
        photos = None
        try:
            photos = find_photos(Path(self.root), self.images, files)
        except DataError as error:
            folder.problems.extend(error.problems)
        return Catalog(unique, category, CATEGORIES, photos)
