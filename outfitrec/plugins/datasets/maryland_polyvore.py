"""A folder in the layout of the Maryland Polyvore dataset, as released with Bi-LSTM (Han et al., ACM MM 2017)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch

from outfitrec.core.component import component
from outfitrec.core.data import SPLITS, Catalog, Dataset
from outfitrec.core.errors import DataError
from outfitrec.core.fields import field
from outfitrec.core.files import digest
from outfitrec.plugins.datasets.checks import is_folder, is_text
from outfitrec.plugins.datasets.numbered_sets import SetReader, splits_of
from outfitrec.plugins.datasets.photos import FolderPhotos
from outfitrec.plugins.datasets.release_files import ReleaseFiles

CATEGORIES = "category_id.txt"
QUESTIONS = "fill_in_blank_test.json"
LABELLED = "fashion_compatibility_prediction.txt"
LAYOUT = (
    f"the folder has images, {CATEGORIES} and {{train,valid,test}}_no_dup.json; it may have {QUESTIONS} and {LABELLED}"
)
IDENTITY = re.compile(r"[?&]tid=([0-9]+)")


@component
class MarylandPolyvore:
    """Outfits of up to eight items, without users: all are of user 0.

    An item is known by the number after ``tid=`` in the address of its photo, so that one that several outfits have is
    one item; where it is named first, in the order of train, valid and test, its photo and its category are taken from.
    Items stand in the order of the release; one that an outfit names twice is in it once, and noted. Questions and
    labelled outfits are read where there are files of them, and are of the test split; the first answer is right.

    Reference:
        Han et al., Learning fashion compatibility with bidirectional LSTMs, ACM MM 2017.
    """

    root: str = field(path=True, help="folder of the dataset: images, category_id.txt and the JSON files")

    def load(self) -> Dataset:
        """Read the categories, the outfits, the questions and the labelled outfits.

        Raises:
            DataError: Files are missing or wrong; all that was found, with file and place.
        """
        root = Path(self.root)
        if not is_folder(root):
            raise DataError(f"no such folder: {root}", hint=LAYOUT)
        files = ReleaseFiles(root, LAYOUT)
        names = _category_names(files)
        reader, naming = SetReader(files), _Naming(names)
        splits = {name: reader.sets(f"{name}_no_dup.json", naming) for name in SPLITS}
        if files.has(QUESTIONS):
            reader.questions(QUESTIONS, splits["test"], first=True)
        if files.has(LABELLED):
            reader.labelled(LABELLED, splits["test"])
        pictures = [f"{item.set_id}/{item.index}.jpg" for item in reader.items.values()]
        photos = FolderPhotos(files.photos("images"), pictures)
        files.complaints.check()
        # The file names some hundred categories that no item has, such as furniture.
        used = set(naming.categories.values())
        places = {number: place for place, number in enumerate(number for number in names if number in used)}
        category = torch.tensor([places[naming.categories[name]] for name in reader.items])
        catalog = Catalog(list(reader.items), category, tuple(names[number] for number in places), photos)
        notes = {**reader.notes, **({"items_of_several_categories": len(naming.several)} if naming.several else {})}
        return Dataset(catalog, 1, splits_of(splits, catalog), digest({"files": files.digests}), notes=notes)


@attrs.define
class _Naming:
    """Names items, and keeps their categories.

    Attributes:
        names: Name of each category, by its number; empty where these could not be read.
        categories: Category of each item, where it is named first.
        several: Items that have another category elsewhere.
    """

    names: Mapping[int, str]
    categories: dict[str, int] = attrs.field(factory=dict)
    several: set[str] = attrs.field(factory=set)

    def __call__(self, item: Mapping[str, Any]) -> str:
        address, category = item.get("image"), item.get("categoryid")
        found = IDENTITY.search(address) if isinstance(address, str) else None
        if found is None:
            raise ValueError(f"image is {address!r}, expected an address with tid= and a number")
        if type(category) is not int or (self.names and category not in self.names):
            raise ValueError(f"categoryid is {category!r}, which {CATEGORIES} does not have")
        name = found[1]
        if self.categories.setdefault(name, category) != category:
            self.several.add(name)
        return name


def _category_names(files: ReleaseFiles) -> dict[int, str]:
    """Name of each category by its number, in the order of the file."""
    found: dict[int, str] = {}
    lines: dict[object, int] = {}
    for line, text in enumerate(files.lines(CATEGORIES), 1):
        number, _, name = text.strip().partition(" ")
        if not re.fullmatch(r"[0-9]{1,9}", number) or not is_text(name):
            files.note(CATEGORIES, "lines", f"{text[:80]!r}, expected a number, a space and a name", f":{line}")
            continue
        for one in (int(number), name.strip()):
            if lines.setdefault(one, line) != line:
                files.note(CATEGORIES, "again", f"{one!r} is in line {lines[one]} already", f":{line}")
        found.setdefault(int(number), name.strip())
    return found
