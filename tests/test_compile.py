from pathlib import Path

import pytest

from outfitrec import run


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's compiler, about itself
def test_a_compiled_model_trains_to_the_same_result(tmp_path: Path, closet: Path) -> None:
    recipe = {
        "name": "compiled",
        "dataset": {"name": "polyvore_u", "root": str(closet), "users": 10},
        "image": {"size": 64},
        "model": {"encoder": {"name": "alexnet", "size": "xs", "weights": "none", "dropout": 0.0}},
        "train": {"epochs": 1, "optimizer": {"name": "sgd", "lr": 0.001}, "accelerator": "cpu"},
    }
    plain = run(recipe, out=tmp_path)
    compiled = run(recipe, ["train.compile=true"], out=tmp_path)
    assert compiled.directory != plain.directory
    assert compiled.result.test["auc"] == pytest.approx(plain.result.test["auc"], abs=0.01)
