"""Loggers are told how a run goes, make no other run of it, and never end it."""

import json
import math
import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from killing import Death, attempt
from tiny import PLUGIN, master, student, tiny

from outfitrec import component, field
from outfitrec.core.config import create
from outfitrec.core.engine import load_dataset, run
from outfitrec.core.errors import RunError, UserError
from outfitrec.core.extras import need
from outfitrec.core.loggers import Loggers, flat
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import dump_recipe, load_recipe, resolved
from outfitrec.core.reevaluate import evaluate
from outfitrec.core.runs import Run
from outfitrec.core.session import STUDENT, Options, Session
from outfitrec.core.trainer import Trainer
from outfitrec.protocols import Logger

RECORDERS = Path(__file__).parent / "plugins" / "recorders.py"
GUIDE = Path(__file__).parents[1] / "docs" / "plugins.md"


def logged(*loggers: Any, **changes: Any) -> dict[str, Any]:
    """A tiny recipe with loggers."""
    return tiny(**{"plugins": [str(PLUGIN), str(RECORDERS)], "loggers": [*loggers], **changes})


def recorder(file: Path, fail: str = "") -> dict[str, Any]:
    return {"name": "recorder", "file": str(file), "fail": fail}


def calls(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def lines(found: Run) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl."""
    return [json.loads(line) for line in (found.directory / "metrics.jsonl").read_text().splitlines()]


def interrupted(monkeypatch: pytest.MonkeyPatch, recipe: dict[str, Any], out: Path, step: int) -> None:
    """Run a recipe until somebody presses Ctrl-C before a step."""
    steps, take = iter(range(1, 1000)), Trainer._step

    def stop(self: Trainer, *args: Any) -> Any:
        if next(steps) == step:
            raise KeyboardInterrupt
        return take(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", stop)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, out=out)


class Warned(Progress):
    """Keeps warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, text: str) -> None:
        self.warnings.append(text)


# What loggers are told.


def test_a_logger_is_told_of_the_start_of_every_epoch_and_of_the_end(tmp_path: Path) -> None:
    found = run(logged(recorder(tmp_path / "calls")), out=tmp_path / "runs")
    start, *epochs, finish = calls(tmp_path / "calls")
    assert start["directory"] == str(found.directory)
    assert dump_recipe(load_recipe(start["recipe"])) == (found.directory / "recipe.yaml").read_text()
    assert [one["call"] for one in epochs] == ["log"] * 3
    assert [one["epoch"] for one in epochs] == [1, 2, 3]
    for told, line in zip(epochs, lines(found), strict=True):
        figures = told["figures"]
        assert {"train/loss", "train/ranking", "valid/auc", "valid/ndcg", "lr/0", "seconds"} <= figures.keys()
        assert figures["train/loss"] == line["train"]["loss"]
        assert figures["valid/auc"] == line["valid"]["auc"]
        assert figures["lr/0"] == line["lr"][0] == 0.05
        assert "epoch" not in figures
    assert finish["call"] == "finish"
    assert finish["result"] == json.loads((found.directory / "result.json").read_text())


def test_figures_that_are_not_finite_are_left_out() -> None:
    told: list[dict[str, float]] = []

    class Listener:
        def start(self, directory: Path, recipe: Any) -> None:
            pass

        def log(self, epoch: int, figures: Any) -> None:
            told.append(figures)

        def finish(self, result: Any) -> None:
            pass

    loggers = Loggers([("listener", Listener())], QUIET)
    with loggers.at_work(Path(), {}):
        loggers.log({"epoch": 1, "valid": {"auc": math.nan, "ndcg": 0.5}, "train": {"loss": math.inf}, "lr": [0.1, 2]})
    assert told == [{"valid/ndcg": 0.5, "lr/0": 0.1, "lr/1": 2.0}]


def test_flat_leads_to_every_plain_value() -> None:
    value = {"a": [1, {"b": None, "c": []}], "d": {"e": "f"}, "g": {}}
    assert list(flat(value, ".")) == [("a.0", 1), ("a.1.b", None), ("d.e", "f")]


