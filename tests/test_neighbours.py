"""Similar items end to end: an encoder is trained, its table is made, augmenters and pictures take items from it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import document, invoke
from PIL import Image
from tiny import tiny
from torch.nn import functional as F
from torchvision.models import squeezenet1_1

from outfitrec.cli.neighbours import SIDE
from outfitrec.core.augment import prepare
from outfitrec.core.data import Dataset
from outfitrec.core.engine import run
from outfitrec.core.errors import DataError, RecipeError
from outfitrec.core.images import ImageStore
from outfitrec.core.neighbours import ABSENT
from outfitrec.core.runs import Run
from outfitrec.core.similar import similar_items
from outfitrec.core.yamlfile import dump
from outfitrec.plots.gallery import APART, GAP, neighbour_sheet, sample

COUNT = 5
DATA = {"name": "synthetic", "users": 4, "items": 200, "pixels": 32, "train": 8, "valid": 4, "test": 3, "liked": 0.2}
TRAIN = {"epochs": 1, "batch": 16, "optimizer": {"name": "adam", "lr": 0.003}, "accelerator": "cpu"}
LOOKS: dict[str, Any] = {
    "name": "looks",
    "image": {"size": 32},
    "model": {"dim": 8, "encoder": {"name": "autoencoder", "latent": 8, "width": 4}, "aggregator": "mean"},
    "objectives": [{"name": "reconstruction", "latent": 8, "width": 4}],
    "train": {**TRAIN, "select": None},
    "evaluate": {"metrics": []},
}
CONTRASTIVE = {"name": "contrastive", "views": [{"name": "replace", "count": COUNT}, "erase"]}


def outer(**changes: Any) -> dict[str, Any]:
    """A recipe whose augmenter takes similar items."""
    return {
        "name": "outer",
        "dataset": DATA,
        "image": {"size": 32},
        "neighbours": LOOKS,
        "model": {**LOOKS["model"], "encoder": {"name": "autoencoder", "latent": 16, "width": 4}},
        "objectives": ["ranking", CONTRASTIVE],
        "train": TRAIN,
        **changes,
    }


def contents(directory: Path) -> dict[str, tuple[int, bytes]]:
    """All files of a run directory, and when they were written."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(outer(), out=tmp_path_factory.mktemp("similar") / "runs")


@pytest.fixture(scope="module")
def looks(trained: Run) -> Run:
    """The run that came first."""
    return Run((trained.directory / trained.manifest["neighbours"]).resolve())


def training_items(dataset: Dataset) -> set[int]:
    items = dataset.splits["train"].positives.outfits.items
    return set(items[items >= 0].tolist())


def test_the_encoder_of_similar_items_is_trained_first_and_then_the_model(trained: Run, looks: Run) -> None:
    assert looks.result.recipe == "looks"
    assert looks.result.test == {}
    assert looks.directory.parent == trained.directory.parent.resolve()
    assert trained.result.warnings == ()
    assert 0 < trained.result.test["auc"] < 1
    assert trained.result.training["figures"]["contrastive"] > 0


def test_neighbours_are_training_items_of_the_category_and_never_the_item_itself(trained: Run) -> None:
    dataset, table = similar_items(outer(), (), COUNT, out=trained.directory.parent)
    category, known = dataset.catalog.category.tolist(), training_items(dataset)
    assert 0 < len(known) < len(dataset.catalog)
    assert table.shape == (200, COUNT)
    for item, row in enumerate(table.tolist()):
        if item not in known:
            assert row == [ABSENT] * COUNT
            continue
        assert len(set(row)) == COUNT
        for other in row:
            assert other in known
            assert other != item
            assert category[other] == category[item]


def test_neighbours_are_the_nearest_by_the_trained_encoders_features(trained: Run, looks: Run) -> None:
    dataset, table = similar_items(outer(), (), COUNT, out=trained.directory.parent)
    known, category = sorted(training_items(dataset)), dataset.catalog.category
    images = prepare(ImageStore.open(dataset.catalog, 32).images(torch.tensor(known)), 32)
    with torch.inference_mode():
        encoder: Any = looks.recommender.encoder
        features = F.normalize(encoder.eval().features(images).double())
    for place, item in enumerate(known):
        others = [k for k, other in enumerate(known) if other != item and category[other] == category[item]]
        cosines = {known[k]: float(features[place] @ features[k]) for k in others}
        found = [cosines[other] for other in table[item].tolist()]
        assert found == pytest.approx(sorted(cosines.values(), reverse=True)[:COUNT], abs=1e-5)


def test_a_second_recipe_takes_the_same_run(trained: Run, looks: Run) -> None:
    before = contents(looks.directory)
    out = trained.directory.parent
    again = run(outer(train={**TRAIN, "seed": 7}), out=out)
    assert again.directory != trained.directory
    assert (again.directory / again.manifest["neighbours"]).resolve() == looks.directory
    assert contents(looks.directory) == before
    assert len(list(out.glob("looks-*"))) == 1


