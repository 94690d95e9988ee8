"""Recipes that start from what another model learned, that leave parts as they start, and that train nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import invoke
from killing import STEP, Death, attempt
from safetensors.torch import load_file, save_file
from test_step import CATALOG, Table, recommender
from tiny import master, student, tiny
from torch import Tensor
from torchvision.models import squeezenet1_1

from outfitrec.core.engine import run
from outfitrec.core.errors import RecipeError, RunError, UserError
from outfitrec.core.program import Program
from outfitrec.core.progress import Progress
from outfitrec.core.recipe import load_recipe
from outfitrec.core.runs import Run
from outfitrec.core.yamlfile import dump
from outfitrec.plugins.losses.npair import NPair
from outfitrec.plugins.objectives.ranking import Ranking

# 144 pairs, 9 steps an epoch.
TRAIN: dict[str, Any] = {**tiny()["train"], "epochs": 2}
UNTRAINED = {**TRAIN, "epochs": 0}


def first(**changes: Any) -> dict[str, Any]:
    """What another recipe starts from; it takes that one's data."""
    recipe = tiny(**{"name": "first", "train": {**TRAIN, "seed": 7}, **changes})
    del recipe["dataset"]
    return recipe


def second(**changes: Any) -> dict[str, Any]:
    return tiny(**{"name": "second", "train": TRAIN, "start": first(), **changes})


def parameters(found: Run) -> dict[str, Tensor]:
    return load_file(found.directory / "model" / "weights.safetensors")


def same(one: dict[str, Tensor], other: dict[str, Tensor], prefix: str = "") -> bool:
    """Whether all parameters of a part are the same, bit for bit."""
    names = [name for name in one if name.startswith(prefix)]
    assert names
    return all(name in other and one[name].equal(other[name]) for name in names)


