"""The shipped recipes say what the paper says."""

from functools import cache
from typing import Any

import pytest
import torch

from outfitrec.core.build import parameter_counts
from outfitrec.core.config import create
from outfitrec.core.recipe import load_recipe
from outfitrec.core.settings import Recipe
from outfitrec.plugins.objectives.contrastive import Contrastive

# By recipe: size of AlexNet.
SIZES = {
    "teacher": "large",
    "npair": "xs",
    "bpr": "xs",
    "fnd": "xs",
    "fnd-cl": "xs",
    "student-s": "s",
    "student-m": "m",
    "fnd-hard": "xs",
    "fnd-cl-hard": "xs",
    "cold-start": "xs",
}
DISTILLED = [name for name in SIZES if name not in ("teacher", "npair", "bpr")]
CONTRASTED = [name for name in DISTILLED if name not in ("fnd", "fnd-hard")]
HARD = ("fnd-hard", "fnd-cl-hard")
# By number of users: end of the name, α, views, and users of the cold-start task.
DATA = {
    630: ("", 1.25, ["erase", "replace"], 53),
    519: ("-519", 1.5, ["erase", "erase"], 32),
}
everywhere = pytest.mark.parametrize("users", DATA)


@cache
def shipped(name: str, users: int) -> Recipe:
    return load_recipe(f"{name}{DATA[users][0]}")


def objective(recipe: Recipe, name: str) -> Any:
    [found] = [one for one in recipe.objectives if one.name == name]
    return found


@everywhere
@pytest.mark.parametrize("name", SIZES)
def test_the_model_and_its_training_are_the_papers(name: str, users: int) -> None:
    recipe = shipped(name, users)
    assert (recipe.dataset.name, recipe.dataset.users) == ("polyvore_u", users)
    model: Any = recipe.model
    assert model.dim == 128
    assert (model.encoder.name, model.encoder.size, model.encoder.weights) == ("alexnet", SIZES[name], "imagenet")
    assert (model.aggregator.name, model.aggregator.heads, model.aggregator.blocks) == ("set_transformer", 8, 2)
    assert model.preference.name == "cosine"
    train: Any = recipe.train
    assert (train.batch, train.lr_batch) == (32, 32)
    assert train.optimizer.name == "sgd"
    assert 0 < train.optimizer.momentum < 1
    assert [one.name for one in recipe.evaluate.metrics] == ["auc", "ndcg"]


@everywhere
@pytest.mark.parametrize("name", SIZES)
def test_the_ranking_loss_is_the_papers(name: str, users: int) -> None:
    ranking = objective(shipped(name, users), "ranking")
    assert (ranking.loss.name, ranking.loss.temperature) == ("bpr" if name == "bpr" else "npair", 0.1)
    assert ranking.weight == 1
    if name in DISTILLED:
        assert (ranking.distiller.name, ranking.distiller.alpha) == ("fnd", DATA[users][1])
    else:
        assert ranking.distiller is None


@everywhere
@pytest.mark.parametrize("name", SIZES)
def test_the_teacher_of_each_student_is_large_and_trained_with_the_ranking_loss_alone(name: str, users: int) -> None:
    recipe = shipped(name, users)
    if name not in DISTILLED:
        assert recipe.teacher is None
        return
    teacher: Any = recipe.teacher
    assert teacher.name == "teacher"
    assert teacher.model.encoder.size == "large"
    assert (teacher.dataset.name, teacher.dataset.users) == ("polyvore_u", users)
    assert [one.name for one in teacher.objectives] == ["ranking"]
    assert objective(teacher, "ranking").loss.name == "npair"
    # It is one for all students, hard negatives or not.
    assert teacher.negatives.name == "random_mix"
    assert teacher.evaluate.negatives.set == "random"


@everywhere
@pytest.mark.parametrize("name", SIZES)
def test_contrastive_learning_is_the_papers(name: str, users: int) -> None:
    recipe, (_, _, views, _) = shipped(name, users), DATA[users]
    assert [one.name for one in recipe.objectives] == ["ranking", *(["contrastive"] if name in CONTRASTED else [])]
    if name in CONTRASTED:
        contrastive = objective(recipe, "contrastive")
        assert contrastive.weight == 0.2
        assert (contrastive.loss.name, contrastive.loss.temperature) == ("nt_xent", 0.1)
        assert [view.name for view in contrastive.views] == views
    neighbours: Any = recipe.neighbours
    if name in CONTRASTED and "replace" in views:
        assert neighbours.model.encoder.name == "autoencoder"
    else:
        assert neighbours is None


@everywhere
@pytest.mark.parametrize("name", SIZES)
def test_negatives_are_random_but_where_the_name_says_hard(name: str, users: int) -> None:
    recipe: Any = shipped(name, users)
    negatives = recipe.negatives
    assert (negatives.count, negatives.share) == (1, "pair" if name == "bpr" else "step")
    if name in HARD:
        assert (negatives.name, negatives.hard) == ("mixed", 0.5)
    else:
        assert negatives.name == "random_mix"
    assert recipe.evaluate.negatives.name == "stored"
    assert recipe.evaluate.negatives.set == ("hard" if name in HARD else "random")


@everywhere
@pytest.mark.parametrize("name", SIZES)
def test_unknown_users_are_served_as_in_the_paper(name: str, users: int) -> None:
    cold: Any = shipped(name, users).evaluate.cold_start
    if name != "cold-start":
        assert cold is None
        return
    assert (cold.dataset.name, cold.dataset.users) == ("polyvore_u", DATA[users][3])
    assert (cold.profiles, cold.draws) == ((1, 5), 10)
    average, weighted = cold.strategies
    assert (average.name, average.threshold) == ("average", 0)
    assert (weighted.name, weighted.threshold, weighted.temperature) == ("weighted_average", 0, 0.2)


@everywhere
@pytest.mark.parametrize(
    ("name", "known"),
    [("teacher", 65_905_984), ("npair", 2_768_320), ("student-s", 13_797_184), ("student-m", 28_021_056)],
)
def test_models_have_as_many_parameters_as_table_5_says(name: str, users: int, known: int) -> None:
    """Of each user 128 more than what all users share."""
    assert parameter_counts(shipped(name, users), users)["total"] == known + users * 128


def test_the_projection_head_of_contrastive_learning_has_the_papers_size() -> None:
    """Table 5: contrastive learning adds 0.03 M parameters in training, of two layers with biases."""
    config = objective(load_recipe("fnd-cl-519"), "contrastive")
    with torch.device("meta"):
        made = create(config, dim=128)
    assert isinstance(made, Contrastive)
    assert sum(parameter.numel() for parameter in made.parameters()) == 2 * (128 * 128 + 128) == 33_024
