"""Fixtures for the tests of plugins: ``pytest_plugins = ["outfitrec.testing.fixtures"]`` in ``conftest.py``.

`isolated_plugins` may be changed by a test and is restored after it; `tiny_dataset` is a dataset made in milliseconds;
`run_recipe` runs a recipe in seconds, in a temporary directory.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pytest

import outfitrec
from outfitrec import Dataset, Run
from outfitrec.core.loading import Plugins, plugins
from outfitrec.core.recipe import load_recipe
from outfitrec.core.settings import INNER, Recipe
from outfitrec.testing.world import WORLD

# What makes a run small: seconds on a core.
TINY_DATA: Mapping[str, Any] = {
    "name": "synthetic",
    "users": 4,
    "items": 400,
    "pixels": 64,
    "train": 8,
    "valid": 4,
    "test": 4,
}
TINY_TRAINING: Mapping[str, Any] = {
    "image.size": 64,
    "model.dim": 16,
    "model.encoder": {"name": "alexnet", "size": "xs", "weights": "none"},
    "train.epochs": 1,
    "train.batch": 16,
    "train.accelerator": "cpu",
}


@runtime_checkable
class RunRecipe(Protocol):
    """Runs a recipe in a temporary directory, made small."""

    def __call__(
        self, recipe: str | Path, overrides: Mapping[str, Any] | None = None, *, keep: Collection[str] = ()
    ) -> Run:
        """The finished run.

        Args:
            recipe: Name or path.
            overrides: Keys to set besides, by dotted key.
            keep: Keys that are left as the recipe has them, such as ``dataset`` or ``model.encoder``.
        """
        ...


def tiny_keys(recipe: str | Path, keep: Collection[str] = ()) -> dict[str, Any]:
    """Overrides that make a recipe, and those in it, small.

    Args:
        recipe: Name or path.
        keep: Keys that are left as the recipe has them.
    """
    loaded = load_recipe(recipe)
    keys: dict[str, Any] = {}
    if loaded.start is not None and "start" not in keep:
        keys["start"] = None
    for inner in ("", *INNER):
        one = getattr(loaded, inner) if inner else loaded
        if isinstance(one, Recipe) and inner not in keys:
            keys |= {f"{inner}.{key}" if inner else key: value for key, value in TINY_TRAINING.items()}
    keys["dataset"] = TINY_DATA
    if loaded.evaluate.cold_start is not None:
        keys["evaluate.cold_start.dataset"] = {**TINY_DATA, "seed": 1}
    return {key: value for key, value in keys.items() if key not in keep}


@pytest.fixture
def run_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunRecipe:
    """Runs a recipe in a temporary directory, made small. Caches are in that directory, too."""
    monkeypatch.setenv("OUTFITREC_CACHE", str(tmp_path / "cache"))

    def run(recipe: str | Path, overrides: Mapping[str, Any] | None = None, *, keep: Collection[str] = ()) -> Run:
        keys = {**tiny_keys(recipe, keep), **(overrides or {})}
        return outfitrec.run(recipe, keys, out=tmp_path / "runs")

    return run


@pytest.fixture
def isolated_plugins(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """The loaded plugins with a registry of this test's own: what is registered in it is gone afterwards."""
    known = plugins()
    monkeypatch.setattr(known, "registry", known.registry.copy())
    return known


@pytest.fixture
def tiny_dataset() -> Dataset:
    """72 items with features, six users, splits with stored negatives and questions."""
    return WORLD.dataset
