"""Pictures of outfits: their order against naive scores of the photos themselves, their marks against the data."""

import base64
import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import made_reports
import numpy as np
import pytest
import torch
from browser import Browser, chromium  # noqa: F401 - a fixture
from PIL import Image
from tiny import DOT, tiny

from outfitrec import Run, run
from outfitrec.benchmark.report import kept as kept_module
from outfitrec.benchmark.report import pictures, strips
from outfitrec.benchmark.report.html import html
from outfitrec.benchmark.report.pictures import false_negatives, recommended, shown_users
from outfitrec.benchmark.report.space import space
from outfitrec.core.data import Dataset
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import DataError, RunError, UserError
from outfitrec.core.outfits import Outfits
from outfitrec.core.photos import decode
from outfitrec.core.recipe import load_recipe
from outfitrec.core.space import open_space

NET = {"name": "alexnet", "size": "xs", "weights": "none", "head": {"name": "item_encoder", "dropout": 0.0}}
TEACHER: dict[str, Any] = {
    "name": "master",
    "image": {"size": 64},
    "model": {"dim": 16, "encoder": NET},
    "objectives": ["ranking"],
    "train": {"epochs": 1, "batch": 64, "optimizer": {"name": "adam", "lr": 0.001}, "accelerator": "cpu"},
}
STUDENT: dict[str, Any] = {
    **TEACHER,
    "name": "student",
    "teacher": TEACHER,
    "dataset": {"name": "synthetic", "pixels": 64, "users": 4, "items": 200, "train": 12, "valid": 2, "test": 4}
    | {"two_tops": 0.3},
    "objectives": [{"name": "ranking", "distiller": {"name": "fnd", "alpha": 2.0}}],
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(STUDENT, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset(load_recipe(STUDENT))


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is kept from test to test."""
    monkeypatch.setattr(kept_module, "cache_root", lambda: tmp_path / "cache")
    yield


def photo_scores(model: Any, dataset: Dataset, user: int, outfits: list[list[int]]) -> list[float]:
    """Scores of the photos as they are, as a shop would ask for them."""
    photos = dataset.catalog.photos
    assert photos is not None
    catalog = dataset.catalog
    files = [[photos.read(item) for item in outfit] for outfit in outfits]
    words = [[catalog.categories[int(catalog.category[item])] for item in outfit] for outfit in outfits]
    found: list[float] = model.score_photos([user], files, words)[0].tolist()
    return found


def sets(outfits: Outfits) -> list[list[int]]:
    return [[item for item in row if item >= 0] for row in outfits.items.tolist()]


def words(dataset: Dataset, outfit: list[int]) -> str:
    catalog = dataset.catalog
    return ", ".join(f"{catalog.categories[int(catalog.category[item])]} {catalog.names[item]}" for item in outfit)


def of_user(dataset: Dataset, split: str, user: int) -> list[list[int]]:
    positives = dataset.splits[split].positives
    return [one for one, owner in zip(sets(positives.outfits), positives.users.tolist(), strict=True) if owner == user]


def test_the_order_is_that_of_naive_scores_and_marks_are_those_of_the_data(finished: Run, dataset: Dataset) -> None:
    people = recommended(finished)["people"]
    assert [person["user"] for person in people] == shown_users(dataset)
    negatives = dataset.splits["test"].negatives["random"]
    for person in people:
        user = person["user"]
        posted = of_user(dataset, "test", user)
        drawn = zip(sets(negatives.outfits), negatives.users.tolist(), strict=True)
        wrong = [one for one, owner in drawn if owner == user]
        everything = posted + wrong
        scores = photo_scores(finished.model, dataset, user, everything)
        ranked = sorted(zip(scores, everything, strict=True), key=lambda pair: -pair[0])
        distinct = list(dict.fromkeys(tuple(sorted(outfit)) for _, outfit in ranked))[:5]
        texts = {tuple(sorted(outfit)): words(dataset, outfit) for outfit in everything}
        assert [one["alt"] for one in person["first"]] == [texts[outfit] for outfit in distinct]
        mine = {tuple(sorted(outfit)) for outfit in posted}
        assert [one["right"] for one in person["first"]] == [outfit in mine for outfit in distinct]


def test_posted_outfits_are_of_the_users_training(finished: Run, dataset: Dataset) -> None:
    for person in recommended(finished)["people"]:
        own = [words(dataset, outfit) for outfit in of_user(dataset, "train", person["user"])]
        shown = [one["alt"] for one in person["posted"]]
        assert len(set(shown)) == 5
        assert set(shown) <= set(own)
        assert all(one["right"] is None for one in person["posted"])


def test_false_negatives_are_unobserved_and_above_the_average_by_naive_scores(finished: Run, dataset: Dataset) -> None:
    assert finished.teacher is not None
    teacher = finished.teacher.model
    by_words = {dataset.catalog.names[item]: item for item in range(len(dataset.catalog))}
    people = false_negatives(finished)["people"]
    assert any(person["first"] for person in people)
    for person in people:
        user = person["user"]
        own = of_user(dataset, "train", user)
        mean = float(np.mean(photo_scores(teacher, dataset, user, own)))
        assert person["mean"] == f"{mean:.3f}".replace("-", "−")
        assert person["drawn"] == 10 * len(own)
        assert len(person["first"]) == min(5, person["found"])
        shown = [[by_words[part.split(" ")[1]] for part in one["alt"].split(", ")] for one in person["first"]]
        if not shown:
            continue
        scores = photo_scores(teacher, dataset, user, shown)
        assert all(score > mean for score in scores)
        assert all(one >= other - 1e-6 for one, other in pairwise(scores))
        assert [one["note"] for one in person["first"]] == [f"score {one:.3f}".replace("-", "−") for one in scores]
        assert not {frozenset(outfit) for outfit in shown} & {frozenset(outfit) for outfit in own}
        assert dataset.truth is not None
        width = max(map(len, shown))
        items = torch.tensor([outfit + [-1] * (width - len(outfit)) for outfit in shown])
        likes = dataset.truth.liked(torch.full((len(shown),), user), dataset.catalog.outfits(items))
        assert [one["right"] for one in person["first"]] == likes.tolist()
        assert person["liked"] <= person["found"] <= person["drawn"]


def test_a_run_without_a_teacher_is_asked_itself(finished: Run) -> None:
    assert finished.teacher is not None
    of_student, of_teacher = false_negatives(finished), false_negatives(finished.teacher)
    assert of_teacher == of_student


def test_a_picture_shows_the_photos_of_its_items(dataset: Dataset) -> None:
    outfit = sets(dataset.splits["train"].positives.outfits)[0]
    made = strips.picture(dataset.catalog, [*outfit, -1])
    data = base64.b64decode(made["image"].removeprefix("data:image/jpeg;base64,"))
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    assert image.size == (made["width"], made["height"]) == (72 * len(outfit), 72)
    photos = dataset.catalog.photos
    assert photos is not None
    for place, item in enumerate(outfit):
        part = np.asarray(image.crop((72 * place, 0, 72 * place + 72, 72))).astype(float)
        assert np.abs(part - decode(photos.read(item), 72)).mean() < 6


def test_finished_pictures_are_found_again(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time nothing is opened."""
    before = recommended(finished)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("opened again")

    monkeypatch.setattr(pictures, "reopen", refuse)
    assert recommended(finished) == before
    with pytest.raises(AssertionError, match="opened again"):
        false_negatives(finished)


def test_a_damaged_cache_is_as_good_as_none(finished: Run, tmp_path: Path) -> None:
    before = recommended(finished)
    (file,) = (tmp_path / "cache" / "report").iterdir()
    file.write_text("{")
    assert recommended(finished) == before
    assert file.read_text() != "{"


def test_what_is_kept_is_of_these_weights_alone(finished: Run, tmp_path: Path) -> None:
    """Of other weights the model is opened again, and refuses those that are not what it was written with."""
    recommended(finished)
    config = finished.directory / "model" / "model.json"
    text = config.read_text()
    try:
        config.write_text(text.replace('"sha256": "', '"sha256": "0'))
        with pytest.raises(RunError):
            recommended(Run(finished.directory))
    finally:
        config.write_text(text)


def test_data_without_photos_say_so(tmp_path: Path) -> None:
    bare = run(tiny(train={"epochs": 1, "batch": 16, "accelerator": "cpu"}), out=tmp_path / "runs")
    with pytest.raises(DataError, match="no photos"):
        recommended(bare)
    with pytest.raises(DataError, match="no photos"):
        false_negatives(bare)
    assert len(space(bare)["users"]) == 3


def test_a_photo_that_is_missing_says_so(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(self: object, item: int) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(type(dataset.catalog.photos), "read", lost)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        strips.picture(dataset.catalog, [0, 1])


def test_the_space_of_the_page_has_the_points_of_the_run(finished: Run) -> None:
    """Every mark is a `use` of a shape; the legend has some of its own."""
    found = open_space(finished)
    drawn = space(finished)
    assert drawn["users"] == list(found.users)
    assert len(found.user) <= drawn["svg"].count("<use") <= len(found.user) + 12
    assert "#000000" not in drawn["svg"]


def test_a_space_that_is_none_says_why(tmp_path: Path) -> None:
    recipe = tiny(train={"epochs": 1, "batch": 16, "accelerator": "cpu"})
    recipe["plugins"] = [*recipe["plugins"], str(DOT)]
    recipe["model"] = {**recipe["model"], "preference": "dot"}
    finished = run(recipe, out=tmp_path / "runs")
    with pytest.raises(UserError, match="share no space where the preference is dot"):
        space(finished)
    page = html(made_reports.with_runs(made_reports.swept(tmp_path / "made"), {"FND": finished.directory}, space="FND"))
    assert "FND</b> cannot be shown: users and outfits share no space" in page


@pytest.fixture(scope="module")
def page(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    assert finished.teacher is not None
    runs = {"FND": finished.directory, "teacher": finished.teacher.directory}
    changes: dict[str, Any] = {"space": "FND", "pictures": ("FND", "teacher"), "false_negatives": "FND"}
    file = folder / "report.html"
    file.write_text(html(made_reports.with_runs(made_reports.methods(folder / "made"), runs, **changes)))
    return file


def test_a_wrong_outfit_is_never_marked_right(page: Path, browser: Browser, finished: Run, dataset: Dataset) -> None:
    browser.open(page)
    shown = browser.ask(
        "return [...document.querySelectorAll('#pictures .gallery[data-row] li')].map(one => "
        "[one.closest('.person').querySelector('h3').textContent, one.querySelector('img').alt, one.className, "
        "one.textContent.trim().replace(/\\s+/g, ' '), getComputedStyle(one.querySelector('img')).borderTopStyle])"
    )
    assert len(shown) == 3 * 2 * 5
    for heading, alt, look, text, border in shown:
        user = int(heading.removeprefix("User "))
        mine = {words(dataset, outfit) for outfit in of_user(dataset, "test", user)}
        assert (look == "right") == (alt in mine)
        assert look in ("right", "wrong")
        assert ("✓ posted" in text) == (look == "right")
        assert ("✗ not posted" in text) == (look == "wrong")
        assert border == {"right": "solid", "wrong": "dashed"}[look]


@pytest.mark.parametrize("width", [390, 1280])
def test_photos_are_there_and_fit(page: Path, browser: Browser, width: int) -> None:
    browser.open(page, width)
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]
    sizes = browser.ask("return [...document.images].map(one => [one.alt, one.naturalWidth, one.naturalHeight])")
    assert len(sizes) > 60
    for alt, wide, high in sizes:
        assert wide == 72 * len(alt.split(", "))
        assert high == 72
    assert browser.ask("return document.documentElement.scrollWidth") == width


def test_rows_of_other_data_are_left_out(finished: Run, tmp_path: Path) -> None:
    other = {**TEACHER, "dataset": {**STUDENT["dataset"], "seed": 1}}
    runs = {"FND": finished.directory, "other": run(other, out=tmp_path / "runs").directory}
    page = html(made_reports.with_runs(made_reports.methods(tmp_path / "made"), runs, pictures=("FND", "other")))
    assert "other</b> cannot be shown: its data are others than those of FND" in page
    assert page.count('data-row="FND"') == 3
    assert 'data-row="other"' not in page
