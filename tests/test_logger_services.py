"""What TensorBoard, Weights & Biases and MLflow show of a run."""

from pathlib import Path
from typing import Any

import pytest
from killing import Death, attempt
from logged import interrupted, lines, logged
from logger_fakes import FakeMlflow, FakeMlflowError, FakeWandb, install, metric, param
from tiny import tiny

from outfitrec.core.config import create
from outfitrec.core.engine import run
from outfitrec.core.recipe import dump_recipe, load_recipe
from outfitrec.core.runs import Run
from outfitrec.core.trainer import Trainer
from outfitrec.protocols import Logger

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


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_the_built_in_loggers_are_loggers(name: str, wandb: FakeWandb, mlflow: FakeMlflow) -> None:
    [config] = load_recipe(logged(name)).loggers
    assert isinstance(create(config), Logger)