def test_of_an_interrupted_run_there_is_no_result_and_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recipe = logged(recorder(tmp_path / "calls"))
    interrupted(monkeypatch, recipe, tmp_path / "runs", 12)
    assert [one["call"] for one in calls(tmp_path / "calls")] == ["start", "log", "finish"]
    assert calls(tmp_path / "calls")[-1]["result"] is None
    run(recipe, out=tmp_path / "runs", resume=True)
    told = calls(tmp_path / "calls")[3:]
    assert [(one["call"], one.get("epoch")) for one in told] == [
        ("start", None),
        ("log", 2),
        ("log", 3),
        ("finish", None),
    ]


def test_a_run_that_fails_has_no_result_either(tmp_path: Path) -> None:
    recipe = logged(recorder(tmp_path / "calls"), train={**tiny()["train"], "optimizer": {"name": "sgd", "lr": 1e30}})
    with pytest.raises(RunError, match="not finite"):
        run(recipe, out=tmp_path / "runs")
    assert calls(tmp_path / "calls")[-1]["call"] == "finish"
    assert calls(tmp_path / "calls")[-1]["result"] is None


def test_a_teacher_has_loggers_of_its_own(tmp_path: Path) -> None:
    loggers = [recorder(tmp_path / "student")]
    plugins = [str(PLUGIN), str(RECORDERS)]
    recipe = student(plugins=plugins, loggers=loggers, teacher=master(plugins=plugins))
    found = run(recipe, out=tmp_path / "runs")
    assert {one["directory"] for one in calls(tmp_path / "student") if one["call"] == "start"} == {str(found.directory)}
    assert found.teacher is not None
    recipe["teacher"]["loggers"] = [recorder(tmp_path / "teacher")]
    run(recipe, out=tmp_path / "again")
    started = [Path(one["directory"]).name for one in calls(tmp_path / "teacher") if one["call"] == "start"]
    assert started == [found.teacher.directory.name]


def test_of_several_processes_the_leading_one_alone_logs(tmp_path: Path) -> None:
    recipe = logged(recorder(tmp_path / "calls"), train={**tiny()["train"], "epochs": 1, "devices": 2})
    run(recipe, out=tmp_path / "runs")
    told = calls(tmp_path / "calls")
    assert [one["call"] for one in told] == ["start", "log", "finish"]
    assert len({one["process"] for one in told}) == 1


# Loggers are no part of a run.


def test_loggers_make_no_other_run(tmp_path: Path) -> None:
    bare, shown = logged(), logged(recorder(tmp_path / "calls"), "tensorboard")
    found = run(bare, out=tmp_path / "runs")
    again = run(shown, out=tmp_path / "runs")
    assert (again.directory, again.trained) == (found.directory, False)
    assert not (tmp_path / "calls").exists()
    recipes = [load_recipe(one) for one in (bare, shown)]
    one, other = (Session(recipe, load_dataset(recipe), STUDENT, Options()).identity for recipe in recipes)
    assert one == other


def test_the_identity_of_a_recipe_is_what_it_was_before_there_were_loggers() -> None:
    from outfitrec.core.recipe import identity

    recipe = load_recipe(logged("tensorboard"))
    assert "loggers" not in identity(recipe)
    assert "loggers" in resolved(recipe)


def test_the_provider_of_a_logger_is_nothing_that_a_result_depends_on(tmp_path: Path) -> None:
    found = run(logged(recorder(tmp_path / "calls")), out=tmp_path / "runs")
    assert "tiny.py" in found.manifest["versions"]
    assert "recorders.py" not in found.manifest["versions"]
    assert {one["kind"] for one in found.manifest["components"]}.isdisjoint({"logger"})


def test_a_run_can_be_evaluated_where_its_loggers_are_not_there(tmp_path: Path) -> None:
    found = run(logged({"name": "tensorboard"}), out=tmp_path / "runs")
    text = (found.directory / "recipe.yaml").read_text()
    (found.directory / "recipe.yaml").write_text(text.replace("name: tensorboard", "name: gone"))
    assert evaluate(found)["test"] == found.result.test


