"""The thin line from photos to a result, on real photos where they are present."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from outfitrec import evaluate, run
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import DataError
from outfitrec.core.recipe import load_recipe


def frozen(closet: Path, squeezenet: Path, users: int, pixels: int = 64) -> dict[str, Any]:
    encoder = {"name": "torchvision", "architecture": "squeezenet1_1", "frozen": True, "weights": str(squeezenet)}
    return {
        "name": f"closet-{users}",
        "dataset": {"name": "polyvore_u", "root": str(closet), "users": users},
        "image": {"size": pixels},
        "model": {"encoder": encoder},
        "train": {"epochs": 2, "optimizer": {"name": "sgd", "lr": 0.01}, "accelerator": "cpu"},
    }


@pytest.mark.parametrize("users", [12, 10])
def test_teacher_and_student_learn_from_real_photos(tmp_path: Path, closet: Path, squeezenet: Path, users: int) -> None:
    base = frozen(closet, squeezenet, users)
    teacher = {key: value for key, value in base.items() if key != "dataset"}
    ranking = [{"name": "ranking", "distiller": {"name": "fnd", "alpha": 2.5}}]
    found = run({**base, "teacher": {**teacher, "name": "teacher"}, "objectives": ranking}, out=tmp_path)
    assert 0.5 < found.result.test["auc"] < 1
    assert set(found.result.test) == {"auc", "ndcg", "fitb"}
    assert found.result.protocol["negatives"] == "stored random"
    assert 0 < found.result.training["figures"]["ranking.false_negatives"] < 1
    assert found.teacher is not None
    assert found.teacher.manifest["role"] == "teacher"
    hard = evaluate(found, ["evaluate.negatives.set=hard"])
    assert hard["protocol"]["hash"] != found.result.protocol["hash"]
    assert hard["protocol"]["negatives"] == "stored hard"
    assert hard["test"]["auc"] != found.result.test["auc"]


def test_alexnet_trains_from_scratch_and_scores_new_photos(tmp_path: Path, closet: Path) -> None:
    base = frozen(closet, closet, 10)
    changes = {
        "model.encoder": {"name": "alexnet", "size": "xs", "weights": "none"},
        "train.optimizer": {"name": "adam", "lr": 0.0005},
        "train.epochs": 1,
    }
    found = run(base, changes, out=tmp_path)
    assert found.result.parameters["encoder"] == 2_469_696 + 49_280
    dataset = load_dataset(load_recipe(found.directory / "recipe.yaml"))
    model = found.model
    positives = dataset.splits["test"].positives[:4]
    photos = [
        closet / "images" / "291x291" / dataset.catalog.names[k].split("/")[-1]
        for k in positives.outfits.items[0]
        if k >= 0
    ]
    scores = model.score_photos([0, 1], [[path.read_bytes() for path in photos]], [["top", "bottom", "shoe"]])
    assert scores.shape == (2, 1)
    assert torch.isfinite(scores).all()


def test_a_photo_that_is_missing_stops_the_run_before_it_starts(tmp_path: Path, closet: Path, squeezenet: Path) -> None:

    root = tmp_path / "data"
    (root / "images").mkdir(parents=True)
    (root / "tuples_12").symlink_to(closet / "tuples_12")
    (root / "images" / "291x291").mkdir()
    for photo in (closet / "images" / "291x291").iterdir():
        (root / "images" / "291x291" / photo.name).symlink_to(photo)
    first = (closet / "tuples_12" / "tuples_train_posi").read_text().splitlines()[1].split(",")
    name = (closet / "tuples_12" / "image_list_top").read_text().splitlines()[int(first[1])]
    (root / "images" / "291x291" / name).unlink()
    with pytest.raises(DataError) as error:
        run(frozen(root, squeezenet, 12), out=tmp_path / "runs")
    assert name in str(error.value)
    assert f"of user {first[0]}" in str(error.value)
    assert not list(tmp_path.glob("runs/*"))


def test_the_result_is_json(tmp_path: Path, closet: Path, squeezenet: Path) -> None:
    found = run(frozen(closet, squeezenet, 12), ["train.epochs=1"], out=tmp_path)
    document = json.loads((found.directory / "result.json").read_text())
    assert document["test"]["auc"] == found.result.test["auc"]
    assert len(document["per_user"]["auc"]) == 12
