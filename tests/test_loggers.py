"""Loggers are told how a run goes, make no other run of it, and never end it."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from logged import RECORDERS, interrupted, lines, logged
from tiny import PLUGIN, master, student, tiny

from outfitrec import component, field
from outfitrec.core.engine import load_dataset, run
from outfitrec.core.errors import RunError, UserError
from outfitrec.core.extras import need
from outfitrec.core.loggers import Loggers, flat
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import dump_recipe, identity, load_recipe, resolved
from outfitrec.core.reevaluate import evaluate
from outfitrec.core.session import STUDENT, Options, Session
from outfitrec.core.yamlfile import parse

GUIDE = Path(__file__).parents[1] / "docs" / "plugins.md"


def recorder(file: Path, fail: str = "") -> dict[str, Any]:
    return {"name": "recorder", "file": str(file), "fail": fail}


def calls(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


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


def test_the_identity_of_a_recipe_knows_of_no_loggers() -> None:
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


# The guide's.


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
    recipe = load_recipe({**tiny(), **parse(block, "guide").value})
    assert [one.name for one in recipe.loggers] == ["tensorboard", "wandb", "mlflow"]
