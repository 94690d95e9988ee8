import resource
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Generator, Tensor

from outfitrec.core.augment import prepare
from outfitrec.core.data import Catalog
from outfitrec.core.errors import DataError, RunError
from outfitrec.core.images import ImageStore
from outfitrec.core.photos import BadPhotoError, decode

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


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(item: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(item).integers(0, 256, shape, dtype=np.uint8)


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
    return sorted(path.name for path in (folder.parent / "cache" / "images").glob("*.u8*")) + sorted(
        path.name for path in (folder.parent / "cache" / "images").glob(".*")
    )


# Decoding


def test_an_image_of_the_right_size_is_left_as_it_is() -> None:
    pixels = noise(0, 9, 9, 3)
    assert (decode(encoded(Image.fromarray(pixels)), 9) == pixels).all()


def test_shrinking_averages() -> None:
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::2] = 255
    # Every second column is white: picking single pixels would give 0 or 255.
    assert abs(decode(encoded(Image.fromarray(stripes)), 10).astype(int)[:, 2:-2] - 127.5).max() < 2


def test_a_large_jpeg_is_shrunk_as_if_decoded_whole() -> None:
    small = Image.fromarray(noise(1, 12, 12, 3))
    data = encoded(small.resize((1000, 1000), Image.Resampling.BICUBIC), "JPEG", quality=95)
    whole = np.asarray(Image.open(BytesIO(data)).resize((64, 64), Image.Resampling.BICUBIC)).astype(int)
    assert abs(decode(data, 64) - whole).mean() < 0.5


def test_padding_is_white_and_even() -> None:
    pixels = decode(encoded(Image.new("RGB", (20, 10))), 20)
    assert (pixels[:5] == 255).all()
    assert (pixels[5:15] == 0).all()
    assert (pixels[15:] == 255).all()
    assert (decode(encoded(Image.new("RGB", (10, 20))), 20) == pixels.transpose(1, 0, 2)).all()


def test_a_long_strip_stays_small_and_visible() -> None:
    pixels = decode(encoded(Image.new("L", (30_000, 2))), 8)
    assert (pixels == 0).any()
    assert (pixels == 255).mean() > 0.8


def test_the_exif_tag_turns_a_photo_upright() -> None:
    pixels = noise(2, 8, 8, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    data = encoded(Image.fromarray(pixels), "PNG", exif=exif)
    assert (decode(data, 8) == np.rot90(pixels, k=-1)).all()


def rgba() -> Image.Image:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:, :, 0] = 200
    pixels[0, :, 3] = 0
    pixels[1, :, 3] = 51  # one fifth
    pixels[2:, :, 3] = 255
    return Image.fromarray(pixels)


def palette() -> Image.Image:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([9, 9, 9, 200, 0, 0])
    image.paste(0, (0, 0, 4, 1))
    return image


def grey_and_alpha() -> Image.Image:
    pixels = np.zeros((4, 4, 2), np.uint8)
    pixels[..., 0] = 90
    pixels[1:, :, 1] = 255
    return Image.merge("LA", [Image.fromarray(pixels[..., k]) for k in (0, 1)])


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (encoded(rgba()), {0: (255, 255, 255), 1: (244, 204, 204), 2: (200, 0, 0)}),
        (encoded(palette(), transparency=0), {0: (255, 255, 255), 1: (200, 0, 0)}),
        (encoded(palette()), {0: (9, 9, 9), 1: (200, 0, 0)}),
        (encoded(palette(), "GIF", transparency=0), {0: (255, 255, 255), 1: (200, 0, 0)}),
        (encoded(grey_and_alpha()), {0: (255, 255, 255), 1: (90, 90, 90)}),
        (encoded(Image.new("L", (4, 4), 77)), {0: (77, 77, 77)}),
        (encoded(Image.new("1", (4, 4), 1)), {0: (255, 255, 255)}),
        (encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF"), {0: (255, 0, 0)}),
        (encoded(Image.fromarray(np.full((4, 4), 0x8000, np.uint16))), {0: (128, 128, 128)}),
        (encoded(Image.fromarray(np.full((4, 4), 65535, np.uint16)), "TIFF"), {0: (255, 255, 255)}),
        (encoded(Image.new("RGB", (4, 4), (1, 2, 3)), "WEBP", lossless=True), {0: (1, 2, 3)}),
        (encoded(Image.new("RGB", (4, 4), (1, 2, 3)), "BMP"), {3: (1, 2, 3)}),
    ],
)
def test_every_mode_becomes_rgb_on_white(data: bytes, rows: dict[int, tuple[int, int, int]]) -> None:
    pixels = decode(data, 4)
    for row, colour in rows.items():
        assert abs(pixels[row].astype(int) - colour).max() <= 1


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


