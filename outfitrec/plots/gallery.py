"""A picture of items beside those that are similar to them."""

import torch
from jaxtyping import Int
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from outfitrec.core.data import Catalog
from outfitrec.core.errors import DataError
from outfitrec.core.neighbours import ABSENT
from outfitrec.core.photos import BadPhotoError, decode, quiet

# In sides of a photo.
GAP = 0.08  # around photos
APART = 0.25  # between an item and its neighbours
NAME = 0.1  # size of type
HEADING = 0.16
LEADING = 1.5  # from line to line, in sizes of type
SMALLEST = 9  # size of type that can still be read, px
GREY = (110, 110, 110)
PALE = (215, 215, 215)


def sample(catalog: Catalog, table: Int[Tensor, "item neighbour"], each: int) -> Int[Tensor, " shown"]:
    """``each`` items of every category, spread evenly over those that the table knows; all where there are fewer."""
    known = table[:, 0] != ABSENT
    chosen = []
    for category in range(len(catalog.categories)):
        members = (known & (catalog.category == category)).nonzero().flatten()
        count = min(each, len(members))
        chosen.append(members[torch.arange(count) * len(members) // max(count, 1)])
    return torch.cat(chosen)


def neighbour_sheet(
    catalog: Catalog, table: Int[Tensor, "item neighbour"], items: Int[Tensor, " shown"], side: int
) -> Image.Image:
    """A row for each item: its photo, apart from it those of its neighbours, the nearest first, and names below.

    Args:
        catalog: Its photos are needed.
        table: Neighbours of every item of the catalogue; a negative entry leaves its place empty.
        items: Those to show; they are put under the heading of their category.
        side: Side of a photo, px.

    Raises:
        DataError: There are no photos, or one of them cannot be used.
    """
    if catalog.photos is None:
        raise DataError("the dataset has no photos to show")
    gap, apart = round(GAP * side), round(APART * side)
    small, large = max(SMALLEST, round(NAME * side)), max(SMALLEST, round(HEADING * side))
    line, heading = round(LEADING * small), round(LEADING * large)
    category = catalog.category[items]
    groups = [(name, items[category == index].tolist()) for index, name in enumerate(catalog.categories)]
    groups = [(name, rows) for name, rows in groups if rows]
    width = gap + (1 + table.shape[1]) * (side + gap) + apart
    height = gap + len(groups) * heading + len(items) * (side + line + gap)
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    names, headings = ImageFont.load_default(small), ImageFont.load_default(large)
    top = gap
    for name, rows in groups:
        draw.text((gap, top), name, "black", headings)
        top += heading
        for item in rows:
            for place, shown in enumerate([item, *table[item].tolist()]):
                if shown >= 0:
                    left = gap + place * (side + gap) + (apart if place else 0)
                    page.paste(photo(catalog, shown, side), (left, top))
                    draw.text((left, top + side), fitted(catalog.names[shown], draw, names, side), GREY, names)
            rule = gap + side + (gap + apart) // 2
            draw.line((rule, top, rule, top + side - 1), PALE)
            top += side + line + gap
    return page


def photo(catalog: Catalog, item: int, side: int) -> Image.Image:
    """The photo of an item, on a white square.

    Raises:
        DataError: There are no photos, or this one cannot be used.
    """
    photos = catalog.photos
    if photos is None:
        raise DataError("the dataset has no photos to show")
    try:
        with quiet():
            return Image.fromarray(decode(photos.read(item), side))
    except BadPhotoError as error:
        raise DataError(f"the photo {error}", where=photos.where(item)) from error
    except OSError as error:
        raise DataError(f"the photo cannot be read: {error.strerror or error}", where=photos.where(item)) from error


def fitted(name: str, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, side: int) -> str:
    """A name, without as much of its middle as has no room below a photo."""
    short, kept = name, len(name)
    while kept > 1 and draw.textlength(short, font) > side:
        kept -= 1
        short = f"{name[: (kept + 1) // 2]}…{name[len(name) - kept // 2 :]}"
    return short
