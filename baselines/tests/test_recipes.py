"""The shipped recipes say what the paper says, and what the originals' code says."""

from pathlib import Path
from typing import Any

import pytest

from outfitrec import RecipeError, run
from outfitrec.core.build import parameter_counts
from outfitrec.core.loading import plugins
from outfitrec.core.recipe import load_recipe

RECIPES = [one for one in plugins().registry if (one.kind, one.provider) == ("recipe", "outfitrec-baselines")]
METHODS = ("fhn", "lpae-u", "lpae-g", "outfitnet-relevancy", "outfitnet", "bi-lstm", "type-aware", "sce-net")
NAMES = sorted(one.name for one in RECIPES)
AS_COMPARED = [name for name in NAMES if name.removesuffix("-519") in METHODS]
CLOSET = [name for name in NAMES if name.startswith("closet-") and not name.endswith("cold-start")]


def test_every_method_has_all_its_recipes() -> None:
    for method in METHODS:
        assert {method, f"{method}-519", f"closet-{method}"} <= set(NAMES)
        # OutfitNet has no published code.
        assert (f"{method}-original" in NAMES) == (not method.startswith("outfitnet"))


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_valid_and_goes_by_its_name(name: str) -> None:
    assert load_recipe(name).name == name


@pytest.mark.parametrize("name", AS_COMPARED)
def test_each_method_is_compared_as_in_the_paper(name: str) -> None:
    recipe: Any = load_recipe(name)
    assert recipe.dataset.users == (519 if name.endswith("-519") else 630)
    assert (recipe.model.dim, recipe.model.encoder.name, recipe.model.encoder.size) == (128, "alexnet", "xs")
    assert (recipe.train.batch, recipe.train.lr_batch, recipe.train.optimizer.name) == (32, 32, "sgd")
    assert recipe.train.optimizer.momentum > 0
    assert [one.name for one in recipe.evaluate.metrics] == ["auc", "ndcg"]
    assert recipe.evaluate.negatives.name == "stored"


def test_the_second_stage_starts_from_the_first() -> None:
    for end in ("", "-519"):
        recipe: Any = load_recipe(f"outfitnet{end}")
        assert recipe.start.name == f"outfitnet-relevancy{end}"
        assert recipe.start.dataset == recipe.dataset


@pytest.mark.parametrize(
    ("name", "users", "total"),
    [
        # An item encoder of 256 → 128 → 128 for each of three categories, users, and two diagonals of 128.
        ("fhn", 630, 2_469_696 + 3 * 49_280 + 630 * 128 + 2 * 128),
        # 64 anchors a user; 32 a user and 32 for all; the item embedding, the Set Transformer and a layer after it.
        ("lpae-u", 630, 2_469_696 + 33_152 + 3 * 66_560 + 128 + 16_512 + 630 * 64 * 128),
        ("lpae-g", 630, 2_469_696 + 33_152 + 3 * 66_560 + 128 + 16_512 + (630 + 1) * 32 * 128),
        # A linear item embedding, and a mask for each pair of types: top–top among them for 519 users.
        ("type-aware", 630, 2_469_696 + 257 * 128 + 3 * 128),
        ("type-aware-519", 519, 2_469_696 + 257 * 128 + 4 * 128),
        # Five conditions, and the branch of two layers that weighs them.
        ("sce-net", 630, 2_469_696 + 257 * 128 + 5 * 128 + 257 * 32 + 33 * 5),
    ],
)
def test_the_parameters_add_up(name: str, users: int, total: int) -> None:
    assert parameter_counts(load_recipe(name), users)["total"] == total


def test_an_objective_is_addressed_without_its_provider() -> None:
    recipe: Any = load_recipe("outfitnet-relevancy", ["objectives.item_relevancy.temperature=0.3"])
    assert recipe.objectives[0].temperature == 0.3
    with pytest.raises(RecipeError, match="objectives has no entry 'relevancy'"):
        load_recipe("outfitnet-relevancy", ["objectives.relevancy.temperature=0.3"])


@pytest.mark.parametrize("users", [40, 36])
@pytest.mark.parametrize("name", CLOSET)
def test_each_method_trains_on_real_photos(
    tmp_path: Path, closet: Path, squeezenet: Path, name: str, users: int
) -> None:
    keys: dict[str, object] = {"dataset.root": str(closet), "dataset.users": users, "train.epochs": 1}
    keys["model.encoder.weights"] = str(squeezenet)
    if name == "closet-outfitnet":
        keys |= {"start.model.encoder.weights": str(squeezenet), "start.train.epochs": 1}
    found = run(name, {**keys, "train.batch": 128}, out=tmp_path).result
    assert 0 < found.test["auc"] < 1
    assert found.warnings == ()
