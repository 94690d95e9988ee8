"""``outfitrec data``: one's own data, before anything is trained on them."""

from typing import TYPE_CHECKING, Any

import click

from outfitrec.cli.output import show, show_table
from outfitrec.core.errors import DataError, RecipeError, listed

if TYPE_CHECKING:
    from outfitrec.core.data import Dataset

# Keys of the dataset that are given otherwise.
GIVEN = {"root": "the key 'root' is PATH", "name": "the key 'name' is the option --dataset"}


@click.group("data")
def command() -> None:
    """Look at data, before anything is trained on them."""


@command.command("check")
@click.argument("path")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--dataset", "name", default="folder", show_default=True, help="Component that reads the data.")
@click.option("--photos/--no-photos", default=True, show_default=True, help="Decode every photo that is in an outfit.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def check(path: str, overrides: tuple[str, ...], name: str, photos: bool, as_json: bool) -> dict[str, Any] | None:
    """Check the data in the folder PATH; say all that is wrong, or how much there is of what.

    KEY=VALUE sets a key of the dataset, such as table=summer.csv; PATH is its key root. What a run would find wrong
    with the data is found here: files, tables, splits and photos. Nothing is written.

    Decoding takes each core about half a millisecond for a JPEG of 300 × 300 pixels, and a tenth of a second for one of
    30 million; PNG and WebP take about ten times as long. --no-photos leaves it out: a table of 600,000 rows and
    200,000 items is then checked in seconds.
    """
    from outfitrec.cli.progress import console_progress
    from outfitrec.core.images import check_photos
    from outfitrec.core.stores import owner, used_items

    dataset = _load(path, name, overrides)
    used = used_items(dataset)
    source = dataset.catalog.photos
    decoded = photos and source is not None
    if photos and source is not None:
        check_photos(source, used, owners=lambda item: owner(dataset, item), progress=console_progress())
    found = {
        "dataset": name,
        "path": path,
        "users": dataset.users,
        "outfits": {split: len(one) for split, one in dataset.splits.items()},
        "items": _by_category(dataset),
        "items_in_outfits": len(used),
        "items_of_an_outfit": _sizes(dataset),
        "photos_decoded": len(used) if decoded else 0,
        "notes": dict(dataset.notes),
        "digest": dataset.digest,
    }
    if as_json:
        return found
    _show(found, photos, source is not None)
    return None


def _load(path: str, name: str, overrides: tuple[str, ...]) -> "Dataset":
    """The data, checked for what every run needs."""
    from outfitrec.core.config import create
    from outfitrec.core.data import SPLITS
    from outfitrec.core.document import Document, Place
    from outfitrec.core.loading import plugins
    from outfitrec.core.overrides import read_overrides
    from outfitrec.core.splits import halve
    from outfitrec.core.structure import structure_component

    document = Document.of({"name": name, "root": path}, Place())
    for override in read_overrides(overrides):
        if override.keys[0] in GIVEN:
            raise RecipeError(GIVEN[override.keys[0]], where=str(override.place))
        document = document.put(".".join(override.keys), override.value)
    dataset: Dataset = create(structure_component(document, "dataset", plugins().registry)).load()
    empty = [split for split in SPLITS if not len(dataset.splits.get(split, ()))]
    if empty:
        raise DataError(f"no outfits in {' and '.join(empty)}", where=path)
    halve(dataset.splits["valid"], 0)
    return dataset


def _by_category(dataset: "Dataset") -> dict[str, int]:
    catalog = dataset.catalog
    counts = catalog.category.bincount(minlength=len(catalog.categories)).tolist()
    return dict(zip(catalog.categories, counts, strict=True))


def _sizes(dataset: "Dataset") -> dict[str, float]:
    import torch

    counts = torch.cat([split.positives.outfits.mask.sum(dim=1) for split in dataset.splits.values()])
    return {"smallest": int(counts.min()), "mean": float(counts.double().mean()), "largest": int(counts.max())}


def _show(found: dict[str, Any], photos: bool, there: bool) -> None:
    sizes = found["items_of_an_outfit"]
    decoded = f"{found['photos_decoded']:,} decoded" if there else "none: the items have given features"
    items, used = sum(found["items"].values()), found["items_in_outfits"]
    rows = [
        ("users", f"{found['users']:,}"),
        ("outfits", _counts(found["outfits"])),
        ("items", _counts(found["items"]) + (f"; {used:,} in outfits" if used < items else "")),
        ("items of an outfit", f"{sizes['smallest']} to {sizes['largest']}, {sizes['mean']:.1f} on average"),
        ("photos", decoded if photos or not there else "not looked into (--no-photos)"),
        *((name.replace("_", " "), _note(value)) for name, value in found["notes"].items()),
    ]
    show_table((found["path"], ""), rows)
    show("nothing is wrong")


def _counts(found: dict[str, int]) -> str:
    parts = listed([f"{count:,} {name}" for name, count in found.items()])
    return f"{sum(found.values()):,}: {parts}"


def _note(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_note(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return listed([_note(one) for one in value])
    return f"{value:.3g}" if isinstance(value, float) else f"{value}"
