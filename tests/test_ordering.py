"""The order of methods on real photos: slow, since it trains four models."""

from pathlib import Path

import pytest

from benchmarks import closet as experiment
from outfitrec import run


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fnd_beats_npair_beats_bpr(tmp_path: Path, closet: Path, squeezenet: Path) -> None:
    npair = experiment.recipe("npair", closet, squeezenet, 40, 64)
    teacher = experiment.recipe("teacher", closet, squeezenet, 40, 192)
    del teacher["dataset"]
    recipes = {"bpr": experiment.bpr(npair), "npair": npair, "fnd": experiment.fnd(npair, teacher, 4.0)}
    auc = {name: run(recipe, out=tmp_path).result.test["auc"] for name, recipe in recipes.items()}
    assert auc["fnd"] > auc["npair"] > auc["bpr"]
    assert auc["npair"] >= 0.75
    assert auc["fnd"] >= 0.76
