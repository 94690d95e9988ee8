"""Small folders in the layouts of the releases without users."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

CATEGORIES = ("tops", "bottoms", "shoes", "bags")
# Categories of the other release: number and name.
NUMBERED = {11: "Tops", 28: "Pants", 41: "Shoes", 318: "Handbags"}
COLOURS = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (160, 160, 40))
SIZES = {"train": 12, "valid": 5, "test": 6}
Edit = Callable[[Path], None]


def polyvore_outfits(root: Path, version: str = "nondisjoint") -> Path:
    """Forty items in four categories, outfits of two to four of them; the folder of the version."""
    draws = Random(1)  # noqa: S311  # nothing secret is drawn
    items = [str(2000 + number) for number in range(40)]
    about: dict[str, dict[str, str]] = {
        name: {"title": "", "category_id": "29", "semantic_category": CATEGORIES[place % 4]}
        for place, name in enumerate(items)
    }
    # The release knows items that no outfit of a version has.
    about["999"] = {"title": "unused", "category_id": "1", "semantic_category": ""}
    _write(root / "polyvore_item_metadata.json", about)
    for place, name in enumerate(items):
        _photo(root / "images" / f"{name}.jpg", place)
    for split, names in _sets().items():
        outfits: list[dict[str, Any]] = []
        for place, set_id in enumerate(names):
            # Each category is there twice in one of the first outfits.
            chosen = draws.sample(range(place, 40, 4), 3) if place < 4 else draws.sample(range(40), draws.randint(2, 4))
            outfits.append(
                {"set_id": set_id, "items": [{"item_id": items[one], "index": k} for k, one in enumerate(chosen, 1)]}
            )
        _write(root / version / f"{split}.json", outfits)
        references = [[f"{one['set_id']}_{item['index']}" for item in one["items"]] for one in outfits]
        _write(
            root / version / f"fill_in_blank_{split}.json", _questions(references, _items(outfits), draws, first=False)
        )
        (root / version / f"compatibility_{split}.txt").write_text(_labelled(references, draws))
    return root / version


def maryland_polyvore(root: Path) -> Path:
    """Outfits whose indices have gaps, and items that are in several of them; the folder."""
    draws = Random(2)  # noqa: S311  # nothing secret is drawn
    for split, names in _sets().items():
        outfits: list[dict[str, Any]] = []
        for place, set_id in enumerate(names):
            # Each category is there twice in one of the first outfits.
            chosen = draws.sample(range(place, 40, 4), 3) if place < 4 else draws.sample(range(40), draws.randint(2, 4))
            items = []
            for k, number in enumerate(chosen):
                index = 1 + 2 * k
                address = f"http://www.img.com/cgi/img-thing?.out=jpg&size=m&tid={5000 + number}"
                items.append({"index": index, "name": "", "image": address, "categoryid": list(NUMBERED)[number % 4]})
                _photo(root / "images" / set_id / f"{index}.jpg", number)
            outfits.append({"name": "", "views": 1, "items": items, "set_id": set_id, "desc": ""})
        _write(root / f"{split}_no_dup.json", outfits)
        references = [[f"{one['set_id']}_{item['index']}" for item in one["items"]] for one in outfits]
    _write(root / "fill_in_blank_test.json", _questions(references, _items(outfits), draws, first=True))
    (root / "fashion_compatibility_prediction.txt").write_text(_labelled(references, draws))
    lines = ["2 Clothing", *(f"{number} {name}" for number, name in NUMBERED.items()), "113 Furniture"]
    (root / "category_id.txt").write_text("\n".join(lines) + "\n")
    return root


def changed(file: str, change: Callable[[Any], object]) -> Edit:
    """Changes what a JSON file says, in place."""

    def edit(folder: Path) -> None:
        value = json.loads((folder / file).read_text())
        change(value)
        (folder / file).write_text(json.dumps(value))

    return edit


def written(file: str, content: str | bytes) -> Edit:
    """Replaces a file."""

    def edit(folder: Path) -> None:
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())

    return edit


def removed(file: str) -> Edit:
    """Deletes a file."""
    return lambda folder: (folder / file).unlink()


def line(file: str, number: int, text: str) -> Edit:
    """Replaces a line, counted from 1."""

    def edit(folder: Path) -> None:
        lines = (folder / file).read_text().splitlines()
        lines[number - 1] = text
        (folder / file).write_text("\n".join(lines) + "\n")

    return edit


def _sets() -> dict[str, list[str]]:
    return {split: [f"{100 * k + number}" for number in range(SIZES[split])] for k, split in enumerate(SIZES, 1)}


def _items(outfits: list[dict[str, Any]]) -> dict[str, str]:
    """The item of each reference."""
    return {
        f"{one['set_id']}_{item['index']}": item.get("item_id") or item["image"]
        for one in outfits
        for item in one["items"]
    }


def _questions(
    references: list[list[str]], items: dict[str, str], draws: Random, *, first: bool
) -> list[dict[str, Any]]:
    made = []
    for place, outfit in enumerate(references):
        blank = draws.randrange(len(outfit))
        others = [one for k, other in enumerate(references) if k != place for one in other]
        others = [one for one in others if items[one] != items[outfit[blank]]]
        answers = draws.sample(others, 3)
        answers.insert(0 if first else place % 4, outfit[blank])
        question = [one for k, one in enumerate(outfit) if k != blank]
        made.append({"question": question, "answers": answers, "blank_position": blank + 1})
    return made


def _labelled(references: list[list[str]], draws: Random) -> str:
    every = [one for outfit in references for one in outfit]
    rows = [("1", outfit) for outfit in references] + [("0", draws.sample(every, 3)) for _ in range(8)]
    return "\n".join(" ".join([label, *outfit]) for label, outfit in rows) + "\n"


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def _photo(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = [min(255, channel + 5 * (number // 4)) for channel in COLOURS[number % 4]]
    Image.new("RGB", (24, 24), tuple(shade)).save(path, "JPEG")
