"""``outfitrec tune`` from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from commands import document, invoke
from inprocess import InProcess
from tiny import tiny

from outfitrec.core.recipe import load_recipe
from outfitrec.core.yamlfile import dump

LR = "train.optimizer.lr"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a recipe, in the current folder; its runs are pretended."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("outfitrec.benchmark.tuning.LocalExecutor", InProcess)
    path = tmp_path / "tiny.yaml"
    path.write_text(dump(tiny()))
    return path


def tune(recipe: Path, *arguments: str | Path) -> Result:
    return invoke("tune", recipe, "--trials", "3", "--range", LR, *arguments)


def test_trials_are_shown_the_best_first_and_the_best_recipe_is_written(recipe: Path) -> None:
    found = tune(recipe, "--range", "objectives.ranking.loss.temperature=[0.2, 0.4]", "--quiet")
    assert (found.exit_code, found.stderr) == (0, "")
    head, *rows = [line.split() for line in found.stdout.splitlines()]
    assert head == ["trial", "auc", "lr", "temperature"]
    values = [float(row[1]) for row in rows[:3]]
    assert values == sorted(values, reverse=True)
    assert {row[0] for row in rows[:3]} == {"0", "1", "2"}
    best = load_recipe("tunings/tiny-tuned.yaml")
    assert best.name == "tiny-tuned"
    assert f"{best.train.optimizer.lr}" == rows[0][2]
    assert f"best: auc {values[0]:.4f} on the validation split" in found.stdout
    assert found.stdout.endswith("written to tunings/tiny-tuned.yaml\n")
    assert Path("tunings/tiny-tuned.yaml").read_text().startswith("# Found by outfitrec tune: auc ")
    assert invoke("validate", "tunings/tiny-tuned.yaml").exit_code == 0


def test_the_document_has_all_trials(recipe: Path) -> None:
    arguments = (
        "tune",
        recipe,
        "--trials",
        "3",
        "--out",
        "here",
        "--recipe",
        "best.yaml",
        "--range",
        LR,
        "--seed",
        "4",
    )
    found = document(*arguments)
    assert list(found) == ["recipe", "metric", "value", "overrides", "failed", "trials", "file"]
    assert [found["recipe"], found["metric"], found["failed"]] == ["best.yaml", "auc", 0]
    assert found["trials"][0]["value"] == found["value"]
    assert found["trials"][0]["overrides"] == found["overrides"]
    assert Path(found["file"]).parent == Path("here")
    assert load_recipe("best.yaml").train.optimizer.lr == found["overrides"][LR]
    # Found again, and not drawn again.
    assert document(*arguments) == found


def test_keys_that_are_set_are_those_of_all_trials(recipe: Path) -> None:
    assert tune(recipe, "train.epochs=2", f"{LR}=0.02").exit_code == 0
    [journal] = Path("tunings").glob("*.journal")
    assert f'"overrides":{{"{LR}":0.02}}' in journal.read_text()
    assert load_recipe("tunings/tiny-tuned.yaml").train.epochs == 2


def test_a_recipe_of_somebody_else_s_is_not_overwritten(recipe: Path) -> None:
    before = recipe.read_text()
    found = tune(recipe, "--recipe", recipe)
    assert found.exit_code == 2
    assert "was not written by outfitrec tune" in found.stderr
    assert "--recipe" in found.stderr
    assert recipe.read_text() == before
    # Before anything is done.
    assert not Path("tunings").exists()
    assert "is a folder" in tune(recipe, "--recipe", recipe.parent).stderr


def test_what_it_wrote_before_is_overwritten(recipe: Path) -> None:
    assert tune(recipe).exit_code == 0
    before = Path("tunings/tiny-tuned.yaml").read_text()
    assert invoke("tune", recipe, "--trials", "12", "--range", LR).exit_code == 0
    assert Path("tunings/tiny-tuned.yaml").read_text() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--range", "train.optimizer.momentun"), "did you mean 'train.optimizer.momentum'?"),
        (("--range", "train.batch=[0, 8]"), "train.batch: must be ≥ 1, not 0"),
        (("--range", "train.batch=8"), "write KEY=[LOW, HIGH]"),
        (("train.select=null",), "train.select is null"),
        (("--trials", "0"), "0 is not in the range x>=1"),
        (("--seed", "-1"), "-1 is not in the range x>=0"),
    ],
)
def test_mistakes_are_told_before_anything_is_run(recipe: Path, arguments: tuple[str, ...], message: str) -> None:
    found = tune(recipe, *arguments)
    assert found.exit_code == 2
    assert message in found.stderr
    assert not Path("tunings").exists()


def test_failed_trials_are_listed(recipe: Path) -> None:
    ranges = ("--range", "model.dim=[14, 16, 18]", "--range", "model.aggregator.heads=[1, 2, 4]")
    found = invoke("tune", recipe, "--trials", "10", *ranges)
    assert found.exit_code == 0
    assert "  failed  " in found.stdout
    assert " of 10 trials failed:\n" in found.stdout
    assert "heads do not divide model.dim" in found.stdout


def test_who_interrupts_is_told_how_to_go_on(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(InProcess):
        def wait(self) -> Any:
            if len(self.started) == 2:
                raise KeyboardInterrupt
            return super().wait()

    with monkeypatch.context() as patch:
        patch.setattr("outfitrec.benchmark.tuning.LocalExecutor", Interrupted)
        found = tune(recipe)
    assert found.exit_code == 130
    assert "the same command goes on" in found.stderr
    found = tune(recipe)
    assert found.exit_code == 0
    assert "1 of 3 trials are finished from before" in found.stderr


def test_processes_of_this_machine_do_the_runs(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(dump(tiny()))
    found = invoke("tune", path, "--trials", "2", "--range", LR, "--out", tmp_path / "out", "--json", "--quiet")
    assert found.exit_code == 0, found.stderr
    told = json.loads(found.stdout)
    assert sorted(one["number"] for one in told["trials"]) == [0, 1]
    again = document("run", told["recipe"], "--out", tmp_path / "runs", "--quiet")
    assert again["valid"]["auc"] == told["value"]
