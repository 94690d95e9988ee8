"""A folder in the layout of Polyvore Outfits, as released with Type-Aware embeddings (Vasileva et al., ECCV 2018)."""

from pathlib import Path
from typing import Any

import torch

from outfitrec.core.component import component
from outfitrec.core.data import SPLITS, Catalog, Dataset
from outfitrec.core.errors import DataError
from outfitrec.core.fields import field
from outfitrec.core.files import digest
from outfitrec.plugins.datasets.checks import is_folder
from outfitrec.plugins.datasets.numbered_sets import PLAIN, SetReader, splits_of
from outfitrec.plugins.datasets.photos import FolderPhotos
from outfitrec.plugins.datasets.release_files import ReleaseFiles

METADATA = "polyvore_item_metadata.json"
CATEGORIES = (
    "accessories",
    "all-body",
    "bags",
    "bottoms",
    "hats",
    "jewellery",
    "outerwear",
    "scarves",
    "shoes",
    "sunglasses",
    "tops",
)
EXPECTED = f"{', '.join(CATEGORIES[:-1])} or {CATEGORIES[-1]}"
LAYOUT = (
    f"the folder has images, {METADATA}, and nondisjoint and disjoint with {{train,valid,test}}.json in each; "
    "fill_in_blank_test.json and compatibility_{valid,test}.txt may be beside these"
)


@component
class PolyvoreOutfits:
    """Outfits of any number of items, without users: all are of user 0.

    Items are numbered as the outfits of train, valid and test name them; the categories are the 11 semantic ones. An
    item that an outfit names twice is in it once, and noted. Test questions and labelled outfits of valid and test are
    read where there are files of them; of the answers to a question the one of the question's own outfit is right.

    Reference:
        Vasileva et al., Learning type-aware embeddings for fashion compatibility, ECCV 2018.
    """

    root: str = field(path=True, help="folder of the dataset: images, polyvore_item_metadata.json and both versions")
    version: str = field(
        default="nondisjoint",
        choices=("nondisjoint", "disjoint"),
        help="disjoint: no item of the training outfits is in valid or test",
    )

    @staticmethod
    def outline(config: Any) -> dict[str, int]:
        """Two items of each category: the release has a pair of each category with itself."""
        return dict.fromkeys(CATEGORIES, 2)

    def load(self) -> Dataset:
        """Read the outfits, the items' categories, the questions and the labelled outfits.

        Raises:
            DataError: Files are missing or wrong; all that was found, with file and place.
        """
        root = Path(self.root)
        if not is_folder(root):
            raise DataError(f"no such folder: {root}", hint=LAYOUT)
        files = ReleaseFiles(root, LAYOUT)
        reader = SetReader(files)
        splits = {name: reader.sets(f"{self.version}/{name}.json", _name) for name in SPLITS}
        asked = f"{self.version}/fill_in_blank_test.json"
        if files.has(asked):
            reader.questions(asked, splits["test"], first=False)
        # Those of the validation split play no part: it is halved, and selects the epoch by ranking.
        labelled = f"{self.version}/compatibility_test.txt"
        if files.has(labelled):
            reader.labelled(labelled, splits["test"])
        category = _categories(files, reader)
        photos = FolderPhotos(files.photos("images"), [f"{name}.jpg" for name in reader.items])
        files.complaints.check()
        catalog = Catalog(list(reader.items), torch.tensor(category), CATEGORIES, photos)
        content = digest({"files": files.digests, "version": self.version})
        return Dataset(catalog, 1, splits_of(splits, catalog), content, notes=reader.notes)


def _name(item: Any) -> str:
    name = item.get("item_id")
    if not isinstance(name, str) or not PLAIN.fullmatch(name):
        raise ValueError(f"item_id is {name!r}, expected a text of letters and digits")
    return name


def _categories(files: ReleaseFiles, reader: SetReader) -> list[int]:
    """Category index of each item that an outfit has."""
    known = files.values(METADATA)
    places = {name: place for place, name in enumerate(CATEGORIES)}
    found = []
    for name, item in reader.items.items() if known else ():
        about = known.get(name)
        category = about.get("semantic_category") if isinstance(about, dict) else None
        if name not in known:
            files.note(METADATA, "items", f"no item {name!r}, which is {item.where}")
        elif not isinstance(category, str) or category not in places:
            files.note(METADATA, "categories", f"{name!r}: semantic_category is {category!r}, expected {EXPECTED}")
        else:
            found.append(places[category])
    return found
