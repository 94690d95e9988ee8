"""A sheet of the outfits that some users post.

Write that of the default dataset with ``python -m outfitrec.plugins.datasets.sheet docs/images/synthetic.png``.
"""

import argparse
import io
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

from outfitrec.core.data import Dataset, Photos
from outfitrec.plugins.datasets.synthetic import Synthetic

STEP = 0.84  # from one photo to the next: their margins overlap
HEIGHT = 1.62  # of a cell; its unit, as that of all others, is the side of a photo
LABEL = 0.22
GREY = (110, 110, 110)


def sheet(dataset: Dataset, users: int, outfits: int, pixels: int) -> Image.Image:
    """Outfits posted for training, a row a user.

    Args:
        dataset: Its catalogue has photos.
        users: Number of rows, the first users.
        outfits: Number of outfits a row.
        pixels: Side of a photo in pixels.

    Raises:
        ValueError: The catalogue has no photos.
    """
    photos = dataset.catalog.photos
    if photos is None:
        raise ValueError("a catalogue without photos has no sheet")
    posted = dataset.splits["train"].positives
    width = round((1 + STEP * (posted.outfits.width - 2) + 0.1) * pixels)
    height = round((HEIGHT + LABEL) * pixels)
    page = Image.new("RGB", (width * outfits, height * users), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(0.13 * pixels)
    for user in range(users):
        draw.text((0.1 * pixels, user * height + 0.04 * pixels), f"user {user + 1}", GREY, font)
        own = posted[posted.users == user].outfits[:outfits]
        for column, (items, category) in enumerate(zip(own.items.tolist(), own.category.tolist(), strict=True)):
            names = [dataset.catalog.categories[index] for index in category]
            cell = _collage(photos, items, names, pixels, width)
            page.paste(cell, (column * width, round(user * height + LABEL * pixels)))
    return page


def _collage(photos: Photos, items: list[int], names: list[str], pixels: int, width: int) -> Image.Image:
    """An outfit: its shoes lie below the rest, which lies side by side, the last one lower."""
    cell = Image.new("RGB", (width, round(HEIGHT * pixels)), "white")
    worn = [item for item, name in zip(items, names, strict=True) if item >= 0 and name != "shoe"]
    places = [(item, 1.0, STEP * n, 0.3 * (0 < n == len(worn) - 1)) for n, item in enumerate(worn)]
    shoes = [(item, 0.68, 0.1, 0.94) for item, name in zip(items, names, strict=True) if item >= 0 and name == "shoe"]
    for item, scale, x, y in (*places, *shoes):
        side = round(scale * pixels)
        with Image.open(io.BytesIO(photos.read(item))) as photo:
            layer = Image.new("RGB", cell.size, "white")
            layer.paste(
                photo.convert("RGB").resize((side, side), Image.Resampling.LANCZOS),
                (round(x * pixels), round(y * pixels)),
            )
        cell = ImageChops.darker(cell, layer)
    return cell


def main() -> None:
    """Write a sheet of the default dataset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="PNG to write")
    parser.add_argument("--users", type=int, default=4, help="number of rows")
    parser.add_argument("--outfits", type=int, default=6, help="number of outfits a row")
    parser.add_argument("--pixels", type=int, default=108, help="side of a photo")
    parser.add_argument("--seed", type=int, default=0, help="seed of the dataset")
    given = parser.parse_args()
    page = sheet(Synthetic(seed=given.seed, pixels=given.pixels).load(), given.users, given.outfits, given.pixels)
    given.path.parent.mkdir(parents=True, exist_ok=True)
    # Fewer shades make a smaller file; white stays white.
    page.point([max(255 - 7 * round((255 - value) / 7), 0) for value in range(256)] * 3).save(given.path, optimize=True)


if __name__ == "__main__":
    main()
