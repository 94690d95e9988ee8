"""What is wrong with the files of a release, collected while they are read."""

import re
from pathlib import Path

from outfitrec.core.errors import DataError, Problem

MOST_OF_A_KIND = 10
# A damaged file can make one value of all that follows. The longest honest message names some hundred categories.
LONGEST_MESSAGE = 3000
# A file's name has 255 bytes at most, its end (_m.jpg) among them.
LONGEST_NAME = 240
# Control characters, and what stands for bytes that are no text; separators of folders.
_NO_TEXT = re.compile("[\x00-\x1f\x7f\ufffd\ud800-\udfff]")
_SEPARATOR = re.compile(r"[/\\]")


class Complaints:
    """Everything that is found wrong: of each kind the first few, and how many more there are.

    Files of any size can be read to their end with it, however much is wrong with them.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[Path, str], tuple[list[Problem], int]] = {}

    def note(self, path: Path, kind: str, message: str, where: str = "", hint: str = "") -> None:
        """Add a problem.

        Args:
            path: The file or folder that the kind is counted in.
            kind: Problems of one kind are listed together.
            message: What is wrong.
            where: Where, if that is not ``path`` itself.
            hint: What to do; given once for each kind.
        """
        if len(message) > LONGEST_MESSAGE:
            message = f"{message[:LONGEST_MESSAGE]}… ({len(message):,} characters in all)"
        problems, count = self._kinds.get((path, kind), ([], 0))
        if count < MOST_OF_A_KIND:
            problems.append(Problem(message, where or str(path), "" if problems else hint))
        self._kinds[path, kind] = problems, count + 1

    def check(self) -> None:
        """Raise everything that was found wrong, if anything.

        Raises:
            DataError: All problems.
        """
        found: list[Problem] = []
        for (path, _), (problems, count) in self._kinds.items():
            found += problems
            if count > len(problems):
                found.append(others(count - len(problems), path))
        if found:
            raise DataError(found)


def others(count: int, path: Path) -> Problem:
    """What stands for problems of one kind in a file or folder beyond the first few."""
    return Problem(f"… and {count} more of this kind", str(path))


def is_folder(path: Path) -> bool:
    """Whether this is a folder; where one around it may not be looked into, it is taken for none."""
    try:
        return path.is_dir()
    except PermissionError:
        return False


def is_text(text: str) -> bool:
    """Whether a text from a file has something to show, and nothing in it that cannot be written."""
    return bool(text.strip()) and not _NO_TEXT.search(text)


def is_name(text: str) -> bool:
    """Whether a text from a file can be (part of) the name of one file: it cannot lead to another folder."""
    fits = is_text(text) and len(text.encode()) <= LONGEST_NAME
    return fits and not _SEPARATOR.search(text) and text not in (".", "..")
