"""Recipes for tests that train: small, of given features, done in a second."""

from pathlib import Path
from typing import Any

# A head that draws nothing.
DRY = {"name": "item_encoder", "dropout": 0.0}
PLUGIN = Path(__file__).parent / "plugins" / "tiny.py"
# A preference without a space that users and outfits share.
DOT = PLUGIN.with_name("dot.py")


def tiny(**changes: Any) -> dict[str, Any]:
    """A recipe as a mapping; keyword arguments replace whole top-level entries."""
    recipe: dict[str, Any] = {
        "name": "tiny",
        "plugins": [str(PLUGIN)],
        "dataset": {"name": "tiny"},
        "model": {
            "dim": 16,
            "encoder": {"name": "features", "size": 12, "head": {"name": "item_encoder", "dropout": 0.2}},
            "aggregator": {"name": "set_transformer", "heads": 2, "blocks": 1},
        },
        "objectives": [{"name": "dying"}],
        "train": {"epochs": 3, "batch": 16, "optimizer": {"name": "sgd", "lr": 0.05}, "accelerator": "cpu"},
    }
    return {**recipe, **changes}


def student(**changes: Any) -> dict[str, Any]:
    """A recipe with a teacher."""
    fnd = [{"name": "ranking", "distiller": {"name": "fnd", "alpha": 2.0}}]
    return tiny(**{"name": "student", "teacher": master(), "objectives": fnd, **changes})


def master(**changes: Any) -> dict[str, Any]:
    """A teacher, which takes the student's data."""
    recipe = tiny(**{"name": "master", **changes})
    del recipe["dataset"]
    return recipe
