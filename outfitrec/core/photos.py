"""Encoded photos of any kind → square RGB pixels."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

# The formats that shops use. Others that Pillow knows are kept out: some of them run programs (EPS).
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MOST_PIXELS = 64_000_000
SIXTEEN_BIT = ("I", "I;16", "I;16L", "I;16B", "I;16N")


class BadPhotoError(Exception):
    """A photo that cannot be used; the text says why, as the rest of a sentence that begins with the photo."""


def decode(data: bytes, size: int) -> NDArray[np.uint8]:
    """Decode a photo: upright by its EXIF tag, on white where it is transparent or not square, anti-aliased.

    Args:
        data: The encoded photo.
        size: Side of the result in pixels.

    Returns:
        RGB pixels, ``[size, size, 3]``.

    Raises:
        BadPhotoError: It is empty, no image, damaged, or has more than ``MOST_PIXELS`` pixels.
    """
    if not data:
        raise BadPhotoError("is empty (0 bytes)")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise _enormous(f"{width} × {height} pixels")
            # A JPEG may be decoded at a fraction of its size; three times what is needed leaves no trace.
            image.draft(None, (3 * size, 3 * size))
            return np.asarray(_square(_rgb(image), size))
    except BadPhotoError:
        raise
    except UnidentifiedImageError as error:
        raise BadPhotoError(f"is not an image ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise _enormous("too many pixels") from error
    except Exception as error:  # a decoder may raise anything on damaged bytes
        raise BadPhotoError(f"is damaged: {error}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Leaves enormous photos to `decode`, which refuses them: Pillow's own warning would come besides.

    Filters of warnings are the whole process's: to be entered once, around the threads that decode.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _enormous(what: str) -> BadPhotoError:
    return BadPhotoError(f"has {what}; at most {MOST_PIXELS // 1_000_000} million are decoded")


def _rgb(image: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode in SIXTEEN_BIT:
        # Pillow's own conversion cuts at 255 and leaves almost everything white.
        grey = np.asarray(image).clip(0, 65535).astype(np.float32) / 257
        return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _square(image: Image.Image, size: int) -> Image.Image:
    """Resized to fit ``size``, centred on white. Padding comes last: the square of a long strip may be enormous."""
    longest = max(image.size)
    width, height = (max(1, round(side * size / longest)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    if width == height:
        return image
    square = Image.new("RGB", (size, size), "white")
    square.paste(image, ((size - width) // 2, (size - height) // 2))
    return square