class Told(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def message(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of ``first``."""
    return run(tiny(**first()), out=tmp_path_factory.mktemp("begun"))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model as it is made, started from nothing."""
    return run(second(start=None, train=UNTRAINED), out=tmp_path_factory.mktemp("untouched"))


def test_without_epochs_a_recipe_evaluates_what_it_starts_from(begun: Run, tmp_path: Path) -> None:
    found = run(second(train=UNTRAINED), out=tmp_path)
    assert same(parameters(found), parameters(begun))
    assert found.result.per_user == begun.result.per_user
    assert found.result.valid == begun.result.valid
    assert (found.result.training["epochs"], found.result.training["figures"]) == (0, {})
    assert found.result.warnings == ()
    assert not (found.directory / "metrics.jsonl").exists()


def test_the_recipe_under_start_is_trained_first_and_named(begun: Run, tmp_path: Path) -> None:
    found = run(second(), out=tmp_path)
    before = Run((found.directory / found.manifest["start"]).resolve())
    assert before.directory.parent == tmp_path.resolve()
    assert before.directory.name.startswith("first-")
    assert same(parameters(before), parameters(begun))
    assert not same(parameters(found), parameters(begun), "encoder.")
    assert found.result.training["first"]["ranking"] < begun.result.training["first"]["ranking"]


def test_a_recipe_a_run_and_a_file_of_its_weights_start_the_same(begun: Run, tmp_path: Path) -> None:
    # The weights of any model, under any name.
    save_file(parameters(begun), tmp_path / "learned.safetensors")
    by_recipe = run(second(), out=tmp_path / "runs")
    for start in (begun.directory, tmp_path / "learned.safetensors"):
        found = run(second(start=str(start)), out=tmp_path / "runs")
        assert found.trained
        assert found.directory != by_recipe.directory
        assert (found.directory / found.manifest["start"]).resolve() == start.resolve()
        assert same(parameters(found), parameters(by_recipe))
        assert found.result.per_user == by_recipe.result.per_user


def test_only_what_has_the_same_name_and_shape_is_taken(begun: Run, untouched: Run, tmp_path: Path) -> None:
    weights = parameters(begun)
    chosen = {name: one for name, one in weights.items() if name.startswith("encoder.")}
    chosen["preference.user.weight"] = weights["preference.user.weight"][1:]
    chosen["preference.nothing"] = torch.zeros(3)
    save_file(chosen, tmp_path / "some.safetensors")
    told = Told()
    recipe = second(start=str(tmp_path / "some.safetensors"), train=UNTRAINED)
    done = run(recipe, out=tmp_path / "runs", progress=told)
    found = parameters(done)
    assert same(found, weights, "encoder.")
    for part in ("aggregator.", "preference."):
        assert same(found, parameters(untouched), part)
    assert "preference.nothing" not in found
    [text] = [text for text in told.texts if "starts from" in text]
    count = len([name for name in chosen if name.startswith("encoder.")])
    assert f"some.safetensors: {count} of {len(found)} parameters (encoder.layers); new: aggregator." in text
    assert "preference.user" not in text
    file = str(tmp_path / "some.safetensors")
    assert (
        f"start: preference.user.weight of {file} have another shape here, and were not taken" in done.result.warnings
    )
    assert f"start: this recipe's model has no preference.nothing, which {file} has" in done.result.warnings


def test_a_run_of_other_users_gives_what_fits(begun: Run, tmp_path: Path) -> None:
    recipe = second(start=str(begun.directory), dataset={"name": "tiny", "users": 8, "seed": 3}, train=UNTRAINED)
    found = parameters(run(recipe, out=tmp_path))
    assert same(found, parameters(begun), "encoder.")
    assert same(found, parameters(begun), "aggregator.")
    assert len(found["preference.user.weight"]) == 8


def test_a_source_with_nothing_in_common_is_an_error(tmp_path: Path) -> None:
    save_file({"backbone.0.weight": torch.zeros(2), "user": torch.zeros(3)}, tmp_path / "strange.safetensors")
    with pytest.raises(RecipeError, match="has no parameter of the same name and shape") as caught:
        run(second(start=str(tmp_path / "strange.safetensors")), out=tmp_path / "runs")
    [problem] = caught.value.problems
    assert problem.message.startswith("start: ")
    assert "strange.safetensors" in problem.message
    assert problem.hint.endswith("the file has backbone.0, user")
    assert "this one has aggregator.attention, " in problem.hint
    assert "encoder.layers, preference.user" in problem.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "start: cannot read .*w.safetensors: No such file"),
        (b"no tensors", "start: .*w.safetensors cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises((UserError, RunError), match=message):
        run(second(start=str(tmp_path / "w.safetensors")), out=tmp_path / "runs")


def test_an_interrupted_run_is_no_start(begun: Run, tmp_path: Path) -> None:
    shutil.copytree(begun.directory, tmp_path / "interrupted")
    (tmp_path / "interrupted" / "result.json").unlink()
    with pytest.raises(RunError, match="interrupted"):
        run(second(start=str(tmp_path / "interrupted")), out=tmp_path / "runs")


def test_what_a_recipe_starts_from_is_part_of_what_it_computes(begun: Run, tmp_path: Path) -> None:
    weights = parameters(begun)
    for name, change in (("one", 0.0), ("other", 1e-3)):
        save_file({key: one + change for key, one in weights.items()}, tmp_path / f"{name}.safetensors")
    shutil.copy(tmp_path / "one.safetensors", tmp_path / "copy.safetensors")
    shutil.copytree(begun.directory, tmp_path / "moved")
    again = first(train={**TRAIN, "seed": 8})
    starts = {
        "none": None,
        "recipe": first(),
        "other recipe": again,
        "run": str(begun.directory),
        "run elsewhere": str(tmp_path / "moved"),
        "file": str(tmp_path / "one.safetensors"),
        "same file": str(tmp_path / "copy.safetensors"),
        "other file": str(tmp_path / "other.safetensors"),
    }
    names = {
        key: run(second(start=one, train=UNTRAINED), out=tmp_path / "runs").directory for key, one in starts.items()
    }
    assert names["run"] == names["run elsewhere"]
    assert names["file"] == names["same file"]
    assert len(set(names.values())) == len(names) - 2


def test_a_start_is_found_beside_the_file_that_names_it(begun: Run, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    save_file(parameters(begun), tmp_path / "inner" / "learned.safetensors")
    (tmp_path / "inner" / "first.yaml").write_text(dump(first()))
    for word in ("learned.safetensors", "first.yaml"):
        path = tmp_path / "inner" / "second.yaml"
        path.write_text(dump(second(start=word, train=UNTRAINED)))
        printed = invoke("run", path, "--out", tmp_path / "runs", "--quiet")
        assert printed.exit_code == 0, printed.stderr
        [folder] = (tmp_path / "runs").glob("second-*")
        assert same(parameters(Run(folder)), parameters(begun))
        shutil.rmtree(folder)


def test_a_start_has_no_data_of_its_own() -> None:
    with pytest.raises(RecipeError, match=r"start\.dataset: it takes the dataset of the recipe that it is in"):
        load_recipe(second(start=tiny()))


@pytest.mark.parametrize("step", [4, 23])
def test_a_killed_run_goes_on_from_where_it_was_and_not_from_its_start(tmp_path: Path, step: int) -> None:
    # Steps 1 to 18 are those of the first recipe.
    recipe = second(train={**TRAIN, "checkpoint_steps": 2, "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9}})
    assert not attempt(recipe, tmp_path / "whole", 1, None)
    assert attempt(recipe, tmp_path / "killed", 1, Death(STEP, step))
    assert not attempt(recipe, tmp_path / "killed", 1, None)
    for name in ("first", "second"):
        [whole], [killed] = ((tmp_path / word / "runs").glob(f"{name}-*") for word in ("whole", "killed"))
        assert same(parameters(Run(killed)), parameters(Run(whole)))
        assert Run(killed).result.per_user == Run(whole).result.per_user


def test_a_frozen_encoder_that_starts_from_a_trained_one_gives_that_ones_features(tmp_path: Path) -> None:
    torch.save(squeezenet1_1(weights=None).state_dict(), tmp_path / "weights.pth")
    encoder = {"name": "torchvision", "architecture": "squeezenet1_1", "weights": str(tmp_path / "weights.pth")}
    data = {"name": "synthetic", "users": 4, "items": 150, "pixels": 32, "train": 8, "valid": 4, "test": 3}
    recipe: dict[str, Any] = {
        "name": "trained",
        "dataset": {**data, "liked": 0.2},
        "image": {"size": 32},
        "model": {"dim": 8, "encoder": encoder, "aggregator": "mean"},
        "train": {"epochs": 1, "optimizer": {"name": "adam", "lr": 0.003}, "accelerator": "cpu"},
    }
    trained = run(recipe, out=tmp_path / "runs")
    frozen = {**recipe, "name": "frozen", "start": str(trained.directory), "train": {**recipe["train"], "epochs": 0}}
    found = run(frozen, ["model.encoder.frozen=true"], out=tmp_path / "runs")
    assert same(parameters(found), parameters(trained), "encoder.backbone.")
    assert found.result.test == pytest.approx(trained.result.test)


@pytest.mark.parametrize(
    ("freeze", "still"),
    [
        (["encoder"], ["encoder."]),
        (["encoder.layers.1", "preference"], ["encoder.layers.1.", "preference."]),
        (["aggregator.attention.0"], ["aggregator.attention.0."]),
        (["encoder.layers.4.weight"], ["encoder.layers.4.weight"]),
    ],
)
def test_what_is_frozen_stays_and_all_else_is_trained(
    untouched: Run, tmp_path: Path, freeze: list[str], still: list[str]
) -> None:
    found = parameters(run(second(start=None, train={**TRAIN, "freeze": freeze}), out=tmp_path))
    before = parameters(untouched)
    assert found.keys() == before.keys()
    stays = {name for name in found if name.startswith(tuple(still))}
    assert {name for name in found if found[name].equal(before[name])} == stays


def test_a_frozen_part_starts_from_what_was_learned(begun: Run, tmp_path: Path) -> None:
    recipe = second(start=str(begun.directory), train={**TRAIN, "freeze": ["encoder"]})
    found = run(recipe, out=tmp_path)
    assert same(parameters(found), parameters(begun), "encoder.")
    assert not same(parameters(found), parameters(begun), "aggregator.")
    assert found.result.warnings == ()


def test_a_frozen_part_has_neither_gradient_nor_training_mode() -> None:
    model = recommender()
    program = Program(model, [Ranking(loss=NPair())], Table(), CATALOG.category)
    program.freeze(["aggregator"])
    for mode in (True, False):
        assert program.train(mode) is program
        modes = {name: {one.training for one in part.modules()} for name, part in model.named_children()}
        assert modes == {"encoder": {mode}, "aggregator": {False}, "preference": {mode}}
    needing = {name.split(".")[0] for name, one in model.named_parameters() if one.requires_grad}
    assert needing == {"encoder", "preference"}
    assert {name.split(".")[0] for name, _ in program.trainable()} == needing


def test_running_means_of_a_frozen_encoder_stand_still(tmp_path: Path) -> None:
    data = {"name": "synthetic", "users": 4, "items": 150, "pixels": 32, "train": 8, "valid": 4, "test": 3}
    recipe = tiny(
        dataset={**data, "liked": 0.2},
        image={"size": 32},
        model={"dim": 8, "encoder": {"name": "autoencoder", "latent": 8, "width": 4}, "aggregator": "mean"},
        objectives=["ranking"],
    )
    made = [
        parameters(run({**recipe, "train": {**TRAIN, **changes}}, out=tmp_path))
        for changes in ({"epochs": 0}, {"epochs": 1, "freeze": ["encoder"]}, {"epochs": 1})
    ]
    assert same(made[0], made[1], "encoder.")
    assert not made[0]["encoder.norm.running_mean"].equal(made[2]["encoder.norm.running_mean"])


@pytest.mark.parametrize(
    ("freeze", "message", "hint"),
    [
        (["encodr"], "'encodr' fits no parameter", "encoder.layers"),
        (["enc"], "'enc' fits no parameter", "encoder.layers"),
        (["encoder.layers", "encoder"], "'encoder' is frozen already", "leave it out"),
        (["encoder", "aggregator", "preference"], "nothing is left to train", "set train.epochs: 0"),
    ],
)
def test_a_prefix_of_nothing_is_an_error(tmp_path: Path, freeze: list[str], message: str, hint: str) -> None:
    with pytest.raises(RecipeError, match=f"train.freeze: {message}") as caught:
        run(tiny(train={**TRAIN, "freeze": freeze}), out=tmp_path)
    assert hint in caught.value.problems[0].hint
    assert not list(tmp_path.glob("*/*"))


def test_without_epochs_two_seeds_are_two_models(untouched: Run, tmp_path: Path) -> None:
    other = run(second(start=None, train={**UNTRAINED, "seed": 1}), out=tmp_path)
    assert other.result.training["epochs"] == 0
    assert not same(parameters(other), parameters(untouched), "encoder.")
    assert 0 < other.result.test["auc"] < 1


def test_a_seed_is_that_of_all_stages_and_a_teacher_keeps_its_own() -> None:
    staged = student(start=master(name="first", start=master(name="zeroth")))
    recipe: Any = load_recipe(staged, seed=7)
    assert (recipe.train.seed, recipe.start.train.seed, recipe.start.start.train.seed) == (7, 7, 7)
    assert recipe.teacher.train.seed == 0
