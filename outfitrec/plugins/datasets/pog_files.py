"""The three text files of the POG release of iFashion, read line by line: they are larger than memory."""

import codecs
import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from outfitrec.plugins.datasets.checks import Complaints, is_name, is_text
from outfitrec.plugins.datasets.gathered import Items, Numbers, padded

OUTFITS, USERS, ITEMS = "outfit_data.txt", "user_data.txt", "item_data.txt"
FIELDS = {
    OUTFITS: "outfit_id,item_id;item_id;…",
    USERS: "user_id,item_id;item_id;…,outfit_id",
    ITEMS: "item_id,cate_id,pic_url,title",
}
LAYOUT = f"a folder of this layout has {', '.join(FIELDS)}, and a folder of photos <item_id>.jpg"
# Ends of photos' names, in any case.
PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tiff")
BUFFER = 1 << 20


@attrs.frozen(eq=False)
class PogOutfits:
    """The outfits of a release.

    Attributes:
        items: Distinct items of each outfit, ``[outfit, slot]``, -1 where a slot is empty.
        size: Number of its items, ``[outfit]``; of an outfit outside the limits the row of ``items`` is empty.
        again: Number of items that were named again in their outfit.
    """

    items: Numbers
    size: Numbers
    again: int


class PogFiles:
    """Reads the files in the order outfits, clicks, items; each needs those before it.

    Memory grows by an entry for each outfit, each user, each item that is in an outfit, and 16 bytes for each click.
    Of a line only what is used is looked at: no history of clicks, no address of a photo and no title.
    """

    def __init__(self, root: Path, complaints: Complaints) -> None:
        self._root = root
        self._complaints = complaints
        self._outfits: dict[bytes, int] = {}
        self._items: dict[bytes, int] = {}
        self._lines = array("q")  # of each item, the first line that names it

    def outfits(self, fewest: int, most: int) -> PogOutfits:
        """The outfits, those with fewer or more items than allowed among them."""
        flat, starts, lines, again = array("q"), array("q", [0]), array("q"), 0
        numbers, outfits = self._items, self._outfits
        for line, fields in self._rows(OUTFITS):
            listed = fields[1].split(b";")
            if not self._ids(OUTFITS, line, fields[0], listed, numbers):
                continue
            met = [numbers.setdefault(item, len(numbers)) for item in dict.fromkeys(listed)]
            self._lines.extend([line] * (len(numbers) - len(self._lines)))
            before = outfits.setdefault(fields[0], len(outfits))
            if before == len(lines):
                again += len(listed) - len(met)
                lines.append(line)
                flat.extend(met)
                starts.append(len(flat))
            elif sorted(flat[starts[before] : starts[before + 1]]) != sorted(met):
                message = f"the outfit {_shown(fields[0])} has other items in line {lines[before]}"
                self._note(OUTFITS, "conflicts", message, line)
        ends = np.array(starts, np.int64)
        size = ends[1:] - ends[:-1]
        inside = (size >= fewest) & (size <= most)
        kept = np.array(flat, np.int64)[inside.repeat(size)]
        return PogOutfits(padded(kept, np.where(inside, size, 0)), size, again)

    def clicks(self) -> tuple[Numbers, Numbers]:
        """User and outfit of each line of clicks. Users are numbered as they come."""
        users, outfits = array("q"), array("q")
        numbers: dict[bytes, int] = {}
        known = self._outfits
        for line, fields in self._rows(USERS):
            outfit = known.get(fields[2], -1)
            if outfit < 0 or not fields[0]:
                # Without outfits, what is wrong with them is told already.
                if known:
                    what = "no user" if not fields[0] else f"the outfit {_shown(fields[2])} is not in {OUTFITS}"
                    self._note(USERS, "references", what, line)
                continue
            users.append(numbers.setdefault(fields[0], len(numbers)))
            outfits.append(outfit)
        return np.array(users, np.int64), np.array(outfits, np.int64)

    def items(self, folder: Path) -> Items:
        """The items that are in outfits, with the photos of a folder. Categories are in the order of their names."""
        category = np.full(len(self._items), -1, np.int64)
        labels: dict[bytes, int] = {}
        known = self._items
        for line, fields in self._rows(ITEMS):
            item = known.get(fields[0], -1)
            if item < 0:
                continue
            label = labels.setdefault(fields[1], len(labels))
            if category[item] < 0:
                category[item] = label
                if not _is_text(fields[1]):
                    self._note(ITEMS, "categories", f"no category: {_shown(fields[1])}", line)
            elif category[item] != label:
                message = f"the item {_shown(fields[0])} is of category {_shown(fields[1])} here, and of another before"
                self._note(ITEMS, "conflicts", message, line)
        names = [name.decode(errors="replace") for name in known]
        # Without a readable list of items, each item would be unknown.
        for item in np.flatnonzero(category < 0).tolist() if labels else ():
            message = f"the item {names[item]} is not in {ITEMS}"
            self._note(OUTFITS, "references", message, self._lines[item])
        order = sorted(labels)
        place = {label: index for index, label in enumerate(order)}
        rank = np.array([place[label] for label in labels] or [0], np.int64)
        photos, missing = self._photos(folder, names)
        return Items(
            names, rank[category], [label.decode(errors="replace") for label in order], photos, missing, folder
        )

    def _photos(self, folder: Path, names: list[str]) -> tuple[list[str], NDArray[np.bool_]]:
        photos = [f"{name}.jpg" for name in names]
        missing = np.ones(len(names), np.bool_)
        known = self._items
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    stem, dot, end = entry.name.rpartition(".")
                    item = known.get(os.fsencode(stem), -1) if f"{dot}{end}".lower() in PHOTOS else -1
                    if item >= 0 and not missing[item]:
                        both = " and ".join(sorted((photos[item], entry.name)))
                        self._complaints.note(folder, "twice", f"two photos of an item: {both}")
                    elif item >= 0:
                        photos[item], missing[item] = entry.name, False
        except OSError as error:
            hint = "the key 'images' names the folder of the photos within the root"
            self._complaints.note(folder, "folder", f"no photos: {error.strerror}", hint=hint)
        return photos, missing

    def _rows(self, file: str) -> Iterator[tuple[int, list[bytes]]]:
        """Number and fields of each line that has as many as it should."""
        path, count = self._root / file, FIELDS[file].count(",") + 1
        # Only the last field of an item, its title, may have commas in it.
        splits = count - 1 if file == ITEMS else -1
        line = 0
        try:
            with path.open("rb", buffering=BUFFER) as lines:
                for line, text in enumerate(lines, 1):
                    if line == 1:
                        text = text.removeprefix(codecs.BOM_UTF8)
                    fields = text.split(b",", splits)
                    if len(fields) == count:
                        fields[-1] = fields[-1].rstrip(b"\r\n")
                        yield line, fields
                    else:
                        found = f"{len(fields)} fields" if text.strip() else "an empty line"
                        self._note(file, "fields", f"{found}, expected {FIELDS[file]}", line)
        except OSError as error:
            what = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
            self._complaints.note(path, "file", what, hint=LAYOUT)
            return
        if not line:
            self._complaints.note(path, "file", f"an empty file, expected lines of {FIELDS[file]}")

    def _ids(self, file: str, line: int, outfit: bytes, items: list[bytes], known: dict[bytes, int]) -> bool:
        """Whether the ids of an outfit can be; those of items that are known already are not looked at again."""
        wrong = [item for item in items if item not in known and not _is_name(item)]
        for item in wrong:
            self._note(file, "ids", f"{_shown(item)} is no id of an item: a photo cannot be named so", line)
        if not _is_text(outfit):
            self._note(file, "ids", f"{_shown(outfit)} is no id of an outfit", line)
        return not wrong and _is_text(outfit)

    def _note(self, file: str, kind: str, message: str, line: int) -> None:
        path = self._root / file
        self._complaints.note(path, kind, message, f"{path}:{line}")


def _is_name(text: bytes) -> bool:
    return is_name(text.decode(errors="replace"))


def _is_text(text: bytes) -> bool:
    return is_text(text.decode(errors="replace"))


def _shown(text: bytes) -> str:
    return repr(text.decode(errors="replace")[:80])
