"""Outfits as small pictures inside the page: the photos of their items, side by side."""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from PIL import Image

from outfitrec.core.data import Catalog
from outfitrec.plots.gallery import photo

SIDE = 72  # of a photo, px
QUALITY = 80

Picture = dict[str, Any]


def picture(catalog: Catalog, items: Sequence[int], note: str = "", right: bool | None = None) -> Picture:
    """An outfit as a page shows it, in JSON's types.

    Args:
        catalog: The items; their photos are needed.
        items: Those of the outfit; below 0 where a slot is empty.
        note: What stands below.
        right: Whether it is marked as right, or wrong; None for neither.

    Returns:
        ``image`` (JPEG, as address), ``alt`` (its items in words), ``width`` and ``height`` (px), ``note``, ``right``.

    Raises:
        DataError: There are no photos, or one of them cannot be used.
    """
    items = [item for item in items if item >= 0]
    strip = Image.new("RGB", (SIDE * len(items), SIDE), "white")
    for place, item in enumerate(items):
        strip.paste(photo(catalog, item, SIDE), (place * SIDE, 0))
    file = BytesIO()
    strip.save(file, "JPEG", quality=QUALITY, optimize=True)
    words = ", ".join(f"{catalog.categories[int(catalog.category[item])]} {catalog.names[item]}" for item in items)
    return {
        "image": f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}",
        "alt": words,
        "width": strip.width,
        "height": strip.height,
        "note": note,
        "right": right,
    }
