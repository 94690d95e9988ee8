"""Suites for tests: small recipes of given features, trained in a second each."""

from pathlib import Path
from typing import Any

from tiny import student, tiny

from outfitrec.core.yamlfile import dump


def write_recipes(folder: Path) -> None:
    """Recipes of a method with a teacher (``fnd.yaml``) and of one without (``npair.yaml``), one epoch each."""
    train = {"epochs": 1, "batch": 48, "optimizer": {"name": "sgd", "lr": 0.05}, "accelerator": "cpu"}
    metrics = {"metrics": ["auc", "ndcg"], "negatives": "stored"}
    taught = student(name="fnd", train=train, evaluate=metrics)
    taught["teacher"]["train"] = train
    alone = tiny(name="npair", train=train, evaluate=metrics, objectives=["ranking"])
    for recipe in (taught, alone):
        (folder / f"{recipe['name']}.yaml").write_text(dump(recipe))


def small(folder: Path, **changes: Any) -> Path:
    """The file of a suite of two methods and two seeds; keyword arguments replace whole top-level entries."""
    write_recipes(folder)
    suite: dict[str, Any] = {
        "name": "small",
        "seeds": [0, 1],
        "reference": "N-pair",
        "rows": {"N-pair": {"recipe": "npair.yaml"}, "FND": {"recipe": "fnd.yaml"}},
        **changes,
    }
    path = folder / ("suite.yaml" if suite["name"] == "small" else f"{suite['name']}.yaml")
    path.write_text(dump({key: one for key, one in suite.items() if one is not None}))
    return path
