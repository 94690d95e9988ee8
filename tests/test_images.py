import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_photos import PNG, encoded, noise, png_header

from outfitrec.core.data import Catalog
from outfitrec.core.errors import DataError, RunError
from outfitrec.core.images import ImageStore
from outfitrec.core.progress import Advance, Progress

COUNT = 70


class Files:
    """Photos in a folder, with a count of what was read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reads = 0

    def read(self, item: int) -> bytes:
        self.reads += 1
        return Path(self.where(item)).read_bytes()

    def where(self, item: int) -> str:
        return str(self.folder / f"{item}.png")

    def stamp(self, item: int) -> str:
        about = Path(self.where(item)).stat()
        return f"{about.st_size} {about.st_mtime_ns}"


def catalog_of(photos: Files, count: int = COUNT) -> Catalog:
    names = [str(item) for item in range(count)]
    return Catalog(names, torch.zeros(count, dtype=torch.long), ("thing",), photos)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OUTFITREC_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "photos"
    folder.mkdir()
    for item in range(COUNT):
        (folder / f"{item}.png").write_bytes(encoded(Image.fromarray(noise(item, 12, 12, 3))))
    return folder


def stored(folder: Path) -> list[str]:
    """What the cache holds of pixels, whole or not."""
    return sorted(path.name for path in (folder.parent / "cache" / "images").glob("*.u8*"))


def test_the_store_holds_every_photo(folder: Path) -> None:
    store = ImageStore.open(catalog_of(Files(folder)), 12)
    ids = torch.tensor([5, 0, COUNT - 1, 5])
    images = store.images(ids)
    assert images.dtype == torch.uint8
    assert images.is_contiguous(memory_format=torch.channels_last)
    for image, item in zip(images, ids.tolist(), strict=True):
        assert (image.permute(1, 2, 0).numpy() == noise(item, 12, 12, 3)).all()
    assert store.path.read_bytes() == b"".join(noise(item, 12, 12, 3).tobytes() for item in range(COUNT))
    assert store.to("cpu").images(ids).equal(images)


def test_no_photo_is_read_again_while_none_changes(folder: Path) -> None:
    photos = Files(folder)
    first = ImageStore.open(catalog_of(photos), 12)
    photos.reads = 0
    again = ImageStore.open(catalog_of(photos), 12)
    assert photos.reads == 0
    assert (again.key, again.path) == (first.key, first.path)


def test_a_changed_photo_makes_another_store(folder: Path) -> None:
    photos = Files(folder)
    first = ImageStore.open(catalog_of(photos), 12)
    (folder / "7.png").write_bytes(encoded(Image.fromarray(noise(1000, 12, 12, 3))))
    second = ImageStore.open(catalog_of(photos), 12)
    assert second.key != first.key
    assert (second.images(torch.tensor([7]))[0].permute(1, 2, 0).numpy() == noise(1000, 12, 12, 3)).all()
    assert ImageStore.open(catalog_of(photos), 10).key not in (first.key, second.key)


class Heard(Progress):
    """Notes each task with its total, and what was done of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.done: list[tuple[str, int]] = []

    @contextmanager
    def task(self, text: str, total: int, unit: str = "photos") -> Iterator[Advance]:
        self.calls.append((text, total))
        done = 0

        def advance(count: int, **figures: float) -> None:
            nonlocal done
            done += count
            self.advanced(text)

        yield advance
        self.done.append((text, done))

    def advanced(self, what: str) -> None:
        """Hears of each advance."""


def test_the_same_photos_elsewhere_are_not_decoded_again(folder: Path) -> None:
    first = ImageStore.open(catalog_of(Files(folder)), 12)
    moved = folder.rename(folder.with_name("moved"))
    heard = Heard()
    second = ImageStore.open(catalog_of(Files(moved)), 12, progress=heard)
    assert second.key == first.key
    assert heard.calls == [("reading photos", COUNT)]


def test_progress_ends_at_the_number_of_photos(folder: Path) -> None:
    heard = Heard()
    ImageStore.open(catalog_of(Files(folder)), 12, progress=heard)
    assert heard.calls == [("reading photos", COUNT), ("decoding photos", COUNT)]
    assert heard.done == heard.calls


def spoil(folder: Path) -> None:
    (folder / "3.png").unlink()
    (folder / "10.png").write_bytes(b"")
    (folder / "40.png").write_bytes(PNG[:200])
    (folder / "69.png").write_bytes(png_header(12_000, 12_000))


