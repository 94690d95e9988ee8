"""Folders of one's own data, for tests."""

import csv
import errno
import os
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from outfitrec.core.data import SPLITS, Dataset
from outfitrec.core.errors import DataError, Problem
from outfitrec.plugins.datasets.folder import Folder

HEADER = ("user", "outfit", "item", "split")
ITEMS = ["bags/b.PNG", "shoes/1.jpg", "shoes/high/2.jpeg", "tops/1.jpg", "tops/2.webp"]
# Lines 2 to 12 of the table; bob's second outfit begins before his first one ends.
ROWS = [
    ("bob", "x", "tops/1.jpg", "train"),
    ("bob", "x", "shoes/1.jpg", "train"),
    ("ann", "x", "tops/2.webp", "train"),
    ("bob", "y", "tops/2.webp", "valid"),
    ("bob", "x", "bags/b.PNG", "train"),
    ("bob", "y", "shoes/high/2.jpeg", "valid"),
    ("ann", "x", "shoes/1.jpg", "train"),
    ("ann", "z", "tops/1.jpg", "test"),
    ("ann", "z", "tops/2.webp", "test"),
    ("ann", "w", "bags/b.PNG", "train"),
    ("ann", "w", "tops/1.jpg", "train"),
]


def photo(number: int, side: int = 24) -> bytes:
    """A JPEG of noise."""
    file = BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def put(root: Path, *items: str, content: bytes = b"") -> None:
    """Photos of these paths, with the same content."""
    for item in items:
        path = root / "photos" / item
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write(
    root: Path, rows: Iterable[Sequence[object]], header: Sequence[str] = HEADER, table: str = "outfits.csv"
) -> Path:
    """A table as Python's csv module writes it."""
    text = StringIO()
    csv.writer(text).writerows([header, *rows])
    path = root / table
    path.write_bytes(text.getvalue().encode())
    return path


def wardrobe(root: Path, users: Sequence[str] = ("ann", "bob"), each: int = 6) -> Path:
    """Tops, bottoms and shoes with a photo each; outfits of one of each, a third of them in each split."""
    rows = []
    for number in range(each):
        for kind, category in enumerate(("tops", "bottoms", "shoes")):
            put(root, f"{category}/{number}.jpg", content=photo(3 * number + kind))
    for index, user in enumerate(users):
        for number in range(each):
            items = (f"tops/{number}.jpg", f"bottoms/{(number + index) % each}.jpg", f"shoes/{number}.jpg")
            rows += [(user, f"outfit {number}", item, SPLITS[number % 3]) for item in items]
    return write(root, rows)


def lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses to look into a folder, as a system does where permissions lack; the tests may run as one who has all."""

    def refusing(known: Any) -> Any:
        def look(path: Path, *arguments: Any, **options: Any) -> Any:
            if folder in path.parents:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return known(path, *arguments, **options)

        return look

    for name in ("stat", "read_bytes"):
        monkeypatch.setattr(Path, name, refusing(getattr(Path, name)))


def small(root: Path) -> Path:
    """Users ann and bob with five outfits of photos without content."""
    put(root, *ITEMS)
    write(root, ROWS)
    return root


def load(root: Path, **fields: Any) -> Dataset:
    """The data of a folder."""
    return Folder(root=str(root), **fields).load()


def problems(root: Path, **fields: Any) -> list[str]:
    """What loading complains of: the place within the folder, the message and the hint."""
    with pytest.raises(DataError) as caught:
        load(root, **fields)

    def text(one: Problem) -> str:
        where = one.where.removeprefix(str(root)).removeprefix("/")
        return f"{where} {one.message} | {one.hint}".replace(str(root), "ROOT")

    return [text(one) for one in caught.value.problems]
