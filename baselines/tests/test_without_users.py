"""The methods without users on data without users: the releases that they were published on, in small."""

from pathlib import Path
from typing import Any

import pytest
from release_trees import maryland_polyvore, polyvore_outfits

from outfitrec import run

HERE = "outfitrec-baselines/"


@pytest.mark.parametrize(
    ("dataset", "aggregator", "objective"),
    [("polyvore_outfits", "type_aware", "triplet"), ("maryland_polyvore", "bi_lstm", "sequence")],
)
def test_a_method_is_trained_and_judged_by_questions_and_labels(
    tmp_path: Path, dataset: str, aggregator: str, objective: str
) -> None:
    {"polyvore_outfits": polyvore_outfits, "maryland_polyvore": maryland_polyvore}[dataset](tmp_path)
    recipe: dict[str, Any] = {
        "name": "without-users",
        "dataset": {"name": dataset, "root": str(tmp_path)},
        "image": {"size": 64},
        "model": {
            "dim": 8,
            "encoder": {"name": "alexnet", "size": "xs", "weights": "none", "head": "linear"},
            "aggregator": f"{HERE}{aggregator}",
            "preference": f"{HERE}compatibility",
        },
        "objectives": [{"name": f"{HERE}{objective}"}],
        "train": {"epochs": 1, "batch": 6, "accelerator": "cpu", "workers": 1},
    }
    found = run(recipe, out=tmp_path / "runs").result
    assert set(found.test) == {"auc", "ndcg", "fitb", "compatibility_auc"}
    assert all(0 <= value <= 1 for value in found.test.values())
