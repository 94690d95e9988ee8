"""The image store: every photo decoded once into a memory map, kept on the device where it fits."""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

import attrs
import numpy as np
import torch
from filelock import FileLock
from jaxtyping import Int, UInt8
from numpy.typing import NDArray
from torch import Tensor

from outfitrec.core.data import Catalog, Photos
from outfitrec.core.errors import DataError, Problem, RunError
from outfitrec.core.files import cache_root, digest, whole, write_json, write_text
from outfitrec.core.photos import BadPhotoError, decode, quiet
from outfitrec.core.progress import QUIET, Progress

T = TypeVar("T")

# To be raised whenever `decode` gives other pixels: stores made by an older one are then left alone.
VERSION = 1
CHUNK = 32
MOST_LISTED = 20
# Share of a GPU's free memory that a store may take.
MOST_OF_DEVICE = 0.4


class ImageStore:
    """Decoded photos of a catalogue: uint8 RGB, square, all of one size. Made by `open`.

    Attributes:
        key: Hash of the content of all photos and the size (hexadecimal).
        size: Side of the photos in pixels.
        path: The file with the pixels, ``[item, size, size, 3]``.
    """

    def __init__(self, key: str, size: int, path: Path, count: int, photos: Photos, bad: Mapping[int, str]) -> None:
        self.key = key
        self.size = size
        self.path = path
        self._photos = photos
        self._bad = bad
        self._device = torch.device("cpu")
        shape = (count, size, size, 3)
        self._pixels = torch.from_file(str(path), shared=False, size=math.prod(shape), dtype=torch.uint8).view(shape)

    @classmethod
    def open(
        cls,
        catalog: Catalog,
        size: int,
        *,
        used: Int[Tensor, " n"] | None = None,
        owners: Callable[[int], str] | None = None,
        workers: int | None = None,
        progress: Progress = QUIET,
    ) -> "ImageStore":
        """Open the store of a catalogue's photos; decode them first, in parallel, where that was not done before.

        Nothing is read again while no photo changes: a store is found by the stamps of all photos, and, where those
        are new, by their content. It is written whole or not at all, and by one process at a time.

        Args:
            catalog: The catalogue; its photos are needed.
            size: Side in pixels.
            used: Items whose photos must be there, such as those of all outfits; None means all. Of the other items
                a photo may be missing or damaged.
            owners: Names an outfit that an item is in, for messages.
            workers: Number of threads; None takes one a core.
            progress: Told of the photos that are read and decoded.

        Raises:
            DataError: Photos are missing, damaged or enormous: all of them. Nothing was written.
            RunError: The store cannot be written.
        """
        photos = catalog.photos
        if photos is None:
            raise DataError(
                "the catalogue has no photos", hint="the encoder 'features' works on given feature vectors instead"
            )
        workers = workers or _cores()
        folder = cache_root() / "images"
        content = _content(photos, len(catalog), folder / "stamps", workers, progress)
        key = digest([VERSION, content, size])
        path = folder / f"{key}.u8"
        bad = _stored(path, len(catalog), size)
        if bad is None:
            with _locked(path.with_suffix(".lock")):
                bad = _stored(path, len(catalog), size)
                if bad is None:
                    bad = _build(path, photos, len(catalog), size, workers, progress, used, owners)
        _refuse(bad, photos, used, owners)
        return cls(key, size, path, len(catalog), photos, bad)

    def images(self, ids: Int[Tensor, " item"]) -> UInt8[Tensor, "item 3 size size"]:
        """The photos of these items, on the store's device, in torch's channels-last format.

        Raises:
            DataError: An item has no usable photo.
        """
        if self._bad:
            wrong = [item for item in ids.tolist() if item in self._bad]
            if wrong:
                raise DataError([Problem(f"the photo {self._bad[item]}", self._photos.where(item)) for item in wrong])
        pixels = self._pixels.index_select(0, ids.to(self._pixels.device))
        return pixels.to(self._device).permute(0, 3, 1, 2)

    def to(self, device: torch.device | str) -> "ImageStore":
        """Give photos on this device from now on; a GPU with room enough gets the whole store. Returns itself."""
        self._device = torch.device(device)
        if self._device.type == "cuda" and self._pixels.device != self._device:
            free, _ = torch.cuda.mem_get_info(self._device)
            if self._pixels.nbytes < MOST_OF_DEVICE * free:
                self._pixels = self._pixels.to(self._device)
        return self


def check_photos(
    photos: Photos,
    used: Int[Tensor, " used"],
    *,
    owners: Callable[[int], str] | None = None,
    workers: int | None = None,
    progress: Progress = QUIET,
) -> None:
    """Decode the photos of these items, in parallel, as a store would, and keep nothing.

    Args:
        photos: The photos.
        used: The items.
        owners: Names an outfit that an item is in, for messages.
        workers: Number of threads; None takes one a core.
        progress: Told of the photos that are decoded.

    Raises:
        DataError: Photos are missing, damaged or enormous: all of them.
    """
    items: list[int] = used.tolist()
    bad: dict[int, str] = {}

    def decoded(rows: range) -> None:
        for row in rows:
            try:
                # A JPEG that is asked for small is read to its end all the same, in a third of the time.
                _decoded(photos, items[row], 1)
            except BadPhotoError as error:
                bad[items[row]] = str(error)

    with quiet():
        _in_parallel(decoded, len(items), workers or _cores(), progress, "decoding photos")
    _refuse(bad, photos, None, owners)


