"""The folders of the IQON3000 release: one for each outfit, with its JSON and the photos of its items."""

import json
import os
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from outfitrec.core.errors import listed
from outfitrec.plugins.datasets.checks import Complaints, is_name, is_text
from outfitrec.plugins.datasets.gathered import Items

CATEGORY = "category x color"
LAYOUT = "the folder of an outfit has one JSON, and <itemId>_s.jpg, <itemId>_m.jpg and <itemId>_l.jpg of each item"


class IqonTree:
    """Reads outfit after outfit, and numbers users, items and categories as they come.

    Attributes:
        root: The folder of the release.
        repeated: Number of items that were named again in their outfit.
    """

    def __init__(self, root: Path, size: str, groups: Mapping[str, str] | None, complaints: Complaints) -> None:
        self.root = root
        self.repeated = 0
        self._end = f"_{size}.jpg"
        self._groups = groups
        self._complaints = complaints
        self._ungrouped: dict[str, str] = {}  # categories without a group, and where they are first
        self._labels: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._category = array("q")
        self._photos: list[str] = []
        self._missing = bytearray()

    def users(self) -> dict[str, list[str]]:
        """The folders of each user's outfits within the root, users and outfits in the order of their names."""
        return {user: [f"{user}/{outfit}" for outfit in _folders(self.root / user)] for user in _folders(self.root)}

    def outfit(self, folder: str) -> list[int]:
        """The distinct items of an outfit, in the order of its JSON, without those that something is wrong with."""
        with os.scandir(self.root / folder) as entries:
            files = [entry.name for entry in entries]
        documents = [name for name in files if name.endswith(".json")]
        if len(documents) != 1:
            self._note("documents", f"{len(documents)} JSON files, expected 1", folder, LAYOUT)
            return []
        photos = {name for name in files if name.endswith(self._end)}
        place = f"{folder}/{documents[0]}"
        found = []
        for index, item in enumerate(self._items(place)):
            read = self._item(item, f"items[{index}]", place)
            if read:
                number = self._number(*read, place)
                photo = f"{read[0]}{self._end}"
                if self._missing[number] and photo in photos:
                    self._missing[number] = False
                    self._photos[number] = f"{folder}/{photo}"
                found.append(number)
        distinct = list(dict.fromkeys(found))
        self.repeated += len(found) - len(distinct)
        return distinct

    def kinds(self, items: list[int]) -> int:
        """The number of different categories of these items."""
        return len({self._category[item] for item in items})

    def items(self) -> Items:
        """All items so far; categories are in the order of the groups, or else in that of their names."""
        if self._ungrouped:
            names = listed([repr(label) for label in self._ungrouped], most=100)
            hint = "the key 'categories' needs a group for each category of the items; without the key, none has one"
            self._note("groups", f"not among 'categories': {names}", next(iter(self._ungrouped.values())), hint)
        labels = list(self._labels)
        order = list(dict.fromkeys(self._groups.values())) if self._groups is not None else sorted(labels)
        place = {label: index for index, label in enumerate(order)}
        rank = np.array([place[label] for label in labels], np.int64)
        missing = np.frombuffer(bytes(self._missing), np.bool_)
        return Items(
            list(self._numbers), rank[np.array(self._category, np.int64)], order, self._photos, missing, self.root
        )

    def _items(self, place: str) -> list[Any]:
        try:
            items = json.loads((self.root / place).read_bytes())["items"]
        except json.JSONDecodeError as error:
            self._note("form", f"not JSON: {error.msg}", f"{place}:{error.lineno}:{error.colno}")
        except UnicodeDecodeError as error:
            self._note("form", f"not text in UTF-8, at byte {error.start}", place)
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits, lists in lists in lists
            self._note("form", f"not an outfit: {error}", place)
        except OSError as error:
            self._note("form", f"cannot be read: {error.strerror}", place)
        except (KeyError, TypeError):
            self._note("form", "has no 'items'", place)
        else:
            if isinstance(items, list) and items:
                return items
            self._note("form", "'items' is not a list of one item or more", place)
        return []

    def _item(self, item: Any, which: str, place: str) -> tuple[str, str] | None:
        """Name and category of an item, or None where one is wrong."""
        fields = item if isinstance(item, dict) else {}
        lacking = [repr(key) for key in ("itemId", CATEGORY) if key not in fields]
        if lacking:
            self._note("keys", f"{which} has no {' and no '.join(lacking)}", place)
            return None
        given, text = fields["itemId"], fields[CATEGORY]
        name = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
        category = text.partition("×")[0].strip() if isinstance(text, str) else ""
        if not is_name(name):
            self._note("names", f"{which}: itemId {given!r} cannot be part of a photo's name", place)
            return None
        if not is_text(category):
            self._note("categories", f"{which}: no category before the × of {text!r}", place)
            return None
        if self._groups is None:
            return name, category
        if category not in self._groups:
            self._ungrouped.setdefault(category, place)
            return None
        return name, self._groups[category]

    def _number(self, name: str, category: str, place: str) -> int:
        label = self._labels.setdefault(category, len(self._labels))
        number = self._numbers.setdefault(name, len(self._numbers))
        if number == len(self._category):
            self._category.append(label)
            self._photos.append(f"{place.rpartition('/')[0]}/{name}{self._end}")
            self._missing.append(True)
        elif self._category[number] != label:
            other, home = list(self._labels)[self._category[number]], self._photos[number].rpartition("/")[0]
            self._note("conflicts", f"the item {name} is {category!r} here, and {other!r} in {home}", place)
        return number

    def _note(self, kind: str, message: str, place: str, hint: str = "") -> None:
        self._complaints.note(self.root, kind, message, str(self.root / place), hint)


def _folders(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())
