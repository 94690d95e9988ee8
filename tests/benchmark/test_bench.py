"""A suite from end to end: what is not finished is run, all is compared, and one that fails ends nothing else."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM, invoke
from suites import small

import outfitrec
from outfitrec.benchmark.bench import bench, report_folder
from outfitrec.benchmark.plan import Planner
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.running import How
from outfitrec.core.errors import RunError, UserError
from outfitrec.core.recipe import load_recipe
from outfitrec.core.runs import Run

DIVERGING = {"recipe": "npair.yaml", "set": {"train.optimizer.lr": 1.0e30}}


def made(suite: Path, folder: Path, **changes: Any) -> Report:
    how = How(out=folder / "runs", **changes)
    return bench(suite, how=how, report=folder / "report")


def values(report: Report) -> dict[tuple[str, str], tuple[float, ...]]:
    """Values over seeds, by row and figure."""
    return {
        (line.row, figure): value.spread.values
        for table in report.tables
        for line in table.lines
        for (_, figure), value in line.values.items()
        if value.spread is not None
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Report]:
    """A suite that ran to its end: its file, the folder of its runs, and its report."""
    folder = tmp_path_factory.mktemp("bench")
    suite = small(folder)
    return suite, folder, made(suite, folder)


def test_the_table_holds_what_the_runs_alone_give(finished: tuple[Path, Path, Report], tmp_path: Path) -> None:
    suite, _, report = finished
    found = values(report)
    for row, name in (("N-pair", "npair.yaml"), ("FND", "fnd.yaml")):
        alone = [outfitrec.run(suite.parent / name, seed=seed, out=tmp_path).result for seed in (0, 1)]
        for figure in ("auc", "ndcg"):
            assert found[row, figure] == pytest.approx([one.test[figure] for one in alone], abs=1e-12)


def test_a_teacher_that_rows_share_is_trained_once(finished: tuple[Path, Path, Report]) -> None:
    _, folder, _ = finished
    assert len(list((folder / "runs").glob("master-*"))) == 1
    assert len(list((folder / "runs").glob("fnd-*"))) == 2
    assert len(list((folder / "runs").glob("npair-*"))) == 2


def test_finished_runs_are_found_and_no_process_is_started(
    finished: tuple[Path, Path, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, folder, report = finished

    def refuse(how: How) -> None:
        raise AssertionError("an executor was opened, and there is nothing to do")

    monkeypatch.setattr(How, "open", refuse)
    before = {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")}
    again = made(suite, folder)
    assert {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")} == before
    assert again.tables == report.tables


def test_the_report_is_on_disk_in_every_form(finished: tuple[Path, Path, Report]) -> None:
    _, folder, report = finished
    names = {path.name for path in (folder / "report").iterdir() if path.is_file()}
    assert {"report.html", "report.md", "report.json", "table.csv", "table.tex"} <= names
    mean = next(iter(report.tables[0].lines[0].values.values())).spread
    assert mean is not None
    shown = f"{100 * mean.mean:.2f}"
    for name in ("report.html", "report.md", "table.tex"):
        assert shown in (folder / "report" / name).read_text(encoding="utf-8")


def test_a_run_that_fails_is_marked_and_ends_nothing_else(tmp_path: Path) -> None:
    suite = small(tmp_path, rows={"broken": DIVERGING, "FND": {"recipe": "fnd.yaml"}}, reference=None, seeds=[0])
    report = made(suite, tmp_path)
    broken, fnd = report.entries
    assert "the loss is not finite" in broken.error
    assert fnd.error == ""
    assert (report.facts["finished"], report.facts["failed"]) == (1, 1)
    value = report.tables[0].lines[0].values["all", "auc"]
    assert value.spread is None
    assert any("not finite" in reason for reason in value.failed)


def test_where_a_teacher_fails_its_students_are_marked(tmp_path: Path) -> None:
    rows = {"FND": {"recipe": "fnd.yaml", "set": {"teacher.train.optimizer.lr": 1.0e30}}}
    report = made(small(tmp_path, rows=rows, reference=None, seeds=[0]), tmp_path)
    assert "teacher of FND" in report.entries[0].error
    assert "not finite" in report.entries[0].error


def test_data_that_cannot_be_had_are_an_error_before_anything_is_run(tmp_path: Path) -> None:
    rows = {
        "A": {
            "recipe": "npair.yaml",
            "set": {"dataset": {"name": "polyvore_u", "root": str(tmp_path / "no"), "users": 40}},
        }
    }
    with pytest.raises(UserError, match="row 'A'"):
        made(small(tmp_path, rows=rows, reference=None), tmp_path)
    assert not list((tmp_path / "runs").glob("*"))


def test_without_running_what_is_missing_is_said(tmp_path: Path) -> None:
    report = made(small(tmp_path), tmp_path, run=False)
    assert {entry.error for entry in report.entries} == {"not run yet"}
    assert not (tmp_path / "runs").exists()


def test_an_executor_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such executor 'rey'"):
        made(small(tmp_path), tmp_path, executor="rey")
    with pytest.raises(UserError, match="an address is for the executor ray"):
        made(small(tmp_path), tmp_path, address="127.0.0.1:1")


def test_unknown_users_are_served_by_finished_runs(finished: tuple[Path, Path, Report]) -> None:
    _, folder, _ = finished
    cold = {"dataset": {"name": "tiny", "seed": 3}, "profiles": [1, 4], "draws": 2}
    rows: dict[str, Any] = {
        "average": {"recipe": "fnd.yaml", "strategy": "average"},
        "weighted": {"recipe": "fnd.yaml", "strategy": {"name": "weighted_average", "temperature": 0.3}},
    }
    path = small(
        folder, name="cold", measure="cold_start", figures=["auc/1", "auc/4"], reference=None, rows=rows,
        set={"evaluate.cold_start": cold},
    )  # fmt: skip
    before = sorted((folder / "runs").glob("*-*"))
    report = bench(path, how=How(out=folder / "runs"), report=folder / "cold")
    assert sorted((folder / "runs").glob("*-*")) == before  # nothing is trained for it
    for entry in report.entries:
        assert entry.error == ""
        strategy = {"average": ["average"], "weighted": [rows["weighted"]["strategy"]]}[entry.cell.row]
        run = entry.run
        assert run is not None
        alone = outfitrec.evaluate(run, {"evaluate.cold_start": {**cold, "strategies": strategy}})["cold_start"]
        found = next(iter(alone["strategies"].values()))
        for size in ("1", "4"):
            assert entry.values[f"auc/{size}"] == (found[size]["auc"]["mean"],)
            users = list(entry.per_user[f"auc/{size}"].values())
            assert sum(users) / len(users) == pytest.approx(found[size]["auc"]["mean"], abs=1e-9)


def test_a_part_of_a_recipe_is_shown_once_whatever_the_seeds(finished: tuple[Path, Path, Report]) -> None:
    _, folder, _ = finished
    rows = {"teacher": {"recipe": "fnd.yaml", "part": "teacher"}, "FND": {"recipe": "fnd.yaml"}}
    report = bench(
        small(folder, name="part", rows=rows, reference=None), how=How(out=folder / "runs"), report=folder / "p"
    )
    assert [(entry.cell.row, entry.cell.seed) for entry in report.entries] == [("teacher", 0), ("FND", 0), ("FND", 1)]
    first = report.entries[1].run
    assert first is not None
    assert first.teacher is not None
    assert report.entries[0].values["auc"] == (first.teacher.result.test["auc"],)


def test_a_suite_tunes_each_row_by_the_same_budget_and_reports_it_again(tmp_path: Path) -> None:
    rows: dict[str, dict[str, Any]] = {
        "one": {"recipe": "npair.yaml", "search": {"objectives.ranking.loss.temperature": [0.05, 1.0]}},
        "two": {"recipe": "npair.yaml", "search": {"train.optimizer.lr": [0.001, 0.2]}},
    }
    suite = small(tmp_path, rows=rows, reference=None, seeds=[0], tune={"trials": 3})
    report = made(suite, tmp_path)
    # The recipe as it is, the first trial of both; two more of each; the tuned runs are among them.
    runs = [Run(path) for path in (tmp_path / "runs").glob("npair-*") if (path / "result.json").is_file()]
    assert len(runs) == 5
    start = next(
        one
        for one in runs
        if one.directory.name == Planner(tmp_path).jobs_of(load_recipe(tmp_path / "npair.yaml"))[-1].key
    )
    for entry, row in zip(report.entries, rows.values(), strict=True):
        assert entry.error == ""
        assert entry.chosen.keys() <= row["search"].keys()
        run = entry.run
        assert run is not None
        assert run.result.valid["auc"] >= start.result.valid["auc"]
        for key, value in entry.chosen.items():
            written = load_recipe(run.directory / "recipe.yaml")
            found = written.train.optimizer.lr if key.startswith("train") else written.objectives[0].loss.temperature
            assert found == value
    again = made(suite, tmp_path, run=False)
    assert again.tables == report.tables
    assert [entry.chosen for entry in again.entries] == [entry.chosen for entry in report.entries]


def test_a_suite_whose_search_is_not_finished_is_not_reported_as_if_it_were(tmp_path: Path) -> None:
    rows = {"one": {"recipe": "npair.yaml", "search": {"train.optimizer.lr": [0.001, 0.2]}}}
    suite = small(tmp_path, rows=rows, reference=None, seeds=[0], tune={"trials": 3})
    # The run of the recipe as it is, which is no tuned one.
    outfitrec.run(tmp_path / "npair.yaml", seed=0, out=tmp_path / "runs")
    (entry,) = made(suite, tmp_path, run=False).entries
    assert entry.error == "not run yet"


def test_a_damaged_finding_is_found_again(finished: tuple[Path, Path, Report]) -> None:
    _, folder, _ = finished
    rows = {"FND": {"recipe": "fnd.yaml", "strategy": "average"}}
    cold = {"dataset": {"name": "tiny", "seed": 5}, "profiles": [1, 2], "draws": 2}
    path = small(
        folder, name="damaged", measure="cold_start", figures=["auc/1"], reference=None, rows=rows,
        set={"evaluate.cold_start": cold},
    )  # fmt: skip
    how = How(out=folder / "runs")
    first = bench(path, how=how, report=folder / "damaged")
    kept = sorted((folder / "runs" / "found").glob("fnd-*.json"))[-1]
    kept.write_text("not json")
    again = bench(path, how=how, report=folder / "damaged")
    assert again.facts["failed"] == 0
    assert again.tables == first.tables


def test_a_part_of_a_suite_says_so_and_has_a_report_of_its_own(finished: tuple[Path, Path, Report]) -> None:
    suite, folder, whole = finished
    assert whole.facts["partial"] == ""
    part = bench(suite, rows=["FND"], seeds=[0], how=How(out=folder / "runs"), report=folder / "some")
    assert part.facts["partial"] == "1 of 2 rows; seeds 0"
    assert report_folder("small", part.facts["partial"]) != report_folder("small", "")


def test_folders_that_are_files_are_an_error_before_anything_is_run(tmp_path: Path) -> None:
    suite, file = small(tmp_path), tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match="--report"):
        bench(suite, how=How(out=tmp_path / "runs"), report=file / "inside")
    with pytest.raises(UserError, match="--out"):
        bench(suite, how=How(out=file), report=tmp_path / "report")
    assert not (tmp_path / "runs").exists()


def test_where_a_finding_cannot_be_kept_its_row_alone_fails(
    finished: tuple[Path, Path, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder, _ = finished

    def full(path: Path, value: object) -> None:
        raise RunError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr("outfitrec.benchmark.running.write_json", full)
    rows = {"FND": {"recipe": "fnd.yaml", "strategy": "average"}}
    cold = {"dataset": {"name": "tiny", "seed": 6}, "profiles": [1], "draws": 2}
    path = small(
        folder, name="full", measure="cold_start", figures=["auc/1"], reference=None, rows=rows,
        set={"evaluate.cold_start": cold},
    )  # fmt: skip
    report = bench(path, how=How(out=folder / "runs"), report=folder / "full")
    assert all("No space left" in entry.error for entry in report.entries)


def test_the_command_prints_the_table_and_ends_with_1_where_a_run_failed(tmp_path: Path) -> None:
    suite = small(tmp_path, rows={"broken": DIVERGING, "N-pair": {"recipe": "npair.yaml"}}, reference=None, seeds=[0])
    folders = ("--out", tmp_path / "runs", "--report", tmp_path / "report")
    result = invoke("bench", suite, *folders)
    assert result.exit_code == 1
    assert "failed" in result.stdout
    assert str(tmp_path / "report" / "report.html") in result.stdout
    good = invoke("bench", suite, *folders, "--row", "N-pair", "--json")
    assert good.exit_code == 0, good.stderr
    assert json.loads(good.stdout)["suite"]["name"] == "small"
    bad = invoke("bench", suite, *folders, "--seeds", "0,0")
    assert bad.exit_code == 2


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_a_suite_that_is_killed_again_and_again_equals_one_never_stopped(
    finished: tuple[Path, Path, Report], tmp_path: Path, seed: int
) -> None:
    suite, _, whole = finished
    draws = random.Random(seed)  # noqa: S311  # for moments, no secrets
    arguments = ["bench", str(suite), "--out", str(tmp_path / "runs"), "--report", str(tmp_path / "report")]
    for count in (1, 2, 4):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments, "--quiet"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # Until so many runs have begun, and a moment longer.
        while process.poll() is None and len(list((tmp_path / "runs").glob("*/manifest.json"))) < count:
            time.sleep(0.01)
        time.sleep(draws.uniform(0.0, 0.3))
        killed = process.poll() is None
        if draws.random() < 0.5:
            # The process alone: its workers end by themselves.
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # Later it may have been at its last run.
        assert killed or count > 1
        if count == 1:
            assert len(list((tmp_path / "runs").glob("*/result.json"))) < 5
    again = made(suite, tmp_path)
    assert [table.lines for table in again.tables] == [table.lines for table in whole.tables]
    assert again.facts["failed"] == 0