def _content(photos: Photos, count: int, folder: Path, workers: int, progress: Progress) -> str:
    """Hash of the content of all photos, remembered under the hash of their stamps."""
    stamps = hashlib.sha256()
    for item in range(count):
        try:
            stamp = photos.stamp(item)
        except OSError:
            stamp = "missing"
        stamps.update(f"{photos.where(item)}\n{stamp}\n".encode())
    known = folder / stamps.hexdigest()
    if known.is_file():
        return known.read_text(encoding="ascii")

    def hashes(items: range) -> tuple[bytes, bool]:
        found, steady = [], True
        for item in items:
            try:
                found.append(hashlib.sha256(photos.read(item)).digest())
            except OSError as error:
                found.append(bytes(32))
                steady &= isinstance(error, FileNotFoundError)
        return b"".join(found), steady

    chunks = _in_parallel(hashes, count, workers, progress, "reading photos")
    content = hashlib.sha256(b"".join(chunk for chunk, _ in chunks)).hexdigest()
    # A photo that failed although it is there may be read the next time, under the same stamp.
    if all(steady for _, steady in chunks):
        write_text(known, content)
    return content


def _stored(path: Path, count: int, size: int) -> dict[int, str] | None:
    """Why items of a whole store have no photo, by item; None where there is no whole store."""
    about = path.with_suffix(".json")
    if not about.is_file() or not path.is_file() or path.stat().st_size != count * size * size * 3:
        return None
    return {int(item): reason for item, reason in json.loads(about.read_text(encoding="utf-8"))["bad"].items()}


def _build(
    path: Path,
    photos: Photos,
    count: int,
    size: int,
    workers: int,
    progress: Progress,
    used: Tensor | None,
    owners: Callable[[int], str] | None,
) -> dict[int, str]:
    """Decode all photos into ``path``; returns why items have none. Raises where an item that is used is among them."""
    for left in path.parent.glob(f".{path.name}.*"):  # by a process that was killed
        left.unlink(missing_ok=True)
    bad: dict[int, str] = {}
    writing = Lock()
    with whole(path) as temporary, temporary.open("wb") as file:

        def decoded(items: range) -> None:
            pixels = np.full((len(items), size, size, 3), 255, np.uint8)
            for row, item in enumerate(items):
                try:
                    pixels[row] = _decoded(photos, item, size)
                except BadPhotoError as error:
                    bad[item] = str(error)
            # Written, not mapped: where the disk is full a write fails, and a mapping kills the process.
            with writing:
                file.seek(items.start * size * size * 3)
                file.write(pixels.data)

        with quiet():
            _in_parallel(decoded, count, workers, progress, "decoding photos")
        file.flush()
        _refuse(bad, photos, used, owners)
    write_json(path.with_suffix(".json"), {"items": count, "size": size, "bad": dict(sorted(bad.items()))})
    return bad


def _decoded(photos: Photos, item: int, size: int) -> NDArray[np.uint8]:
    """The pixels of a photo; one that cannot be read is a bad one too."""
    try:
        return decode(photos.read(item), size)
    except OSError as error:
        raise BadPhotoError(f"cannot be read: {error.strerror or error}") from error


def _refuse(bad: Mapping[int, str], photos: Photos, used: Tensor | None, owners: Callable[[int], str] | None) -> None:
    needed = set(bad) if used is None else set(bad).intersection(used.tolist())
    if not needed:
        return
    problems = []
    for item in sorted(needed)[:MOST_LISTED]:
        use = f" (it is in {owners(item)})" if owners else ""
        problems.append(Problem(f"the photo {bad[item]}{use}", photos.where(item)))
    if len(needed) > MOST_LISTED:
        problems.append(Problem(f"… and {len(needed) - MOST_LISTED} more photos that cannot be used"))
    hint = "put a readable photo in each place, or take the outfits that have one of them out of the data"
    problems[-1] = attrs.evolve(problems[-1], hint=hint)
    raise DataError(problems)


def _in_parallel(work: Callable[[range], T], count: int, workers: int, progress: Progress, text: str) -> list[T]:
    """What ``work`` gives for each chunk of ``range(count)``, in order. An error stops the rest."""
    pool = ThreadPoolExecutor(workers)
    try:
        chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
        futures = {pool.submit(work, chunk): len(chunk) for chunk in chunks}
        with progress.task(text, count) as advance:
            for future in as_completed(futures):
                future.result()
                advance(futures[future])
        return [future.result() for future in futures]
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        lock.acquire()
    except OSError as error:
        raise RunError(
            f"cannot write {path.parent}: {error.strerror}", hint="OUTFITREC_CACHE names another folder for caches"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _cores() -> int:
    """The cores that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
