from typing import Any

import pytest
from recipe_fakes import fake_plugins

from outfitrec.core.errors import RecipeError
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.settings import Recipe

BASE: dict[str, Any] = {
    "name": "r",
    "model": {"encoder": "alexnet", "preference": {"name": "cosine", "std": 2.0}},
    "objectives": [
        {"name": "ranking", "distiller": {"name": "fnd", "alpha": 2.0}},
        {"name": "contrastive", "views": ["erase", "erase"]},
    ],
    "train": {"patience": 2, "groups": {"encoder": {"lr": 0.1}}},
    "teacher": "npair",
}


PLUGINS = fake_plugins()


def load(*overrides: str, **changes: Any) -> Recipe:
    return load_recipe({**BASE, **changes}, overrides, plugins=PLUGINS)


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("train.epochs=3", "train.epochs", 3),
        ("train.optimizer.lr=1e-3", "train.optimizer.lr", 0.001),
        ("train.patience=", "train.patience", None),
        ("train.patience=~", "train.patience", None),
        ("description=no", "description", "no"),
        ("description='a=b'", "description", "a=b"),
        # An entry as a whole, one key of it, of a bare name, and of a default.
        ("model.encoder={name: torchvision, architecture: vgg}", "model.encoder.architecture", "vgg"),
        ("model.encoder.size=m", "model.encoder.size", "m"),
        ("model.aggregator.heads=4", "model.aggregator.heads", 4),
        ("model.preference=cosine", "model.preference.std", 1.0),
        # An entry of a list by name and by position, and inside it.
        ("objectives.ranking.distiller.alpha=2.5", "objectives.0.distiller.alpha", 2.5),
        ("objectives.1.weight=0.5", "objectives.1.weight", 0.5),
        ("objectives.ranking.loss=bpr", "objectives.0.loss.name", "bpr"),
        ("objectives.ranking.loss.temperature=0.5", "objectives.0.loss.temperature", 0.5),
        ("objectives.contrastive={name: contrastive, weight: 3}", "objectives.1.weight", 3.0),
        ("objectives.contrastive.views.1.count=3", "objectives.1.views.1.count", 3),
        ("objectives.contrastive.views=[replace]", "objectives.1.views.0.name", "replace"),
        ("evaluate.metrics.ndcg.k=5", "evaluate.metrics.1.k", 5),
        # Mappings, whose keys may have dots.
        ("train.groups.encoder.lr=0.5", "train.groups.encoder.lr", 0.5),
        ("train.groups.encoder.backbone.lr=0.5", "train.groups.encoder=backbone.lr", 0.5),
        ("train.groups={preference: {lr: 0.5}}", "train.groups.preference.lr", 0.5),
        ("requires.outfitrec='>=0.1'", "requires.outfitrec", ">=0.1"),
        # The teacher, by name until something in it is set.
        ("teacher.train.epochs=3", "teacher.train.epochs", 3),
        ("teacher.model.encoder.size=large", "teacher.model.encoder.size", "large"),
        ("teacher=bpr", "teacher.name", "bpr"),
    ],
)
def test_keys(override: str, path: str, value: Any) -> None:
    before, after = resolved(load()), resolved(load(override))
    assert before != after
    found: Any = after
    for key in path.split("."):
        found = found[int(key)] if isinstance(found, list) else found[key.replace("=", ".")]
    assert found == value
    assert type(found) is type(value)


def test_only_the_key_changes() -> None:
    after = resolved(load("objectives.ranking.distiller.alpha=2.5"))
    assert after["objectives"][0]["distiller"].pop("alpha") == 2.5
    before = resolved(load())
    del before["objectives"][0]["distiller"]["alpha"]
    assert after == before


def test_overrides_go_in_order() -> None:
    assert load("train.epochs=3", "train.epochs=4").train.epochs == 4
    encoder = load("model.encoder.size=m", "model.encoder={name: alexnet, dropout: 0.1}").model.encoder
    assert (encoder.size, encoder.dropout) == ("xs", 0.1)
    teacher = load("teacher.train.epochs=3", "teacher=bpr").teacher
    assert isinstance(teacher, Recipe)
    assert (teacher.name, teacher.train.epochs) == ("bpr", 50)


