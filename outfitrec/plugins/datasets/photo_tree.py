"""Photos in folders by category, and what is wrong with a photo's name."""

import os
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from outfitrec.core.errors import Problem, nearest

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# Of the names in order, those beside a missing one that are compared with it.
BESIDE = 200
LAYOUT = "the photos of a category are in a folder of its name: photos/tops/1.jpg"


class PhotoTree:
    """The photos below a folder, all found in one go.

    Attributes:
        folder: The folder.
        files: Path of each photo within it, with ``/`` between folders.
        problems: Folders that could not be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.files = frozenset(self._files())

    def lacks(self, item: str) -> bool:
        """Whether this is not the path of a photo in the folder of a category."""
        return item not in self.files or "/" not in item

    def complaint(self, item: str) -> str:
        """What is wrong with a path that it lacks, as the rest of a sentence that begins with the path."""
        if "\\" in item:
            return "has a backslash in it"
        if re.match(r"/|[A-Za-z]:", item):
            return "is an absolute path"
        if any(part in ("", ".", "..") for part in item.split("/")):
            return "has '..', '.' or nothing for a folder"
        if not item.lower().endswith(SUFFIXES):
            return f"is no photo: {', '.join(SUFFIXES)}"
        if item in self.files:
            return "is in no folder of a category"
        return f"is not in {self.folder}"

    def hint(self, item: str) -> str:
        """What to write in its place: the nearest photo, where there is one."""
        plain = "/".join(part for part in item.replace("\\", "/").split("/") if part not in ("", ".", ".."))
        if plain in self.files:
            return LAYOUT if plain == item else f"write the path within {self.folder.name}: {plain!r}"
        for parts in range(1, plain.count("/")):
            within = plain.split("/", parts)[-1]
            if within in self.files:
                return f"write the path within {self.folder.name}: {within!r}"
        alike = self._folded.get(_folded(plain))
        if alike is not None and _composed(alike) == _composed(item):
            return f"the folder has {alike!a}, which looks the same as {item!a}"
        near = alike or self._nearest(plain)
        if near and "/" not in near:  # it would be refused in its turn
            return LAYOUT
        return f"did you mean {near!r}?" if near else ""

    def _nearest(self, item: str) -> str:
        category, slash, rest = item.partition("/")
        guess = (nearest(category, self._categories) or category) + slash + rest
        if guess in self.files:
            return guess
        start = max(bisect_left(self._sorted, guess) - BESIDE // 2, 0)
        return nearest(guess, self._sorted[start : start + BESIDE])

    def _files(self) -> Iterator[str]:
        # Each folder with those around it: a link to one of these would be followed for ever.
        todo: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
        while todo:
            inside, around = todo.pop()
            path = self.folder / inside
            try:
                about = path.stat()
                me = (about.st_dev, about.st_ino)
                if me in around:
                    continue
                with os.scandir(path) as entries:
                    for entry in entries:
                        if entry.name.lower().endswith(SUFFIXES) and "\\" not in entry.name and entry.is_file():
                            yield inside + entry.name
                        elif entry.is_dir():
                            todo.append((f"{inside}{entry.name}/", around | {me}))
            except FileNotFoundError:
                self.problems.append(Problem("no such folder", str(path), LAYOUT))
            except OSError as error:
                self.problems.append(Problem(f"cannot be read: {error.strerror}", str(path)))

    @cached_property
    def _sorted(self) -> Sequence[str]:
        return sorted(self.files)

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {_folded(file): file for file in self._sorted}

    @cached_property
    def _categories(self) -> set[str]:
        return {file.partition("/")[0] for file in self.files}


def _folded(name: str) -> str:
    """What names have in common that differ in capitals alone, or in how accents are written."""
    return _composed(name).casefold()


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