def test_a_finished_run_gives_the_same_neighbours_as_its_recipe(trained: Run, looks: Run, tmp_path: Path) -> None:
    recipe = outer(neighbours=str(looks.directory))
    found = run(recipe, out=tmp_path)
    assert not list(tmp_path.glob("looks-*"))
    assert found.result.per_user == trained.result.per_user
    _, expected = similar_items(outer(), (), COUNT, out=trained.directory.parent)
    assert similar_items(recipe, (), COUNT, out=tmp_path)[1].equal(expected)


def test_a_frozen_encoder_needs_no_training(tmp_path: Path) -> None:
    torch.save(squeezenet1_1(weights=None).state_dict(), tmp_path / "weights.pth")
    encoder = {"name": "torchvision", "architecture": "squeezenet1_1", "frozen": True}
    frozen = {
        **LOOKS,
        "name": "frozen",
        "model": {"encoder": {**encoder, "weights": str(tmp_path / "weights.pth")}, "aggregator": "mean"},
        "objectives": [],
    }
    found = run(outer(neighbours=frozen), out=tmp_path / "runs")
    before = Run(found.directory / found.manifest["neighbours"])
    assert before.result.training["epochs"] == 0
    assert found.result.warnings == ()
    assert found.result.training["epochs"] == 1


def test_a_run_of_other_data_is_refused(looks: Run, tmp_path: Path) -> None:
    recipe = outer(neighbours=str(looks.directory), dataset={**DATA, "seed": 1})
    with pytest.raises(RecipeError, match="was trained on other data than this recipe's dataset") as caught:
        run(recipe, out=tmp_path / "runs")
    assert caught.value.problems[0].hint == "name a recipe under neighbours, and it is trained on this recipe's data"
    assert not list(tmp_path.glob("runs/outer-*/*"))


@pytest.mark.parametrize("objectives", [["ranking"], ["ranking", {"name": "contrastive", "views": ["erase", "erase"]}]])
def test_neighbours_that_nothing_asks_for_are_a_warning(looks: Run, tmp_path: Path, objectives: list[Any]) -> None:
    found = run(outer(neighbours=str(looks.directory), objectives=objectives), out=tmp_path)
    [warning] = found.result.warnings
    assert warning == "the recipe has neighbours, and nothing in its objectives asks for similar items"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "outer.yaml"
    path.write_text(dump(outer()))
    return path


def test_the_command_draws_what_the_trained_encoder_finds(trained: Run, recipe: Path, tmp_path: Path) -> None:
    out, runs = tmp_path / "new" / "similar.png", trained.directory.parent
    result = invoke("neighbours", recipe, "--out", out, "--items", "2", "--count", "3", "--runs", runs)
    assert result.exit_code == 0, result.stderr
    assert f"{out}: 6 items, and the 3 nearest of each" in " ".join(result.stdout.split())
    dataset, table = similar_items(outer(), (), 3, out=runs)
    with Image.open(out) as page:
        assert page.format == "PNG"
        gap = round(GAP * SIDE)
        assert page.width == gap + 4 * (SIDE + gap) + round(APART * SIDE)
        expected = neighbour_sheet(dataset.catalog, table, sample(dataset.catalog, table, 2), SIDE)
        assert page.tobytes() == expected.tobytes()


def test_the_command_gives_the_names(trained: Run, recipe: Path, tmp_path: Path) -> None:
    out, runs = tmp_path / "similar.png", trained.directory.parent
    found = document("neighbours", recipe, "--out", out, "--items", "2", "--count", "3", "--runs", runs)
    assert found["picture"] == str(out)
    assert out.is_file()
    dataset, table = similar_items(outer(), (), 3, out=runs)
    catalog = dataset.catalog
    assert [row["category"] for row in found["items"]] == [name for name in catalog.categories for _ in range(2)]
    for row in found["items"]:
        item = list(catalog.names).index(row["name"])
        assert catalog.categories[int(catalog.category[item])] == row["category"]
        assert row["neighbours"] == [catalog.names[other] for other in table[item].tolist()]


def test_a_recipe_without_neighbours_is_run_itself(looks: Run, tmp_path: Path) -> None:
    path = tmp_path / "looks.yaml"
    path.write_text(dump({**LOOKS, "dataset": DATA}))
    runs = tmp_path / "runs"
    more = ("--out", tmp_path / "similar.png", "--items", "1", "--count", "2", "--runs", runs)
    found = document("neighbours", path, "train.seed=3", *more)
    [directory] = runs.glob("looks-*")
    assert json.loads((directory / "manifest.json").read_text())["recipe"] == "looks"
    assert len(found["items"]) == 3
    assert all(len(row["neighbours"]) == 2 for row in found["items"])


@pytest.mark.parametrize(("name", "message"), [("similar.jpg", "the picture is a PNG"), ("folder.png", "is a folder")])
def test_where_no_picture_can_go_is_said_before_anything_is_trained(
    recipe: Path, tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    result = invoke("neighbours", recipe, "--out", tmp_path / name, "--runs", tmp_path / "runs")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_a_number_of_neighbours_that_is_none_is_refused(recipe: Path, count: str) -> None:
    assert invoke("neighbours", recipe, "--count", count).exit_code == 2


def test_data_without_photos_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the dataset \S*tiny has no photos to show"):
        similar_items(tiny(), (), 2, out=tmp_path / "runs", photos=True)
    assert not (tmp_path / "runs").exists()
