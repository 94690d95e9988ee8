"""What a recipe that starts from another, freezes or rehearses is told before it is too late."""

from pathlib import Path
from typing import Any

import pytest
import torch
from commands import invoke
from safetensors.torch import load_file, save_file
from tiny import PLUGIN, master, student, tiny

from outfitrec import Run, run
from outfitrec.core.build import build_recommender, given_by
from outfitrec.core.config import create
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import DataError, RecipeError, RunError, UserError
from outfitrec.core.fields import GIVEN
from outfitrec.core.items import TableItems
from outfitrec.core.program import Program
from outfitrec.core.recipe import load_recipe
from outfitrec.core.start import Taken

TRAIN: dict[str, Any] = {**tiny()["train"], "epochs": 1}
UNTRAINED = {**TRAIN, "epochs": 0}
READERS = PLUGIN.with_name("readers.py")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tiny(name="begun", train=TRAIN), out=tmp_path_factory.mktemp("begun"))


def test_a_run_of_other_data_is_a_warning(begun: Run, tmp_path: Path) -> None:
    other = tiny(start=str(begun.directory), dataset={"name": "tiny", "seed": 5}, train=TRAIN)
    found = run(other, out=tmp_path)
    [text] = [text for text in found.result.warnings if "was trained on other data" in text]
    assert str(begun.directory) in text
    assert run(tiny(start=str(begun.directory), train=TRAIN), out=tmp_path).result.warnings == ()
    with pytest.raises(RunError, match="was trained on other data"):
        run(other, ["train.seed=1"], out=tmp_path, strict=True)


def test_what_is_neither_trained_nor_taken_is_a_warning(begun: Run, tmp_path: Path) -> None:
    weights = load_file(begun.directory / "model" / "weights.safetensors")
    save_file({name: one for name, one in weights.items() if "user" not in name}, tmp_path / "most.safetensors")
    found = run(tiny(start=str(tmp_path / "most.safetensors"), train=UNTRAINED), out=tmp_path / "runs")
    [text] = found.result.warnings
    assert text.startswith("train.epochs is 0, and preference.user is neither trained nor in")
    bare = run(tiny(train=UNTRAINED), out=tmp_path / "runs")
    assert bare.result.warnings == ("train.epochs is 0 and there is no start: the model is untrained",)
    save_file(weights, tmp_path / "all.safetensors")
    whole = run(tiny(start=str(tmp_path / "all.safetensors"), train=UNTRAINED), out=tmp_path / "runs")
    assert whole.result.warnings == ()


def test_without_epochs_no_teacher_is_run(begun: Run, tmp_path: Path) -> None:
    found = run(student(start=str(begun.directory), train=UNTRAINED), out=tmp_path)
    assert "teacher and neighbours play no part" in found.result.warnings[0]
    assert [path.name.rpartition("-")[0] for path in tmp_path.iterdir() if path.is_dir()] == ["student"]


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"groups": {"encodr": {"lr": 0.1}}}, "'encodr' fits no trainable parameter"),
        ({"schedule": "plateau", "select": None}, "it follows the validation value"),
    ],
)
def test_without_epochs_the_settings_are_checked_as_ever(
    begun: Run, tmp_path: Path, train: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        run(tiny(start=str(begun.directory), train={**UNTRAINED, **train}), out=tmp_path)


def test_every_schedule_allows_a_run_without_epochs(begun: Run, tmp_path: Path) -> None:
    for name in ("constant", "cosine", "one_cycle", "step", "exponential", "plateau"):
        train = {**UNTRAINED, "schedule": name}
        assert run(tiny(start=str(begun.directory), train=train), out=tmp_path).result.test["auc"] > 0, name


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (torch.full((6, 16), torch.nan), "has numbers that are not finite"),
        (torch.ones(6, 16, dtype=torch.long), "is of type torch.int64"),
    ],
)
def test_weights_that_no_model_can_have_are_refused(tmp_path: Path, weights: torch.Tensor, message: str) -> None:
    save_file({"preference.user.weight": weights}, tmp_path / "wrong.safetensors")
    with pytest.raises(RunError, match=rf"start: preference\.user\.weight in .*wrong\.safetensors {message}"):
        run(tiny(start=str(tmp_path / "wrong.safetensors")), out=tmp_path / "runs")


@pytest.mark.parametrize(
    ("key", "file", "message"),
    [
        ("teacher", "w.safetensors", "teacher: takes no file of weights: only start does, not w.safetensors"),
        ("neighbours", "w.safetensors", "neighbours: takes no file of weights"),
        ("start", "w.pth", r"start: takes a \.safetensors file, not w\.pth"),
        ("start", "runs/nothere", "no recipe file, and no run, at runs/nothere"),
        ("teacher", "/nowhere/nothere", "no recipe file, and no run, at /nowhere/nothere"),
    ],
)
def test_what_is_no_start_is_said_to_be_none(key: str, file: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(tiny(**{key: file}))


def test_a_run_may_be_called_like_a_file(begun: Run, tmp_path: Path) -> None:
    named = tmp_path / "run.safetensors"
    named.symlink_to(begun.directory, target_is_directory=True)
    found = run(tiny(start=str(named), train=UNTRAINED), out=tmp_path / "runs")
    assert found.result.per_user == begun.result.per_user


def test_a_frozen_part_needs_no_settings(begun: Run, tmp_path: Path) -> None:
    train = {**TRAIN, "groups": {"encoder": {"lr": 0.1}, "encoder.layers": {"lr": 0.2}}, "freeze": ["encoder"]}
    found = run(tiny(start=str(begun.directory), train=train), out=tmp_path)
    before, after = (load_file(one.directory / "model" / "weights.safetensors") for one in (begun, found))
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("encoder."))
    assert not torch.equal(before["preference.user.weight"], after["preference.user.weight"])


