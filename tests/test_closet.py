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
    catalog = dataset.catalog
    assert catalog.photos is not None
    outfits = dataset.splits["test"].positives.outfits[:3]
    rows = [[item for item in row if item >= 0] for row in outfits.items.tolist()]
    photos = [[catalog.photos.read(item) for item in row] for row in rows]
    words = [[catalog.categories[int(catalog.category[item])] for item in row] for row in rows]
    scores = model.score_photos([0, 1], photos, words)
    assert scores.shape == (2, 3)
    alone = model.score_photos([1], photos[2:], words[2:])
    torch.testing.assert_close(scores[1, 2], alone[0, 0])
    for users, outfit, word, message in (
        ([10], photos[:1], words[:1], r"unknown users \[10\]: the model knows users 0 to 9"),
        ([0], [[]], [[]], "outfit 0: give the bytes of one photo or more"),
        ([0], [], [], "no outfits to score"),
        ([0], photos[:1], words[:2], "1 outfits, and categories of 2"),
        ([0], photos[:1], [words[0][:2]], "outfit 0 has 3 photos, and 2 categories"),
        ([0], [*photos[:1], photos[0][:1]], [words[0], ["hat"]], "outfit 1, photo 0: unknown category 'hat'"),
        ([0], [[b"no photo"]], [["top"]], "outfit 0, photo 0 "),
        (["anna"], photos[:1], words[:1], r"unknown users \['anna'\]"),
    ):
        with pytest.raises(DataError, match=message):
            model.score_photos(users, outfit, word)


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
