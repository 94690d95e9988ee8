from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from outfitrec.core.data import Catalog
from outfitrec.core.errors import DataError
from outfitrec.core.neighbours import ABSENT
from outfitrec.plots.gallery import APART, GAP, fitted, neighbour_sheet, sample

SIDE = 100
TABLE = torch.tensor([[2, 4], [3, -1], [0, 4], [1, -1], [2, 0], [ABSENT, ABSENT]])


class Plain:
    """Photos of one colour each, a wide one among them."""

    def __init__(self, broken: Mapping[int, bytes] | None = None) -> None:
        self._broken = broken or {}

    def read(self, item: int) -> bytes:
        if item in self._broken:
            return self._broken[item]
        file = BytesIO()
        Image.new("RGB", (40, 20) if item == 4 else (40, 40), colour(item)).save(file, "PNG")
        return file.getvalue()

    def where(self, item: int) -> str:
        return f"photo-{item}.png"

    def stamp(self, item: int) -> str:
        return str(item)


def colour(item: int) -> tuple[int, int, int]:
    return (40 * item, 255 - 40 * item, 90)


def catalog(photos: Any = None) -> Catalog:
    names = [f"item-{k}" for k in range(6)]
    return Catalog(names, torch.tensor([0, 1, 0, 1, 0, 0]), ("top", "bottom", "shoe"), photos or Plain())


def pixels(page: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(page)


def photo_rows(page: NDArray[np.uint8]) -> list[int]:
    """Where the photos of the first column begin."""
    column = page[:, round(GAP * SIDE) + SIDE // 2]
    # Type is grey: it has the same red as blue.
    middle = (column[:, 2] == 90) & (column[:, 0] != 90)
    return [int(row) for row in np.flatnonzero(middle[1:] & ~middle[:-1]) + 1]


def test_a_row_shows_an_item_and_its_neighbours_in_order() -> None:
    page = pixels(neighbour_sheet(catalog(), TABLE, torch.tensor([2, 3]), SIDE))
    gap, apart = round(GAP * SIDE), round(APART * SIDE)
    assert page.shape[1] == gap + 3 * (SIDE + gap) + apart
    rows = photo_rows(page)
    assert len(rows) == 2
    for top, shown in zip(rows, ([2, 0, 4], [3, 1, -1]), strict=True):
        for place, item in enumerate(shown):
            left = gap + place * (SIDE + gap) + apart * (place > 0)
            cell = page[top : top + SIDE, left : left + SIDE]
            if item < 0:
                assert (cell == 255).all()
            elif item == 4:
                assert (cell[26:74] == colour(4)).all()
                assert (cell[:24] == 255).all()
            else:
                assert (cell == colour(item)).all()


def test_categories_have_headings_and_items_names() -> None:
    together = neighbour_sheet(catalog(), TABLE, torch.tensor([0, 2]), SIDE)
    apart = neighbour_sheet(catalog(), TABLE, torch.tensor([0, 1]), SIDE)
    assert apart.height > together.height
    page = pixels(apart)
    first, second = photo_rows(page)
    assert (page[:first] < 200).any()
    # The name of the first item and the heading of the second's category.
    assert (page[first + SIDE : second, :SIDE] < 200).any()
    assert (page[second + SIDE :, :SIDE] < 200).any()
    # Written below what is shown, and not beyond it.
    assert (page[second + SIDE :, 2 * SIDE + 60 :] == 255).all()


def test_items_stand_below_their_category_in_whatever_order_they_come() -> None:
    one, other = (neighbour_sheet(catalog(), TABLE, torch.tensor(items), SIDE) for items in ([0, 1, 2], [1, 0, 2]))
    assert np.array_equal(pixels(one), pixels(other))


@pytest.mark.parametrize("side", [24, 64, 200])
def test_names_fit_below_their_photos(side: int) -> None:
    font, draw = ImageFont.load_default(9), ImageDraw.Draw(Image.new("RGB", (1, 1)))
    for name in ("a", "item-7", "00013a4aea5c27634591c8894804739004e25178.jpg"):
        short = fitted(name, draw, font, side)
        assert draw.textlength(short, font) <= side
        whole = draw.textlength(name, font) <= side
        assert (short == name) == whole
        if not whole:
            start, end = short.split("…")
            assert name.startswith(start)
            assert name.endswith(end)
            assert start


def test_a_sample_is_spread_over_the_known_items_of_each_category() -> None:
    known = Catalog([str(k) for k in range(400)], (torch.arange(400) >= 300).long(), ("top", "bottom", "shoe"))
    table = torch.zeros(400, 3, dtype=torch.long)
    table[::2] = ABSENT
    shown = sample(known, table, 5)
    assert shown.tolist() == [1, 61, 121, 181, 241, 301, 321, 341, 361, 381]
    assert sample(known, table, 1000).tolist() == list(range(1, 400, 2))
    assert sample(known, torch.full((400, 3), ABSENT), 5).tolist() == []


@pytest.mark.parametrize(("broken", "message"), [(b"", "is empty"), (b"no photo", "is not an image")])
def test_a_photo_that_cannot_be_shown_is_named(broken: bytes, message: str) -> None:
    with pytest.raises(DataError, match=rf"photo-4\.png: the photo {message}"):
        neighbour_sheet(catalog(Plain({4: broken})), TABLE, torch.tensor([2]), SIDE)
    with pytest.raises(DataError, match="no photos to show"):
        neighbour_sheet(Catalog(["a"], torch.tensor([0]), ("top",)), TABLE[:1], torch.tensor([0]), SIDE)
