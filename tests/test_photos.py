import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from outfitrec.core.photos import BadPhotoError, decode


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(item: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(item).integers(0, 256, shape, dtype=np.uint8)


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