def test_keys_of_a_logger_are_set_by_its_name() -> None:
    recipe = load_recipe(logged("wandb", "mlflow"), ["loggers.wandb.mode=offline", "loggers.mlflow.experiment=tops"])
    assert [one.name for one in recipe.loggers] == ["wandb", "mlflow"]
    assert (recipe.loggers[0].mode, recipe.loggers[1].experiment) == ("offline", "tops")


# Loggers that fail.


@pytest.mark.parametrize(("fail", "told"), [("log-2", 3), ("finish", 5)])
def test_a_logger_that_fails_is_a_warning_and_is_not_called_again(tmp_path: Path, fail: str, told: int) -> None:
    progress = Warned()
    recipe = logged(recorder(tmp_path / "bad", fail), recorder(tmp_path / "good"))
    found = run(recipe, out=tmp_path / "runs", progress=progress)
    message = "the logger 'recorder' failed, and logs no more: OSError: the network is gone"
    assert progress.warnings.count(message) == 1
    assert found.result.warnings.count(message) == 1
    assert len(calls(tmp_path / "bad")) == told
    assert len(calls(tmp_path / "good")) == 5
    assert len(lines(found)) == 3


def test_a_logger_that_cannot_start_ends_the_run_before_it_trains(tmp_path: Path) -> None:
    recipe = logged(recorder(tmp_path / "good"), recorder(tmp_path / "bad", "start"))
    with pytest.raises(RunError, match="the logger 'recorder' cannot start: OSError: the network is gone") as caught:
        run(recipe, out=tmp_path / "runs")
    assert "loggers=[]" in caught.value.problems[0].hint
    assert [one["call"] for one in calls(tmp_path / "good")] == ["start", "finish"]
    assert [one["call"] for one in calls(tmp_path / "bad")] == ["start"]
    assert not list(tmp_path.glob("runs/*/metrics.jsonl"))
    found = run({**recipe, "loggers": []}, out=tmp_path / "runs", resume=True)
    assert len(lines(found)) == 3


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_a_missing_extra_is_said_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr("outfitrec.core.extras.find_spec", lambda package: None)
    with pytest.raises(UserError, match=f"not installed: {name}") as caught:
        run(student(loggers=[name]), out=tmp_path / "runs")
    assert caught.value.problems[0].hint == f"pip install 'outfitrec[{name}]'"
    assert not list(tmp_path.glob("runs/*/*"))


def test_a_folder_is_no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "unheard_of").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="not installed: unheard_of"):
        need("imaginary", "json", "unheard_of")
    (tmp_path / "unheard_of" / "__init__.py").touch()
    need("imaginary", "json", "unheard_of")


# TensorBoard, read back by its own reader.


