"""A CSV file, column by column. What is wrong with it is collected, by line."""

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import compress
from pathlib import Path
from typing import TypeVar

import attrs

from outfitrec.core.errors import Problem, did_you_mean, nearest
from outfitrec.plugins.datasets.checks import MOST_OF_A_KIND, others

T = TypeVar("T")

# A quote too many makes one cell of the lines that follow.
LONGEST_CELL = 1000
QUOTING = "a cell with a comma, a quote or a line break stands in double quotes, and a quote within it is doubled"
ENCODING = (
    "save it as UTF-8: 'CSV UTF-8' in a spreadsheet program, or with iconv, such as iconv -f WINDOWS-1252 -t UTF-8"
)
SEPARATORS = ";\t|"


@attrs.frozen(eq=False)
class Columns:
    """The cells of a CSV file.

    Attributes:
        path: The file.
        cells: The cells of each column, by name, row by row.
        lines: The line in which each row begins, from 1.
        complete: Whether no row was left out because something was wrong with it.
        digest: SHA-256 of the file.
    """

    path: Path
    cells: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    complete: bool
    digest: str

    def where(self, row: int) -> str:
        """The place of a row, for messages."""
        return f"{self.path}:{self.lines[row]}"


def read_columns(
    path: Path, required: Sequence[str], optional: Sequence[str], problems: list[Problem]
) -> Columns | None:
    """Read a CSV file: UTF-8, comma separated, with a header. Empty lines mean nothing.

    Args:
        path: The file.
        required: Columns that it has, in any order.
        optional: Columns that it may have besides.
        problems: What is wrong is added to it.

    Returns:
        The rows with which nothing is wrong, or None where there are no columns to be had.
    """
    content = _content(path, _header_hint(required, optional), problems)
    text = None if content is None else _text(content, path, problems)
    if content is None or text is None:
        return None
    before = len(problems)
    rows, lines = _rows(text, path, problems)
    if not rows:
        if len(problems) == before:
            problems.append(Problem("an empty file", str(path), _header_hint(required, optional)))
        return None
    header, rows = rows[0], rows[1:]
    wrong = list(_wrong_header(header, required, optional))
    if wrong:
        problems += [attrs.evolve(one, where=f"{path}:{lines[0]}") for one in wrong]
        return None
    if not rows and len(problems) == before:
        problems.append(Problem("no row below the header", f"{path}:{lines[0]}"))
    whole = [len(row) == len(header) for row in rows]
    rows, lines = _kept(rows, lines[1:], whole, header, path, problems)
    columns = _columns(rows, header)
    # Few words in many cells: each is looked at once.
    if not all(_right(cell) for column in columns for cell in set(column)):
        whole = [all(map(_right, row)) for row in rows]
        rows, lines = _kept(rows, lines, whole, header, path, problems)
        columns = _columns(rows, header)
    cells = dict(zip(header, columns, strict=True))
    return Columns(path, cells, lines, len(problems) == before, hashlib.sha256(content).hexdigest())


def capped(found: Sequence[T], problem: Callable[[T], Problem], path: Path) -> Iterator[Problem]:
    """The problems of the first that were found of one kind in a file, and the number of the others."""
    yield from map(problem, found[:MOST_OF_A_KIND])
    if len(found) > MOST_OF_A_KIND:
        yield others(len(found) - MOST_OF_A_KIND, path)


def _content(path: Path, hint: str, problems: list[Problem]) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        others = [one.name for one in path.parent.glob("*.csv")]
        problems.append(Problem("no such file", str(path), did_you_mean(path.name, others) if others else hint))
    except OSError as error:
        problems.append(Problem(f"cannot be read: {error.strerror}", str(path)))
    return None