def test_no_teacher() -> None:
    assert load(objectives=["ranking"]).teacher is not None
    assert load("teacher=", objectives=["ranking"]).teacher is None


def test_from_python() -> None:
    assert load_recipe(BASE, "train.epochs=3", plugins=PLUGINS).train.epochs == 3
    overrides = {"train.epochs": 3, "model.encoder": {"name": "alexnet", "size": "m"}, "description": "no"}
    recipe = load_recipe(BASE, overrides, plugins=PLUGINS)
    assert (recipe.train.epochs, recipe.model.encoder.size, recipe.description) == (3, "m", "no")
    with pytest.raises(RecipeError) as caught:
        load_recipe(BASE, {"train.epochs": "3"}, plugins=PLUGINS)
    assert caught.value.problems[0].where == "override \"train.epochs='3'\""


def test_by_label_and_by_position_where_names_repeat() -> None:
    objectives = [{"name": "ranking", "label": "a"}, {"name": "ranking", "label": "b"}]
    found = load("objectives.b.weight=3", "objectives.0.weight=2", objectives=objectives).objectives
    assert [one.weight for one in found] == [2.0, 3.0]
    with pytest.raises(RecipeError, match=r"address one by position: objectives\.0, objectives\.1"):
        load("objectives.ranking.weight=3", objectives=objectives)


@pytest.mark.parametrize(
    ("override", "message", "hint"),
    [
        ("train.epochs", "no '='", "KEY=VALUE"),
        ("train..epochs=3", "words joined by dots", "train.optimizer.lr"),
        ("=3", "words joined by dots", "train.optimizer.lr"),
        ("train.epochs=[", "not valid YAML", ""),
        ("trian.epochs=3", "trian: unknown key", "did you mean 'train'"),
        ("train.epoch=3", "train.epoch: unknown key", "did you mean 'epochs'"),
        ("extends=npair", "extends: unknown key", ""),
        ("train.epochs=x", "train.epochs: must be a whole number ≥ 0, not 'x'", ""),
        ("train.epochs.x=3", "train.epochs has no keys, and so no 'x'", ""),
        ("model.encoder.sise=m", "model.encoder.sise: unknown key of encoder 'alexnet'", "did you mean 'size'"),
        ("model.encoder=alexnett", "model.encoder: unknown encoder 'alexnett'", "did you mean 'alexnet'"),
        ("model.encoder={size: m}", "model.encoder: needs a 'name'", "write name: alexnet"),
        ("objectives.rankin.weight=1", "objectives has no entry 'rankin'", "did you mean 'ranking'"),
        ("objectives.7.weight=1", "objectives has 2 entries, and no number 7", ""),
        ("objectives.contrastive.views.erase.count=2", "2 entries 'erase'", "objectives.contrastive.views.0"),
        ("train.groups.encoder.backbone.lrr=1", "train.groups.encoder.backbone.lrr: must be a mapping, not 1", ""),
        ("teacher.dataset.users=3", "teacher.dataset: it takes the dataset of the recipe that it is in", ""),
        (
            "teacher={dataset: synthetic, name: t}",
            "teacher.dataset: it takes the dataset of the recipe that it is in",
            "",
        ),
        ("teacher.trian.epochs=3", "teacher.trian: unknown key", "did you mean 'train'"),
        ("teacher.teacher.name=x", "the recipe has no teacher", "teacher=RECIPE"),
        ("evaluate.metrics=[twin]", "metric 'twin' is provided by one, two", "one/twin, two/twin"),
    ],
)
def test_problems(override: str, message: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load(override)
    assert len(caught.value.problems) == 1
    problem = caught.value.problems[0]
    assert message in problem.message
    assert hint in problem.hint
    assert problem.where.startswith(f"override {override!r}")


def test_a_part_that_is_not_set() -> None:
    with pytest.raises(RecipeError, match="distiller is not set") as caught:
        load("objectives.ranking.distiller.alpha=2", objectives=["ranking"])
    assert "objectives.ranking.distiller={name: …}" in caught.value.problems[0].hint


def test_problems_of_recipe_and_overrides_come_together() -> None:
    with pytest.raises(RecipeError) as caught:
        load("train.epochs=x", "objectives.none.weight=3", "model.encoder.sise=m", image={"size": "x"})
    assert len(caught.value.problems) == 4
