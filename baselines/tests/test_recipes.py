"""The shipped recipes say what the paper says, and what the originals' code says."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from recipe_values import VALUES

import outfitrec_baselines.recipes
from outfitrec import RecipeError, run
from outfitrec.core.build import parameter_counts
from outfitrec.core.loading import plugins
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.yamlfile import parse

RECIPES = [one for one in plugins().registry if (one.kind, one.provider) == ("recipe", "outfitrec-baselines")]
METHODS = ("fhn", "lpae-u", "lpae-g", "outfitnet-relevancy", "outfitnet", "bi-lstm", "type-aware", "sce-net")
NAMES = sorted(one.name for one in RECIPES)
AS_COMPARED = [name for name in NAMES if name.removesuffix("-519") in METHODS]
CLOSET = [name for name in NAMES if name.startswith("closet-") and not name.endswith("cold-start")]
ORIGINAL = [name for name in NAMES if name.endswith("-original")]
# They say what a recipe is, or where data lies, and no value of a method.
SAID = re.compile(r"name|description|extends|(.*\.)?root")


@cache
def text(name: str) -> str:
    [found] = [one for one in RECIPES if one.name == name]
    return (Path(outfitrec_baselines.recipes.__path__[0]) / f"{found.name}.yaml").read_text(encoding="utf-8")


@cache
def whole(name: str) -> dict[str, Any]:
    return resolved(load_recipe(name))


def value(data: Any, key: str) -> Any:
    """What a dotted key stands for; ``"absent"`` where there is nothing. Names of parameters have dots themselves."""
    if not key:
        return data
    if isinstance(data, list):
        data = {one["name"].rpartition("/")[2]: one for one in data}
    for name in data:
        if key == name or key.startswith(f"{name}."):
            return value(data[name], key[len(name) + 1 :])
    return "absent"


def written(data: Any, key: str = "") -> Iterator[str]:
    """The dotted keys of the values in a recipe's own file; of a part that is just named, that of its name."""
    if isinstance(data, dict):
        for name, one in data.items():
            yield from written(one, f"{key}.{name}" if key else name)
    elif isinstance(data, list) and key.rpartition(".")[2] in ("objectives", "metrics", "strategies"):
        for one in data:
            named = one if isinstance(one, dict) else {"name": one}
            yield from written(named, f"{key}.{named['name'].rpartition('/')[2]}")
    else:
        yield key


def test_every_method_has_all_its_recipes() -> None:
    for method in METHODS:
        assert {method, f"{method}-519", f"closet-{method}"} <= set(NAMES)
        # OutfitNet has no published code.
        assert (f"{method}-original" in NAMES) == (not method.startswith("outfitnet"))


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_valid_and_goes_by_its_name(name: str) -> None:
    assert load_recipe(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_the_values_are_those_of_the_paper_and_of_the_published_code(name: str) -> None:
    # By their words, in which 1, 1.0 and true are three values.
    expected = {key: repr(one) for key, one in VALUES[name].items()}
    assert {key: repr(value(whole(name), key)) for key in expected} == expected


@pytest.mark.parametrize("name", NAMES)
def test_no_value_of_a_recipe_goes_unchecked(name: str) -> None:
    keys = [key for key in written(parse(text(name), name).value) if not SAID.fullmatch(key)]
    named = {key: f"{key}.name" if isinstance(value(whole(name), key), dict) else key for key in keys}
    assert {named[key] for key in keys} <= {*VALUES[name]}


@pytest.mark.parametrize("name", ORIGINAL)
def test_the_header_of_an_original_ends_with_what_differs(name: str) -> None:
    header = text(name).partition("extends:" if "extends:" in text(name) else "name:")[0]
    last = header.rpartition("#\n")[2]
    assert last.startswith("# Differs: ")
    assert last.count("Differs") == header.count("Differs") == 1


def test_what_the_paper_states_is_marked_by_the_value_itself() -> None:
    marked = [line for name in NAMES for line in text(name).splitlines() if line.endswith("# [P]")]
    assert {line.split("#")[0].strip() for line in marked} == {
        "size: xs",
        "preference: {name: outfitrec-baselines/fhn, binary: false}",
    }
    assert sum(text(name).count("[P]") for name in NAMES) == len(marked) + sum("Marked [P]" in text(n) for n in NAMES)


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