def test_all_bad_photos_are_listed_at_once_and_nothing_is_stored(folder: Path) -> None:
    spoil(folder)
    with pytest.raises(DataError) as caught:
        ImageStore.open(catalog_of(Files(folder)), 12, owners=lambda item: f"outfit {item * 2} of user 1")
    problems = caught.value.problems
    assert [problem.where for problem in problems] == [str(folder / f"{n}.png") for n in (3, 10, 40, 69)]
    assert "No such file" in problems[0].message
    assert "is empty" in problems[1].message
    assert "is damaged" in problems[2].message
    assert "12000 × 12000" in problems[3].message
    assert all(f"outfit {n * 2} of user 1" in one.message for n, one in zip((3, 10, 40, 69), problems, strict=True))
    assert stored(folder) == []


def test_a_bad_photo_that_no_outfit_uses_is_no_error_until_it_is_asked_for(folder: Path) -> None:
    spoil(folder)
    photos = Files(folder)
    used = torch.tensor([0, 1, 2, 11])
    for _ in range(2):
        store = ImageStore.open(catalog_of(photos), 12, used=used)
        assert (store.images(torch.tensor([11]))[0].permute(1, 2, 0).numpy() == noise(11, 12, 12, 3)).all()
        with pytest.raises(DataError, match=r"10\.png: the photo is empty"):
            store.images(torch.tensor([1, 10]))
    with pytest.raises(DataError, match=r"10\.png"):
        ImageStore.open(catalog_of(photos), 12, used=torch.tensor([0, 10]))


def test_a_long_list_of_bad_photos_is_cut(folder: Path) -> None:
    for item in range(50):
        (folder / f"{item}.png").unlink()
    with pytest.raises(DataError, match="30 more photos") as caught:
        ImageStore.open(catalog_of(Files(folder)), 12)
    assert len(caught.value.problems) == 21


def test_a_catalogue_without_photos_is_refused() -> None:
    bare = Catalog(["a"], torch.zeros(1, dtype=torch.long), ("thing",))
    with pytest.raises(DataError, match="no photos"):
        ImageStore.open(bare, 12)


def test_an_error_leaves_nothing_behind(folder: Path) -> None:
    class Stop(Heard):
        def advanced(self, what: str) -> None:
            if what == "decoding photos":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ImageStore.open(catalog_of(Files(folder)), 12, progress=Stop())
    assert stored(folder) == []


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """No file may grow beyond 20 kB; the pixels of all photos are 30."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield folder
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_error_that_leaves_nothing_behind(small_disk: Path) -> None:
    with pytest.raises(RunError, match=r"cannot write .*u8"):
        ImageStore.open(catalog_of(Files(small_disk)), 12)
    assert stored(small_disk) == []


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_images import Files, Heard, catalog_of
from outfitrec.core.images import ImageStore

class Kill(Heard):
    def advanced(self, what):
        if what == "decoding photos":
            os.kill(os.getpid(), signal.SIGKILL)

ImageStore.open(catalog_of(Files(Path(sys.argv[1]))), 12, progress=Kill(), workers=1)
"""


def test_a_killed_build_is_no_store_and_the_next_one_cleans_up(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(Path(__file__).parent)], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = stored(folder)
    assert len(left) == 1
    assert left[0].startswith(".")
    store = ImageStore.open(catalog_of(Files(folder)), 12)
    assert stored(folder) == [store.path.name]
    assert (store.images(torch.tensor([69]))[0].permute(1, 2, 0).numpy() == noise(69, 12, 12, 3)).all()


def test_two_at_once_build_once(folder: Path) -> None:
    heard = Heard()
    with ThreadPoolExecutor(4) as pool:
        opened = [pool.submit(ImageStore.open, catalog_of(Files(folder)), 12, progress=heard) for _ in range(4)]
        keys = {one.result().key for one in opened}
    assert len(keys) == 1
    assert heard.calls.count(("decoding photos", COUNT)) == 1


def test_the_real_photos_against_pillow(closet: Path, folder: Path) -> None:
    paths = sorted((closet / "images" / "291x291").iterdir())[:40]

    class Real(Files):
        def where(self, item: int) -> str:
            return str(paths[item])

    images = ImageStore.open(catalog_of(Real(folder), len(paths)), 64).images(torch.arange(len(paths)))
    for path, image in zip(paths, images, strict=True):
        with Image.open(path) as photo:
            expected = np.asarray(photo.convert("RGB").resize((64, 64), Image.Resampling.BICUBIC))
        assert (image.permute(1, 2, 0).numpy() == expected).all()