def _text(content: bytes, path: Path, problems: list[Problem]) -> str | None:
    content = content.removeprefix(codecs.BOM_UTF8)
    nul = content.find(b"\0")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        nul, what = error.start, f"not UTF-8: 0x{content[error.start]:02X}"
    else:
        if nul < 0:
            return text
        what = "a NUL byte, which no text has"
    line = content.count(b"\n", 0, nul) + 1
    byte = nul - content.rfind(b"\n", 0, nul)
    hint = f"it is UTF-16; {ENCODING}" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ENCODING
    problems.append(Problem(f"{what}, byte {byte} of the line", f"{path}:{line}", hint))
    return None


def _rows(text: str, path: Path, problems: list[Problem]) -> tuple[list[list[str]], list[int]]:
    """All rows that can be told apart, and the line in which each begins."""
    rows: list[list[str]] = []
    lines: list[int] = []
    broken: list[Problem] = []
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    begin = 1
    while True:
        try:
            for row in reader:
                if row:
                    rows.append(row)
                    lines.append(begin)
                begin = reader.line_num + 1
            break
        except csv.Error as error:
            # The reader goes on with the next line.
            broken.append(Problem(f"broken quoting: {error}", f"{path}:{begin}", QUOTING))
            begin = reader.line_num + 1
    problems += capped(broken, lambda one: one, path)
    return rows, lines


def _wrong_header(header: list[str], required: Sequence[str], optional: Sequence[str]) -> Iterator[Problem]:
    known = [*required, *optional]
    missing = [name for name in required if name not in header]
    unknown = [name for name in header if name not in known]
    if missing:
        hint = _header_hint(required, optional)
        if len(header) == 1 and any(sign in header[0] for sign in SEPARATORS):
            hint = f"columns are separated by commas; {hint}"
        names = " and ".join(map(repr, missing))
        yield Problem(f"no column {names} in the header {','.join(header)[:80]!r}", hint=hint)
    for name in unknown if not missing or len(header) > 1 else ():
        near = nearest(name.strip().lower(), known)
        # One that only looks like a known one would otherwise be missed in silence, and no other is of use.
        hint = f"did you mean {near!r}?" if near else "take it out of the table"
        yield Problem(f"unknown column {name!r}" if name else "a column without a name", hint=hint)
    for name in known:
        if header.count(name) > 1:
            yield Problem(f"{header.count(name)} columns {name!r}", hint="leave one of them")


def _header_hint(required: Sequence[str], optional: Sequence[str]) -> str:
    besides = f", and may have {' and '.join(optional)} besides" if optional else ""
    return f"the first line has the names of the columns: {','.join(required)}{besides}"


def _kept(
    rows: list[list[str]], lines: list[int], whole: list[bool], header: list[str], path: Path, problems: list[Problem]
) -> tuple[list[list[str]], list[int]]:
    """The rows that are whole, and their lines."""
    if all(whole):
        return rows, lines

    def problem(row: int) -> Problem:
        return Problem(_wrong_row(rows[row], header), f"{path}:{lines[row]}")

    problems += capped([row for row, right in enumerate(whole) if not right], problem, path)
    return list(compress(rows, whole)), list(compress(lines, whole))


def _columns(rows: list[list[str]], header: list[str]) -> list[tuple[str, ...]]:
    return list(zip(*rows, strict=True)) if rows else [()] * len(header)


def _right(cell: str) -> bool:
    return bool(cell) and cell == cell.strip() and len(cell) <= LONGEST_CELL


def _wrong_row(row: list[str], header: list[str]) -> str:
    if len(row) != len(header):
        return f"{len(row)} cells, expected the {len(header)} of {','.join(header)!r}"
    wrong = [(name, cell) for name, cell in zip(header, row, strict=True) if not _right(cell)]
    return "; ".join(f"{name}: {_wrong_cell(cell)}" for name, cell in wrong)


def _wrong_cell(cell: str) -> str:
    if len(cell) > LONGEST_CELL:
        return f"a cell of {len(cell):,} characters, more than {LONGEST_CELL:,}: is a quote not closed?"
    return f"blanks around {cell!r}" if cell.strip() else "an empty cell"
