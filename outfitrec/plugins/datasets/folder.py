"""One's own data: a folder of photos by category, and a table of who put which of them together."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
import torch

from outfitrec.core.component import component
from outfitrec.core.data import SPLITS, Catalog, Dataset, Rows, Split
from outfitrec.core.errors import DataError, Problem
from outfitrec.core.fields import field
from outfitrec.core.files import digest
from outfitrec.core.splits import resplit
from outfitrec.plugins.datasets.checks import MOST_OF_A_KIND, is_folder
from outfitrec.plugins.datasets.columns import capped, read_columns
from outfitrec.plugins.datasets.outfit_table import REQUIRED, SPLIT, OutfitTable, numbered
from outfitrec.plugins.datasets.photo_tree import PhotoTree
from outfitrec.plugins.datasets.photos import FolderPhotos


@component
class Folder:
    """Photos in a folder a category, and a CSV table with a row for each item of each outfit of each user.

    The columns of the table are user, outfit, item and, if the outfits are split already, split (train, valid or test).
    An item is the path of its photo within the folder of photos; the first folder of that path is its category. Users,
    categories, and the items of a category are numbered in sorted order. Photos that are in no outfit are left out.
    """

    root: str = field(path=True, help="folder of the dataset")
    photos: str = field(default="photos", help="folder of the photos within root, with a folder for each category")
    table: str = field(default="outfits.csv", help="CSV file within root: user, outfit, item, and split if it is given")
    shares: tuple[float, float, float] = field(
        default=(9, 2, 2), above=0, help="where the table has no split: sizes of train, valid and test in proportion"
    )
    split_seed: int = field(default=0, minimum=0, help="where the table has no split: seed of the split")

    def load(self) -> Dataset:
        """Read the table, and find the photos.

        Raises:
            DataError: Something is missing or wrong; all that was found, with file and line.
        """
        root = Path(self.root)
        if not is_folder(root):
            raise DataError(
                f"no such folder: {root}", hint=f"'root' has {self.table} and the folder {self.photos} in it"
            )
        problems: list[Problem] = []
        columns = read_columns(root / self.table, REQUIRED, (SPLIT,), problems)
        tree = PhotoTree(root / self.photos)
        problems += tree.problems
        if columns is None or not columns.lines:
            raise DataError(problems)
        table = OutfitTable.of(columns)
        problems += table.problems()
        # Where a folder could not be read, its photos would all be missing.
        if not tree.problems:
            problems += _wrong_items(table, tree)
        if problems:
            raise DataError(problems)

        categories, category = numbered([item.partition("/")[0] for item in table.items])
        photos = FolderPhotos(tree.folder, table.items)
        catalog = Catalog(table.items, torch.from_numpy(category), tuple(categories), photos)
        outfits = Split(Rows(torch.from_numpy(table.owner), catalog.outfits(torch.from_numpy(table.slots))))
        splits, notes = self._splits(table, outfits)
        without = {name: len(table.users) - len(one.positives.users.unique()) for name, one in splits.items()}
        if without["train"]:
            # Where the table has the split, this was found above.
            hint = "make the first of 'shares' the largest: a user's outfits with a common item are in one split"
            who = "1 user has" if without["train"] == 1 else f"{without['train']:,} users have"
            raise DataError(f"{who} no outfit in train", hint=hint)
        content: dict[str, object] = {"table": columns.digest}
        if table.split is None:
            content |= {"shares": [float(share) for share in self.shares], "seed": self.split_seed}
        notes |= {"users_without_outfits": without, **_repeated(table), **_unordered(catalog, outfits)}
        return Dataset(catalog, len(table.users), splits, digest(content), notes=notes, user_names=table.users)

    def _splits(self, table: OutfitTable, outfits: Split) -> tuple[dict[str, Split], dict[str, object]]:
        """The splits of the table, or new ones, and notes."""
        if table.split is not None:
            part = torch.from_numpy(table.split[table.first])
            return {name: outfits.take((part == k).nonzero().flatten()) for k, name in enumerate(SPLITS)}, {}
        nothing = outfits.take(torch.arange(0))
        undivided = dict(zip(SPLITS, (outfits, nothing, nothing), strict=True))
        try:
            splits, told = resplit(undivided, self.shares, self.split_seed)
        except DataError as error:
            hint = f"say in a column {SPLIT!r} of {self.table} which outfits are train, valid and test"
            raise DataError([attrs.evolve(one, hint=f"{one.hint}: {hint}") for one in error.problems]) from error
        return splits, {"shares": told["shares"]}


def _wrong_items(table: OutfitTable, tree: PhotoTree) -> Iterator[Problem]:
    _, first = np.unique(table.item, return_index=True)
    kinds: dict[str, list[int]] = {}
    for number in sorted((k for k, item in enumerate(table.items) if tree.lacks(item)), key=first.__getitem__):
        kinds.setdefault(tree.complaint(table.items[number]), []).append(number)
    for complaint, numbers in kinds.items():

        def problem(number: int, complaint: str = complaint) -> Problem:
            item = table.items[number]
            return Problem(f"item {item!r} {complaint}", table.columns.where(int(first[number])), tree.hint(item))

        yield from capped(numbers, problem, table.columns.path)


def _repeated(table: OutfitTable) -> dict[str, object]:
    """A note of outfits that a user put together before."""
    again = np.flatnonzero(table.original != np.arange(len(table.original))).tolist()
    lines = [table.line(outfit) for outfit in again[:MOST_OF_A_KIND]]
    return {"repeated_outfits": {"count": len(again), "lines": lines}} if again else {}


def _unordered(catalog: Catalog, outfits: Split) -> dict[str, object]:
    """A note of categories that follow each other in either order, and how many times in the rarer one.

    Random mixes are drawn place by place: where a place has several categories, they can be told by that alone.
    """
    names = catalog.categories
    category = outfits.positives.outfits.category.numpy()
    left, right = category[:, :-1], category[:, 1:]
    left, right = left[right >= 0], right[right >= 0]
    pairs, pair = np.unique(np.minimum(left, right) * len(names) + np.maximum(left, right), return_inverse=True)
    rarer = np.minimum(*(np.bincount(pair[way], minlength=len(pairs)) for way in (left < right, left > right)))
    found = [(" and ".join(names[k] for k in divmod(pairs[n], len(names))), int(rarer[n])) for n in rarer.nonzero()[0]]
    return {"in_either_order": dict(sorted(found, key=lambda one: -one[1])[:MOST_OF_A_KIND])} if found else {}
