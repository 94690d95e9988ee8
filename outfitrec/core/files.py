"""Files are written whole or not at all; caches live in one place."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from outfitrec.core.errors import RunError, UserError

TEMPORARY = ".tmp"


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well, and vanishes otherwise.

    Raises:
        RunError: The disk is full, or the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY, delete=False) as file:
            temporary = Path(file.name)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}", hint="what was there before is untouched"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_folder(path: Path, option: str) -> None:
    """Make sure that a folder can be made, before work begins that is to be written there.

    Args:
        path: The folder.
        option: What the user named it with.

    Raises:
        UserError: It, or a folder around it, is a file.
    """
    for one in (path, *path.absolute().parents):
        if one.exists() and not one.is_dir():
            raise UserError(f"{option}: {one} is no folder", hint="name a folder; it is made where there is none")


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder and those below it, where none is at work."""
    for left in folder.rglob(f".*{TEMPORARY}"):
        left.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def digest(value: Any) -> str:
    """SHA-256 of a value made of JSON's types, the same for equal values whatever the order of their keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_root() -> Path:
    """The folder of all caches: ``OUTFITREC_CACHE``, or the user's cache folder.

    Raises:
        UserError: ``OUTFITREC_CACHE`` names a file.
    """
    from platformdirs import user_cache_path

    named = os.environ.get("OUTFITREC_CACHE")
    root = Path(named).expanduser().absolute() if named else user_cache_path("outfitrec")
    if root.exists() and not root.is_dir():
        raise UserError(f"the cache folder {root} is a file", hint="set OUTFITREC_CACHE to a folder")
    return root
