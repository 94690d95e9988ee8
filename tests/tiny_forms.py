"""Tiny forms of shipped suites: one seed and one epoch of everything, on few outfits."""

from pathlib import Path
from typing import Any

from outfitrec.benchmark.bench import bench
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.running import How
from outfitrec.benchmark.suite import load_suite
from outfitrec.core.settings import INNER, Recipe

EMBEDDED = {"name": "synthetic", "users": 4, "items": 300, "pixels": 64, "train": 8, "valid": 4, "test": 4}
STRANGERS = {**EMBEDDED, "seed": 1}


def full(name: str, folder: Path) -> Report:
    """A suite of full size, on the embedded dataset: its recipes as they are, but for data, photos and epochs."""
    keys = {"model.encoder.weights": "none", "image.size": 64, "train.epochs": 1}
    return tiny(name, folder, {"dataset": EMBEDDED}, keys, STRANGERS)


def synthetic(name: str, folder: Path) -> Report:
    """A short form for the embedded dataset."""
    few = {f"dataset.{key}": value for key, value in EMBEDDED.items() if key != "name"}
    return tiny(name, folder, few, {"train.epochs": 1}, STRANGERS)


def closet(name: str, folder: Path, data: Path, weights: Path) -> Report:
    """A short form for a small folder. That of Table 5 trains nothing, and needs no weights."""
    keys: dict[str, Any] = {"train.epochs": 1, "model.encoder.weights": str(weights)}
    if name.startswith("table5"):
        keys = {"image.size": 64}
    return tiny(name, folder, {"dataset.root": str(data)}, keys, None, root=data)


def tiny(
    name: str,
    folder: Path,
    data: dict[str, Any],
    keys: dict[str, Any],
    strangers: dict[str, Any] | None,
    root: Path | None = None,
) -> Report:
    """Run a suite with one seed and some keys, those of ``keys`` in the recipes in its recipes too."""
    loaded = load_suite(name)
    inner = {key for key in INNER for one in loaded.setups if isinstance(getattr(one.recipe, key), Recipe)}
    overrides = {**data, **keys}
    for key in inner:
        # The autoencoder has no weights to begin with, and photos of a size of its own.
        own = {word: one for word, one in keys.items() if key != "neighbours" or word == "train.epochs"}
        overrides |= {f"{key}.{word}": one for word, one in own.items()}
    if loaded.settings.measure == "cold_start":
        cold = "evaluate.cold_start"
        overrides |= {f"{cold}.draws": 2}
        overrides |= {f"{cold}.dataset": strangers} if strangers else {f"{cold}.dataset.root": str(root)}
    return bench(name, overrides, seeds=[0], how=How(out=folder / "runs"), report=folder / "report")


def check(report: Report) -> None:
    """Every cell has its figures, and the page shows every row."""
    assert report.entries
    for entry in report.entries:
        assert entry.error == "", f"{entry.cell}: {entry.error}"
    for table in report.tables:
        assert {line.row for line in table.lines} == set(report.suite.rows)
        for line in table.lines:
            assert any(value.spread is not None for value in line.values.values())
