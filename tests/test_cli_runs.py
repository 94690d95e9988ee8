import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM, document, invoke
from tiny import tiny

import outfitrec
from outfitrec.core.yamlfile import dump


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(dump(tiny()))
    return path


@pytest.fixture
def finished(recipe: Path, tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = document("run", recipe, "--out", tmp_path / "runs")
    return found


def test_run_prints_its_result(finished: dict[str, Any], recipe: Path, tmp_path: Path) -> None:
    keys = {"directory", "recipe", "parameters", "test", "valid", "seconds", "protocol", "warnings", "cold_start"}
    assert finished.keys() == keys
    assert finished == outfitrec.Run(Path(finished["directory"])).summary()
    result = json.loads((Path(finished["directory"]) / "result.json").read_text())
    assert finished["test"] == result["test"]
    assert set(finished["test"]) == {"auc", "ndcg", "fitb"}
    assert finished["parameters"]["total"] == result["parameters"]["total"]
    again = invoke("run", recipe, "--out", tmp_path / "runs")
    assert again.exit_code == 0
    assert "finished before" in again.stderr
    assert f"{finished['test']['auc']:.4f}" in again.stdout
    assert finished["directory"] in again.stdout
    quiet = invoke("run", recipe, "--out", tmp_path / "runs", "--quiet")
    assert quiet.stdout == again.stdout
    assert quiet.stderr == ""


def test_run_takes_overrides_and_a_seed(recipe: Path, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "runs"))
    found = document("run", recipe, "train.epochs=1", "--seed", "5", *out)
    written = (Path(found["directory"]) / "recipe.yaml").read_text()
    assert "seed: 5" in written
    assert "epochs: 1" in written
    wrong = invoke("run", recipe, "train.epochs=-1", "tran.batch=3", "train.seed", *out)
    assert wrong.exit_code == 2
    assert "no '=' in it" in wrong.stderr
    wrong = invoke("run", recipe, "train.epochs=-1", "tran.batch=3", *out)
    for part in (
        "override 'train.epochs=-1': train.epochs: must be ≥ 0",
        "tran: unknown key\n    did you mean 'train'?",
    ):
        assert part in wrong.stderr


def test_what_goes_wrong_in_a_run_exits_1(finished: dict[str, Any], recipe: Path, tmp_path: Path) -> None:
    directory = Path(finished["directory"])
    (directory / "result.json").unlink()
    out = ("--out", str(tmp_path / "runs"))
    result = invoke("run", recipe, *out, "--json")
    assert result.exit_code == json.loads(result.stdout)["error"]["exit_code"] == 1
    assert "--resume goes on with it, --force starts again" in result.stderr
    assert document("run", recipe, *out, "--resume")["test"] == finished["test"]
    assert invoke("run", recipe, *out, "--resume", "--force").exit_code == 2


def test_warnings_are_said_again_and_strict_makes_them_errors(tmp_path: Path) -> None:
    recipe = tmp_path / "constant.yaml"
    recipe.write_text(dump(tiny(objectives=[{"name": "dying", "mode": "constant"}])))
    arguments = ("run", recipe, "--out", tmp_path / "runs", "--quiet")
    first, second = invoke(*arguments), invoke(*arguments)
    assert first.exit_code == second.exit_code == 0
    assert first.stderr == second.stderr
    assert first.stderr.startswith("warning: objective 'ranking' stayed constant")
    strict = invoke(*arguments, "--strict")
    assert strict.exit_code == 1
    assert "error: " in strict.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupted_run_says_how_to_go_on(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    arguments = ["run", str(recipe), "train.epochs=100000", "--out", str(out), "--json"]
    program = subprocess.Popen(
        # What runs in the background ignores this signal, and hands that down.
        [sys.executable, "-c", f"import signal; signal.signal(2, signal.default_int_handler); {PROGRAM}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 100
    while not list(out.glob("*/checkpoints/last.json")) and time.monotonic() < until:
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    printed, said = program.communicate(timeout=60)
    assert program.returncode == 130, said
    assert "error: interrupted: the same command with --resume goes on from the last checkpoint" in said
    assert "Traceback" not in said
    assert json.loads(printed)["error"]["exit_code"] == 130


def test_evaluate_finds_what_the_run_found(finished: dict[str, Any]) -> None:
    before = contents(Path(finished["directory"]).parent)
    found = document("evaluate", finished["directory"])
    assert {**found, "seconds": 0} == {**finished, "seconds": 0}
    assert f"{found['test']['auc']:.4f}" in invoke("evaluate", finished["directory"]).stdout
    assert contents(Path(finished["directory"]).parent) == before


def test_evaluate_takes_other_metrics_negatives_and_data(finished: dict[str, Any]) -> None:
    metrics = "evaluate.metrics=[auc, {name: ndcg_at, k: 3}]"
    found = document("evaluate", finished["directory"], metrics, "evaluate.chunk=7", "train.workers=1")
    assert found["test"].keys() == {"auc", "ndcg@3", "fitb"}
    assert found["test"]["auc"] == pytest.approx(finished["test"]["auc"], abs=1e-9)
    assert found["protocol"]["hash"] != finished["protocol"]["hash"]
    seeded = document("evaluate", finished["directory"], "evaluate.seed=9")
    assert seeded["test"]["auc"] != finished["test"]["auc"]
    other = document("evaluate", finished["directory"], "dataset.seed=1")
    assert other["warnings"]
    assert "not the data that the model was trained on" in other["warnings"][0]


def test_evaluate_refuses_what_would_be_another_model(finished: dict[str, Any], tmp_path: Path) -> None:
    directory = finished["directory"]
    result = invoke("evaluate", directory, "model.dim=3", "train.epochs=9", "evaluate.chunk=9")
    assert result.exit_code == 2
    assert "override 'model.dim=3': model.dim: the model is trained already" in result.stderr
    assert "override 'train.epochs=9'" in result.stderr
    assert "evaluate.chunk=9" not in result.stderr
    users = invoke("evaluate", directory, "dataset.users=5")
    assert users.exit_code == 2
    assert "was trained for 6 users, and the dataset has 5" in users.stderr
    nothing = invoke("evaluate", tmp_path)
    assert nothing.exit_code == 2
    assert "no run in" in nothing.stderr


def test_evaluate_needs_no_teacher_that_is_gone(tmp_path: Path, finished: dict[str, Any]) -> None:
    path = tmp_path / "student.yaml"
    fnd = [{"name": "ranking", "distiller": "fnd"}]
    path.write_text(dump(tiny(name="student", teacher=finished["directory"], objectives=fnd)))
    found = document("run", path, "--out", tmp_path / "students")
    Path(finished["directory"]).rename(tmp_path / "gone")
    assert document("evaluate", found["directory"])["test"] == found["test"]


def test_evaluate_refuses_a_damaged_run(finished: dict[str, Any]) -> None:
    weights = Path(finished["directory"]) / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8] + b"\0" * 8)
    result = invoke("evaluate", finished["directory"])
    assert result.exit_code == 1
    assert str(weights) in result.stderr
    assert "damaged" in result.stderr