@pytest.mark.parametrize("prefix", ["objectives", "objectives.spread"])
def test_frozen_objectives_are_in_evaluation_mode(prefix: str) -> None:
    plugins = [str(PLUGIN), str(READERS)]
    recipe = load_recipe(tiny(plugins=plugins, objectives=[{"name": "ranking"}, {"name": "spread"}]))
    dataset = load_dataset(recipe)
    given = given_by(dataset, recipe.model, recipe.image)
    objectives = [create(config, **given) for config in recipe.objectives]
    table = TableItems(torch.zeros(len(dataset.catalog), 12))
    program = Program(build_recommender(recipe.model, given), objectives, table, dataset.catalog.category)
    program.freeze([prefix])
    program.train()
    assert not program.terms["spread"].training
    assert program.recommender.training
    assert not any(name.startswith("objectives") for name, _ in program.trainable())


def test_the_engine_fills_in_what_it_says(tmp_path: Path) -> None:
    recipe = load_recipe(tiny())
    model = given_by(load_dataset(recipe), recipe.model, recipe.image)
    assert {*model, "teacher_dim", "neighbours", "split", "catalog"} == GIVEN


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"aggregator": "several"}, "'misfits.py/several' and preference 'cosine' do not go together: "),
        ({"preference": "flat"}, "preference 'misfits.py/flat' do not go together: "),
    ],
)
def test_parts_that_do_not_go_together_are_said_before_training(
    tmp_path: Path, model: dict[str, Any], message: str
) -> None:
    plugins = [str(PLUGIN), str(PLUGIN.with_name("misfits.py"))]
    with pytest.raises(RecipeError, match=message):
        run(tiny(plugins=plugins, model={**tiny()["model"], **model}), out=tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_the_rehearsal_changes_no_figure(begun: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outfitrec.core.training.rehearse", lambda *_: None)
    again = run(tiny(name="begun", train=TRAIN), out=tmp_path)
    assert again.result.per_user == begun.result.per_user


def test_an_override_reaches_into_what_is_started_from(tmp_path: Path) -> None:
    first = master(name="first", train=TRAIN)
    recipe: Any = load_recipe(tiny(start=first), ["start.train.epochs=4", "start.model.dim=8"])
    assert (recipe.start.train.epochs, recipe.start.model.dim, recipe.model.dim) == (4, 8, 16)


def test_a_problem_of_what_is_started_from_names_its_own_keys(tmp_path: Path) -> None:
    encoder = {"name": "torchvision", "architecture": "resnet18", "weights": str(tmp_path / "none.pth")}
    photos = {"dataset": {"name": "synthetic", "users": 4, "items": 400, "pixels": 64}, "image": {"size": 64}}
    start = {"name": "first", "image": {"size": 64}, "model": {"encoder": {**encoder, "weights": "imagenet"}}}
    recipe = {"name": "second", "start": start, **photos, "model": {"encoder": {**encoder, "weights": "none"}}}
    with pytest.raises(UserError) as caught:
        run({**recipe, "train": {"epochs": 1, "accelerator": "cpu"}}, out=tmp_path)
    assert "start.model.encoder.weights" in str(caught.value)


def test_serving_without_users_is_refused(begun: Run) -> None:
    with pytest.raises(DataError, match="no users to score for"):
        begun.model.score_photos([], [[b""]], [["top"]])


def test_the_command_says_that_it_evaluates(begun: Run, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        f"name: r\nplugins: [{PLUGIN}]\ndataset: tiny\nstart: {begun.directory}\n"
        "model: {dim: 16, encoder: {name: features, size: 12}, aggregator: {name: set_transformer, heads: 2}}\n"
        "objectives: [dying]\ntrain: {epochs: 0, accelerator: cpu}\n"
    )
    done = invoke("run", tmp_path / "r.yaml", "--out", tmp_path / "runs")
    assert done.exit_code == 0, done.stderr
    assert "r: evaluating, in" in done.stderr


def test_what_nothing_trained_there_is_no_loss() -> None:
    taken = Taken(
        path="run",
        taken=("encoder.backbone.0.weight",),
        new=(),
        other=("preference.user.weight", "encoder.layers.1.weight"),
        left=("aggregator.seed", "aggregator.pooling.norm.weight"),
        idle=frozenset({"preference.user", "aggregator.seed"}),
    )
    other, left = taken.warnings()
    assert "encoder.layers.1.weight of run" in other
    assert "preference.user" not in other
    assert "no aggregator.pooling, which run has" in left