JPEG = encoded(Image.fromarray(noise(3, 40, 40, 3)), "JPEG")
PNG = encoded(Image.fromarray(noise(3, 40, 40, 3)))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"<html>not found</html>", "is not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "is not an image"),
        (JPEG[: len(JPEG) // 2], "is damaged: .*truncated"),
        (PNG[: len(PNG) // 2], "is damaged"),
        (PNG[:40], "is (damaged|not an image)"),
        (png_header(9000, 8000), "has 9000 × 8000 pixels; at most 64 million"),
        (png_header(12_000, 12_000), "has 12000 × 12000 pixels"),
        (png_header(60_000, 60_000), "has too many pixels"),
    ],
)
def test_a_photo_that_cannot_be_used_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(BadPhotoError, match=reason):
        decode(data, 8)


# The store


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


def test_the_same_photos_elsewhere_are_not_decoded_again(folder: Path) -> None:
    first = ImageStore.open(catalog_of(Files(folder)), 12)
    moved = folder.rename(folder.with_name("moved"))
    done: list[str] = []
    second = ImageStore.open(catalog_of(Files(moved)), 12, progress=lambda what, _done, _total: done.append(what))
    assert second.key == first.key
    assert set(done) == {"reading photos"}


def test_progress_ends_at_the_number_of_photos(folder: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    ImageStore.open(catalog_of(Files(folder)), 12, progress=lambda *call: calls.append(call))
    assert calls == [(what, n, COUNT) for what in ("reading photos", "decoding photos") for n in (32, 64, COUNT)]


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
    def stop(what: str, done: int, total: int) -> None:
        if what == "decoding photos":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ImageStore.open(catalog_of(Files(folder)), 12, progress=stop)
    assert stored(folder) == []


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """No file may grow beyond 20 kB; the pixels of all photos are 30."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield folder
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_error_that_leaves_nothing_behind(small_disk: Path) -> None:
    with pytest.raises(RunError, match="cannot write .*u8"):
        ImageStore.open(catalog_of(Files(small_disk)), 12)
    assert stored(small_disk) == []


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_images import Files, catalog_of
from outfitrec.core.images import ImageStore

def kill(what, done, total):
    if what == "decoding photos":
        os.kill(os.getpid(), signal.SIGKILL)

ImageStore.open(catalog_of(Files(Path(sys.argv[1]))), 12, progress=kill, workers=1)
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
    decoding: list[int] = []

    def note(what: str, done: int, total: int) -> None:
        if what == "decoding photos":
            decoding.append(done)

    with ThreadPoolExecutor(4) as pool:
        opened = [pool.submit(ImageStore.open, catalog_of(Files(folder)), 12, progress=note) for _ in range(4)]
        keys = {one.result().key for one in opened}
    assert len(keys) == 1
    assert decoding == [32, 64, COUNT]


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


# Crops, flips, normalisation


def normal(pixels: Tensor) -> Tensor:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (pixels / 255 - mean[:, None, None]) / std[:, None, None]


def images_of(count: int, side: int) -> Tensor:
    return torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8).permute(0, 3, 1, 2)


def views(image: Tensor, size: int, flip: bool) -> Iterator[tuple[tuple[int, int, bool], Tensor]]:
    """All crops of an image, mirrored and not, by plain slices."""
    side = image.shape[-1]
    for mirrored in (False, True) if flip else (False,):
        seen = image.flip(-1) if mirrored else image
        for y in range(side - size + 1):
            for x in range(side - size + 1):
                yield (y, x, mirrored), seen[:, y : y + size, x : x + size]


def test_without_a_generator_the_centre_is_normalised() -> None:
    images = images_of(5, 11)
    for flip in (False, True):
        made = prepare(images, 8, flip=flip)
        assert made.dtype == torch.float32
        assert made.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(made, normal(images[:, :, 1:9, 1:9]), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("side", "flip"), [(6, True), (9, True), (9, False), (6, False)])
def test_each_image_gets_a_crop_and_a_flip_of_its_own(side: int, flip: bool) -> None:
    images = images_of(300, side)
    before = images.clone()
    made = prepare(images, 6, Generator().manual_seed(1), flip=flip)
    found = []
    for image, one in zip(images, made, strict=True):
        same = [which for which, view in views(image, 6, flip) if torch.allclose(normal(view), one, atol=1e-5)]
        assert len(same) == 1
        found += same
    places = (side - 6 + 1) ** 2
    assert len(set(found)) == places * (2 if flip else 1)
    if flip:
        assert 110 < sum(mirrored for _, _, mirrored in found) < 190  # 150 expected, deviation 8.7
    assert images.equal(before)


def test_the_generator_alone_decides() -> None:
    images = images_of(50, 8)
    first, second, other = (prepare(images, 7, Generator().manual_seed(seed), flip=True) for seed in (3, 3, 4))
    assert first.equal(second)
    assert not first.equal(other)
    in_other_memory = prepare(images.contiguous(), 7, Generator().manual_seed(3), flip=True)
    assert first.equal(in_other_memory)


def test_too_small_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be cropped"):
        prepare(images_of(1, 5), 6)
