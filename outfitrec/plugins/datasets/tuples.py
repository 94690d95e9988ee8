"""The files of one tuple folder of the Polyvore-U layout. What is wrong with them is collected, by file and line."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outfitrec.core.errors import DataError, Problem, listed
from outfitrec.plugins.datasets.checks import MOST_OF_A_KIND, others

CATEGORIES = ("top", "bottom", "shoe")
HEADERS = (("user", "top", "bottom", "shoe"), ("user", "top", "top", "bottom", "shoe"))
LAYOUT = (
    "a tuple folder has image_list_{top,bottom,shoe} and tuples_{train,val,test}_posi; it may have "
    "tuples_{train,val,test}_nega, tuples_{train,val,test}_nega_hard and fill_in_blank_test"
)
# Separators of folders, and what stands for bytes that are no text.
NO_NAME = re.compile("[/\\\\\0\ufffd]")
NO_LIMIT = np.iinfo(np.int64).max

Table = NDArray[np.int64]


class TupleFolder:
    """Reads the files of a tuple folder. Nothing raises before `check`, which has everything that was found.

    Until then a table that could not be read is empty.

    Attributes:
        path: The folder.
        users: Number of users.
        header: Columns of its tuple files: those of the first that was read.
        digests: SHA-256 of each file read, by name.
        problems: What is wrong so far.
    """

    def __init__(self, path: Path, users: int) -> None:
        self.path = path
        self.users = users
        self.header: tuple[str, ...] = ()
        self.digests: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._limits = {"user": users}

    def has(self, file: str) -> bool:
        """Whether the folder has the file."""
        return os.path.lexists(self.path / file)

    def check(self) -> None:
        """Raise everything that was found wrong, if anything.

        Raises:
            DataError: All problems.
        """
        if self.problems:
            raise DataError(self.problems)

    def image_list(self, category: str) -> list[str]:
        """The photo names of a category; line ``n``, counted from 0, is item ``n``."""
        file = f"image_list_{category}"
        self._limits[category] = NO_LIMIT
        content = self._content(file)
        if content is None:
            return []
        names = content.decode(errors="replace").rstrip("\n").split("\n") if content.strip() else []
        if not names:
            self.problems.append(Problem("no photo is listed: expected a file name a line", str(self.path / file)))
            return []
        self._note(file, self._wrong_names(file, names))
        self._limits[category] = len(names)
        return names

    def outfits(self, file: str) -> Table:
        """The rows of a tuple file: user, and item of each slot (-1: none)."""
        return self._table(file, repeated=False)

    def need_users(self, table: Table, where: Path) -> None:
        """Complain of users without a row."""
        lacking = np.setdiff1d(np.arange(self.users), table[:, 0]).tolist()
        if len(table) and lacking:
            who = f"user{'s' if len(lacking) > 1 else ''} {listed([str(user) for user in lacking])}"
            hint = f"expected an outfit or more of each of the {self.users} users"
            self.problems.append(Problem(f"no outfit of {who}", str(where), hint))

    def negatives(self, file: str, positives: Table) -> Table:
        """The rows of a file of negatives: as many for each positive, in the order of the positives."""
        table = self._table(file, repeated=False)
        if not len(table) or not len(positives):
            return table
        ratio, rest = divmod(len(table), len(positives))
        if rest or not ratio:
            message = f"{len(table)} negatives, expected a multiple of the {len(positives)} positives"
            self.problems.append(Problem(message, str(self.path / file)))
            return table
        owner = positives[:, 0].repeat(ratio)
        self._note(
            file,
            (
                Problem(
                    f"user {table[row, 0]}, expected {owner[row]}, of line {row // ratio + 2} of the positives",
                    self._line(file, row),
                )
                for row in np.flatnonzero(table[:, 0] != owner).tolist()
            ),
        )
        return table

    def questions(self, file: str) -> Table:
        """Fill-in-the-blank questions ``[question, candidate, column]``; the first candidate is right."""
        table = self._table(file, repeated=True)
        table = table.reshape(len(table), -1, len(self.header)) if len(table) else table[:, None]
        users = (table[:, 1:, 0] != table[:, :1, 0]).any(1)
        slots = (table[:, 1:, 1:] != table[:, :1, 1:]).any(1).sum(1)
        self._note(
            file,
            (
                Problem(
                    "candidates of different users"
                    if users[row]
                    else f"candidates that differ in {slots[row]} slots, expected 1",
                    self._line(file, row),
                )
                for row in np.flatnonzero(users | (slots != 1)).tolist()
            ),
        )
        return table

    def _content(self, file: str) -> bytes | None:
        path = self.path / file
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            told = any(problem.hint == LAYOUT for problem in self.problems)
            self.problems.append(Problem("no such file", str(path), "" if told else LAYOUT))
            return None
        except OSError as error:
            self.problems.append(Problem(f"cannot be read: {error.strerror}", str(path)))
            return None
        self.digests[file] = hashlib.sha256(content).hexdigest()
        return content.replace(b"\r\n", b"\n")

    def _table(self, file: str, repeated: bool) -> Table:
        nothing = np.empty((0, len(HEADERS[0])), np.int64)
        content = self._content(file)
        if content is None:
            return nothing
        head, _, body = content.partition(b"\n")
        columns = self._columns(file, head.decode(errors="replace"), repeated)
        if not columns:
            return nothing
        body = body.rstrip(b"\n")
        if not body:
            self.problems.append(Problem("no row below the header, expected one or more", f"{self.path / file}:2"))
            return nothing
        table = _parsed(body, len(columns))
        if table is None:
            self._note(file, self._wrong_lines(file, body, columns))
            return nothing
        self._note(file, self._outside(file, table, columns))
        return table

    def _columns(self, file: str, line: str, repeated: bool) -> tuple[str, ...]:
        """The columns that a header names; empty where it is wrong."""
        found = tuple(line.split(","))
        # All tuple files of a folder have the columns of the first.
        known = (self.header,) if self.header else HEADERS
        for header in known:
            times = len(found) // len(header)
            if found == header * times and (times > 1) == repeated:
                self.header = header
                return found
        expected = " or ".join(repr(",".join(header)) for header in known)
        again = ", once for each candidate" if repeated else ""
        self.problems.append(Problem(f"header {line[:80]!r}, expected {expected}{again}", f"{self.path / file}:1"))
        return ()

    def _wrong_names(self, file: str, names: list[str]) -> Iterator[Problem]:
        path = self.path / file
        lines: dict[str, int] = {}
        for line, name in enumerate(names, 1):
            if not name.strip():
                yield Problem("an empty line, expected a file name", f"{path}:{line}")
            elif NO_NAME.search(name) or name in (".", ".."):
                yield Problem(f"{name!r} is not a bare file name: photos lie in one folder", f"{path}:{line}")
            elif lines.setdefault(name, line) != line:
                yield Problem(f"{name!r} is listed in line {lines[name]} already", f"{path}:{line}")

    def _wrong_lines(self, file: str, body: bytes, columns: tuple[str, ...]) -> Iterator[Problem]:
        for row, line in enumerate(body.split(b"\n")):
            cells = line.decode(errors="replace").split(",")
            wrong = [cell for cell in cells if not re.fullmatch(r"-?[0-9]{1,18}", cell)]
            if len(cells) != len(columns):
                message = f"{len(cells)} columns" if line else "an empty line"
                yield Problem(f"{message}, expected the {len(columns)} of {','.join(columns)!r}", self._line(file, row))
            elif wrong:
                yield Problem(f"{wrong[0]!r} is not a whole number", self._line(file, row))

    def _outside(self, file: str, table: Table, columns: tuple[str, ...]) -> Iterator[Problem]:
        # -1, for none, stands in the second of two tops alone.
        lowest = [-1 if columns[column - 1 : column + 1] == ("top", "top") else 0 for column in range(len(columns))]
        limits = [self._limits[name] for name in columns]
        for row, column in np.argwhere((table < lowest) | (table >= limits)).tolist():
            name, limit = columns[column], limits[column]
            has = f"there are {limit} users" if name == "user" else f"image_list_{name} has {limit} photos"
            known = f": {has}, 0 to {limit - 1}" if limit != NO_LIMIT else ""
            none = ", or -1 for none" if lowest[column] else ""
            yield Problem(f"{name} {table[row, column]} is out of range{known}{none}", self._line(file, row))

    def _line(self, file: str, row: int) -> str:
        return f"{self.path / file}:{row + 2}"

    def _note(self, file: str, problems: Iterable[Problem]) -> None:
        rest = iter(problems)
        self.problems.extend(islice(rest, MOST_OF_A_KIND))
        more = sum(1 for _ in rest)
        if more:
            self.problems.append(others(more, self.path / file))


def _parsed(body: bytes, columns: int) -> Table | None:
    """The numbers of a tuple file, or None where it is not in every line so many whole numbers."""
    # loadtxt is lenient to spaces, empty lines and signs; with these characters alone it cannot be but to the second.
    if body.translate(None, b"0123456789,-\n"):
        return None
    try:
        table = np.loadtxt(BytesIO(body), dtype=np.int64, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return None
    return table if table.shape == (body.count(b"\n") + 1, columns) else None
