"""Photos in a folder or in an LMDB, by name."""

from collections.abc import Sequence
from errno import EIO, ENOENT
from functools import cache
from os import strerror
from pathlib import Path
from typing import Any

from outfitrec.core.data import Photos
from outfitrec.core.errors import DataError


class FolderPhotos:
    """Photos that lie side by side in a folder."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.names = names
        # Joined as text: a Path for each of some hundred thousand photos takes seconds.
        self._prefix = str(folder / "_")[:-1]

    def read(self, item: int) -> bytes:
        """The encoded photo of an item."""
        return Path(self.where(item)).read_bytes()

    def where(self, item: int) -> str:
        """Its path."""
        return self._prefix + self.names[item]

    def stamp(self, item: int) -> str:
        """Size and times of the file."""
        return _stamp(Path(self.where(item)))


class LmdbPhotos:
    """Photos in an LMDB, their file name as the key.

    Raises:
        DataError: It cannot be opened, or the extra ``lmdb`` is not installed.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path = path
        self.names = names
        self._environment = _environment(path)
        self._stamp = _stamp(path / "data.mdb" if path.is_dir() else path)

    def read(self, item: int) -> bytes:
        """The encoded photo of an item."""
        import lmdb

        try:
            with self._environment.begin() as transaction:
                found: bytes | None = transaction.get(self.names[item].encode())
        except lmdb.Error as error:
            raise OSError(EIO, str(error)) from error
        if found is None:
            raise FileNotFoundError(ENOENT, strerror(ENOENT), self.where(item))
        return found

    def where(self, item: int) -> str:
        """The path of the LMDB and the key."""
        return f"{self.path}[{self.names[item]}]"

    def stamp(self, item: int) -> str:
        """Size and times of the LMDB's file."""
        return self._stamp


def find_photos(root: Path, images: str | None, names: Sequence[str]) -> Photos:
    """The photos of a dataset in the Polyvore-U layout.

    Args:
        root: Folder of the dataset.
        images: Folder or LMDB by path within ``root``; None tries ``images/291x291`` and ``images/lmdb``.
        names: Photo name of each item.

    Raises:
        DataError: There are no photos, or the LMDB cannot be opened.
    """
    tried = [root / images] if images else [root / "images" / "291x291", root / "images" / "lmdb"]
    for path in tried:
        if path.is_file() or (path / "data.mdb").is_file():
            return LmdbPhotos(path, names)
        if path.is_dir():
            return FolderPhotos(path, names)
    raise DataError(
        f"no photos: there is no {' and no '.join(map(str, tried))}",
        hint="the key 'images' names a folder of photos, or an LMDB of them, by its path within the root",
    )


def _stamp(path: Path) -> str:
    about = path.stat()
    return f"{about.st_size} {about.st_mtime_ns} {about.st_ctime_ns}"


@cache
def _environment(path: Path) -> Any:
    """The open LMDB of a path; a process may open it only once."""
    try:
        import lmdb
    except ModuleNotFoundError as error:
        raise DataError(
            f"{path} is an LMDB, and the package 'lmdb' is not installed", hint="pip install 'outfitrec[lmdb]'"
        ) from error
    try:
        return lmdb.open(str(path), subdir=path.is_dir(), readonly=True, create=False, lock=False, readahead=False)
    except lmdb.Error as error:
        raise DataError(f"{path} cannot be opened as an LMDB: {error}") from error