def events(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert len(list(folder.glob("events.out.tfevents.*"))) >= 1
    return EventAccumulator(str(folder)).Reload()


def check_scalars(found: Run, shown: Any) -> None:
    """What TensorBoard shows is what metrics.jsonl and result.json hold, once."""
    rows = lines(found)
    for tag, values in (
        ("train/loss", [row["train"]["loss"] for row in rows]),
        ("valid/auc", [row["valid"]["auc"] for row in rows]),
        ("lr/0", [row["lr"][0] for row in rows]),
        ("test/ndcg", [found.result.test["ndcg"]]),
    ):
        assert [one.value for one in shown.Scalars(tag)] == pytest.approx(values)
    assert [one.step for one in shown.Scalars("train/loss")] == [row["epoch"] for row in rows]
    assert [one.step for one in shown.Scalars("test/ndcg")] == [len(rows)]


def test_tensorboard_shows_every_figure(tmp_path: Path) -> None:
    found = run(logged("tensorboard"), out=tmp_path / "runs")
    shown = events(found.directory / "tensorboard")
    check_scalars(found, shown)
    [text] = shown.Tensors("recipe/text_summary")
    [written] = text.tensor_proto.string_val
    assert written.decode() == f"```yaml\n{(found.directory / 'recipe.yaml').read_text()}```"


@pytest.mark.parametrize("death", [Death("last.json", 5), Death("metrics.jsonl", 8)])
def test_tensorboard_shows_no_epoch_twice_after_a_process_was_killed(tmp_path: Path, death: Death) -> None:
    recipe = logged("tensorboard")
    # Epoch 2 has its line, and no checkpoint: it is trained and told again.
    assert attempt(recipe, tmp_path, 1, death)
    assert not attempt(recipe, tmp_path, 1, None)
    [directory] = [path for path in tmp_path.glob("runs/*") if path.is_dir()]
    check_scalars(Run(directory), events(directory / "tensorboard"))
    assert len(events(directory / "tensorboard").Tensors("recipe/text_summary")) == 1


def test_tensorboard_can_have_a_folder_for_all_runs(tmp_path: Path) -> None:
    found = run(logged({"name": "tensorboard", "folder": str(tmp_path / "board")}), out=tmp_path / "runs")
    assert not (found.directory / "tensorboard").exists()
    check_scalars(found, events(tmp_path / "board" / found.directory.name))


def test_tensorboard_shows_the_test_of_a_run_that_was_not_trained(tmp_path: Path) -> None:
    found = run(logged("tensorboard", train={**tiny()["train"], "epochs": 0}), out=tmp_path / "runs")
    [auc] = events(found.directory / "tensorboard").Scalars("test/auc")
    assert (auc.step, auc.value) == (0, pytest.approx(found.result.test["auc"]))


# Weights & Biases and MLflow, in whose place a module notes what is called.


def install(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    module = ModuleType(name)
    # An installed package has a file.
    module.__spec__ = ModuleSpec(name, None, origin=f"{name}/__init__.py")
    for key, value in members.items():
        setattr(module, key, value)
    monkeypatch.setitem(sys.modules, name, module)


class FakeRun:
    """A run of Weights & Biases: as there, what is logged of an earlier step is left out."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.history: dict[int, dict[str, float]] = {}
        self.summary: dict[str, Any] = {}
        self.exits: list[int | None] = []

    def log(self, data: dict[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        assert step is not None
        assert commit is True
        if step > max(self.history, default=-1):
            self.history[step] = data

    def finish(self, exit_code: int | None = None) -> None:
        self.exits.append(exit_code)


class FakeWandb:
    """Runs by project and id, and how they were begun."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], FakeRun] = {}
        self.inits: list[dict[str, Any]] = []

    def init(self, *, project: str, id: str | None, resume: str | None, **rest: Any) -> FakeRun:
        self.inits.append({"project": project, "id": id, "resume": resume, **rest})
        assert (id is None) == (resume is None)
        name = id or f"id{len(self.runs)}"
        return self.runs.setdefault((project, name), FakeRun(name))


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    fake = FakeWandb()
    install(monkeypatch, "wandb", init=fake.init)
    return fake


def test_wandb_has_every_figure_the_recipe_and_the_test(wandb: FakeWandb, tmp_path: Path) -> None:
    found = run(logged({"name": "wandb", "project": "tops", "mode": "offline"}), out=tmp_path / "runs")
    [begun] = wandb.inits
    assert begun == {
        "project": "tops",
        "mode": "offline",
        "dir": str(found.directory),
        "id": None,
        "resume": None,
        "name": found.directory.name,
        "group": "tiny",
        "config": begun["config"],
        "allow_val_change": True,
    }
    assert dump_recipe(load_recipe(begun["config"])) == (found.directory / "recipe.yaml").read_text()
    [shown] = wandb.runs.values()
    assert list(shown.history) == [1, 2, 3]
    assert [shown.history[k + 1]["train/loss"] for k in range(3)] == [row["train"]["loss"] for row in lines(found)]
    assert shown.summary == {f"test/{label}": value for label, value in found.result.test.items()}
    assert shown.exits == [0]


def test_wandb_decides_where_it_runs_unless_the_recipe_does(wandb: FakeWandb, tmp_path: Path) -> None:
    run(logged("wandb"), out=tmp_path / "runs")
    assert (wandb.inits[0]["project"], wandb.inits[0]["mode"]) == ("outfitrec", None)


def test_an_interrupted_run_goes_on_as_the_same_one_of_wandb(
    monkeypatch: pytest.MonkeyPatch, wandb: FakeWandb, tmp_path: Path
) -> None:
    recipe = logged("wandb")
    interrupted(monkeypatch, recipe, tmp_path / "runs", 12)
    [shown] = wandb.runs.values()
    assert (list(shown.history), shown.exits) == ([1], [1])
    run(recipe, out=tmp_path / "runs", resume=True)
    assert (wandb.inits[1]["id"], wandb.inits[1]["resume"]) == ("id0", "allow")
    assert list(wandb.runs.values()) == [shown]
    assert (list(shown.history), shown.exits) == ([1, 2, 3], [1, 0])


def test_a_run_that_starts_again_is_another_one_of_wandb(wandb: FakeWandb, tmp_path: Path) -> None:
    run(logged("wandb"), out=tmp_path / "runs")
    run(logged("wandb"), out=tmp_path / "runs", force=True)
    assert [list(one.history) for one in wandb.runs.values()] == [[1, 2, 3], [1, 2, 3]]


def test_what_is_known_of_a_run_in_one_project_is_not_taken_for_another(
    monkeypatch: pytest.MonkeyPatch, wandb: FakeWandb, tmp_path: Path
) -> None:
    interrupted(monkeypatch, logged("wandb"), tmp_path / "runs", 12)
    run(logged({"name": "wandb", "project": "other"}), out=tmp_path / "runs", resume=True)
    assert wandb.inits[1]["id"] is None
    assert [project for project, _ in wandb.runs] == ["outfitrec", "other"]


class FakeMlflow:
    """A server of MLflow: as there, a figure that is logged twice is there twice, and few names are taken."""

    def __init__(self) -> None:
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.uris: list[str | None] = []
        self.raced = False

    def client(self, tracking_uri: str | None = None) -> "FakeMlflow":
        self.uris.append(tracking_uri)
        self.tracking_uri = tracking_uri or "default"
        return self

    def get_experiment_by_name(self, name: str) -> Any:
        known = self.experiments.get(name)
        return known and SimpleNamespace(experiment_id=known)

    def create_experiment(self, name: str) -> str:
        there = name in self.experiments
        self.experiments[name] = str(len(self.experiments))
        if there or self.raced:
            raise FakeMlflowError(name)
        return self.experiments[name]

    def create_run(self, experiment_id: str, run_name: str) -> Any:
        name = f"run{len(self.runs)}"
        self.runs[name] = {
            "experiment": experiment_id,
            "name": run_name,
            "metrics": [],
            "params": {},
            "files": {},
            "status": ["RUNNING"],
        }
        return SimpleNamespace(info=SimpleNamespace(run_id=name))

    def update_run(self, run_id: str, status: str) -> None:
        self.runs[run_id]["status"].append(status)

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = ()) -> None:
        for one in (*metrics, *params):
            assert re.fullmatch(r"[/\w.\- ]+", one.key), one.key
        self.runs[run_id]["metrics"] += metrics
        for one in params:
            assert len(one.value) <= 500
            assert self.runs[run_id]["params"].setdefault(one.key, one.value) == one.value

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        self.runs[run_id]["files"][artifact_file] = text

    def get_metric_history(self, run_id: str, key: str) -> list[Any]:
        return [one for one in self.runs[run_id]["metrics"] if one.key == key]

    def set_terminated(self, run_id: str, status: str) -> None:
        self.runs[run_id]["status"].append(status)


class FakeMlflowError(Exception):
    pass


def metric(key: str, value: float, timestamp: int, step: int) -> Any:
    return SimpleNamespace(key=key, value=value, timestamp=timestamp, step=step)


def param(key: str, value: str) -> Any:
    return SimpleNamespace(key=key, value=value)


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> FakeMlflow:
    fake = FakeMlflow()
    install(monkeypatch, "mlflow", MlflowClient=fake.client)
    install(monkeypatch, "mlflow.entities", Metric=metric, Param=param)
    install(monkeypatch, "mlflow.exceptions", MlflowException=FakeMlflowError)
    return fake


def test_mlflow_has_every_figure_the_recipe_and_the_test(mlflow: FakeMlflow, tmp_path: Path) -> None:
    metrics = ["auc", {"name": "hit_rate", "k": 10}]
    recipe = logged(
        {"name": "mlflow", "tracking_uri": "http://here", "experiment": "tops"},
        evaluate={"metrics": metrics},
        description="long " * 200,
    )
    found = run(recipe, out=tmp_path / "runs")
    assert mlflow.uris == ["http://here"]
    assert mlflow.experiments == {"tops": "0"}
    [shown] = mlflow.runs.values()
    assert (shown["experiment"], shown["name"]) == ("0", found.directory.name)
    assert shown["status"] == ["RUNNING", "FINISHED"]
    assert shown["files"] == {"recipe.yaml": (found.directory / "recipe.yaml").read_text()}
    assert shown["params"]["train.optimizer.lr"] == "0.05"
    assert shown["params"]["evaluate.metrics.1.k"] == "10"
    assert shown["params"]["teacher"] == "None"
    told = {(one.key, one.step): one.value for one in shown["metrics"]}
    assert len(told) == len(shown["metrics"])
    for row in lines(found):
        assert told["train/loss", row["epoch"]] == row["train"]["loss"]
        assert told["valid/hit_rate_10", row["epoch"]] == row["valid"]["hit_rate@10"]
    assert told["test/auc", 3] == found.result.test["auc"]


def test_an_interrupted_run_goes_on_as_the_same_one_of_mlflow(
    monkeypatch: pytest.MonkeyPatch, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    recipe = logged("mlflow")
    # Ctrl-C where epoch 2 has been told, and has no checkpoint.
    saved, save = iter([True, False]), Trainer._save

    def stop(self: Trainer, epoch: int, step: int) -> None:
        if not next(saved):
            raise KeyboardInterrupt
        save(self, epoch, step)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save", stop)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, out=tmp_path / "runs")
    [shown] = mlflow.runs.values()
    assert [one.step for one in mlflow.get_metric_history("run0", "valid/auc")] == [1, 2]
    # What only says how to run may differ.
    run({**recipe, "evaluate": {"chunk": 7}}, out=tmp_path / "runs", resume=True)
    assert list(mlflow.runs.values()) == [shown]
    assert [one.step for one in mlflow.get_metric_history("run0", "valid/auc")] == [1, 2, 3]
    assert shown["status"] == ["RUNNING", "FAILED", "RUNNING", "FINISHED"]


def test_an_experiment_that_another_run_makes_at_the_same_moment_is_taken(mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.raced = True
    run(logged("mlflow"), out=tmp_path / "runs")
    assert mlflow.runs["run0"]["experiment"] == "0"


# Each of them, and the guide's.


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_the_built_in_loggers_are_loggers(name: str, wandb: FakeWandb, mlflow: FakeMlflow) -> None:
    [config] = load_recipe(logged(name)).loggers
    assert isinstance(create(config), Logger)


def test_the_logger_of_the_guide_works(tmp_path: Path) -> None:
    text = GUIDE.read_text()
    [source] = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "class Best" in block]
    names: dict[str, Any] = {"component": component, "field": field}
    exec(source, names)  # noqa: S102  # the documentation's own code
    loggers = Loggers([("best", names["Best"]())], QUIET)
    with loggers.at_work(tmp_path, {}):
        for epoch, auc in enumerate((0.5, 0.75, 0.625), 1):
            loggers.log({"epoch": epoch, "valid": {"auc": auc}})
        loggers.finish({})
    assert (tmp_path / "best.txt").read_text() == "valid/auc 0.7500 in epoch 2\n"
    with pytest.raises(KeyboardInterrupt), loggers.at_work(tmp_path, {}):
        loggers.log({"epoch": 1, "valid": {"auc": 0.5}})
        raise KeyboardInterrupt
    assert not (tmp_path / "best.txt").exists()


def test_the_loggers_of_the_guide_are_a_recipe_s() -> None:
    [block] = [one for one in re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "loggers:" in one]
    from outfitrec.core.yamlfile import parse

    recipe = load_recipe({**tiny(), **parse(block, "guide").value})
    assert [one.name for one in recipe.loggers] == ["tensorboard", "wandb", "mlflow"]
