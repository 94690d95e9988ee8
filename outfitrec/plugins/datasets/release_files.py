"""The files of a release of JSON and text, read as far as they can be: what is wrong with them is collected."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from outfitrec.plugins.datasets.checks import Complaints, is_folder


class ReleaseFiles:
    """Reads files of a folder. Nothing raises before ``complaints.check``, which has everything that was found.

    Args:
        path: The folder.
        layout: What is in it, for who lacks a file.

    Attributes:
        path: The folder.
        complaints: What is wrong so far.
        digests: SHA-256 of each file read, by name.
    """

    def __init__(self, path: Path, layout: str) -> None:
        self.path = path
        self.complaints = Complaints()
        self.digests: dict[str, str] = {}
        self._layout = layout

    def has(self, file: str) -> bool:
        """Whether the folder has the file, or a link to one that may not be there."""
        return os.path.lexists(self.path / file)

    def note(self, file: str, kind: str, message: str, place: str = "") -> None:
        """Complain of a file; ``place`` is a line, or line and column, with a colon before each."""
        path = self.path / file
        self.complaints.note(path, kind, message, f"{path}{place}")

    def entries(self, file: str) -> list[Any]:
        """The entries of a JSON file that is a list of one or more; none where it is wrong."""
        known, found = self._json(file)
        if isinstance(found, list) and found:
            return found
        if known:
            self.note(file, "form", "expected a list of one entry or more")
        return []

    def values(self, file: str) -> dict[str, Any]:
        """The values by key of a JSON file that is an object of one or more; none where it is wrong."""
        known, found = self._json(file)
        if isinstance(found, dict) and found:
            return found
        if known:
            self.note(file, "form", "expected an object of one key or more")
        return {}

    def lines(self, file: str) -> list[str]:
        """The lines of a text file that has one or more; none where it is wrong."""
        content = self._content(file)
        text = (content or b"").decode(errors="replace").rstrip()
        if content is not None and not text:
            self.note(file, "form", "the file is empty")
        return text.split("\n") if text else []

    def photos(self, folder: str) -> Path:
        """The folder of the photos."""
        path = self.path / folder
        if not is_folder(path):
            self.complaints.note(path, "missing", "no such folder, and the photos are expected in it")
        return path

    def _json(self, file: str) -> tuple[bool, Any]:
        """Whether a JSON file can be read, and what it says."""
        content = self._content(file)
        if content is None:
            return False, None
        try:
            return True, json.loads(content)
        except json.JSONDecodeError as error:
            self.note(file, "form", f"not JSON: {error.msg}", f":{error.lineno}:{error.colno}")
        except UnicodeDecodeError as error:
            self.note(file, "form", f"not text in UTF-8, at byte {error.start}")
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits, lists in lists in lists
            self.note(file, "form", f"cannot be read: {error}")
        return False, None

    def _content(self, file: str) -> bytes | None:
        path = self.path / file
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            self.complaints.note(self.path, "missing", "no such file", str(path), self._layout)
            return None
        except OSError as error:
            self.note(file, "missing", f"cannot be read: {error.strerror}")
            return None
        self.digests[file] = hashlib.sha256(content).hexdigest()
        return content
