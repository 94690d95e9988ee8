"""A plan has a job for every run once, in an order that works, and knows what is finished by content."""

from pathlib import Path

import pytest
from suites import small

import outfitrec
from outfitrec.benchmark.plan import EFFICIENCY, EVALUATE, TRAIN, Plan, Planner, plan
from outfitrec.benchmark.suite import load_suite
from outfitrec.core.recipe import load_recipe
from outfitrec.core.runs import MANIFEST, RESULT


def planned(suite: Path, out: Path) -> Plan:
    return plan(load_suite(suite), out)


def test_a_shared_teacher_is_one_job_before_its_students(tmp_path: Path) -> None:
    found = planned(small(tmp_path), tmp_path / "runs")
    names = [job.name for job in found.jobs]
    assert names == ["N-pair · seed 0", "N-pair · seed 1", "teacher of FND · seed 0", "FND · seed 0", "FND · seed 1"]
    teacher = found.jobs[2]
    assert [job.needs for job in found.jobs] == [(), (), (), (teacher.key,), (teacher.key,)]
    assert (teacher.facts["role"], found.jobs[3].facts["role"]) == ("teacher", "student")
    assert {job.task for job in found.jobs} == {TRAIN}
    assert [one.trained for one in found.cells] == [job.key for job in found.jobs if job is not teacher]
    # Seeds apart, both runs of a row are the same, and no others.
    alike = [job.like for job in found.jobs]
    assert alike == [alike[0], alike[0], alike[2], alike[3], alike[3]]
    assert len(set(alike)) == 3


def test_rows_that_compute_the_same_share_their_runs(tmp_path: Path) -> None:
    rows = {"a": {"recipe": "npair.yaml"}, "b": {"recipe": "npair.yaml", "set": {"train.workers": 3}}}
    found = planned(small(tmp_path, rows=rows, reference=None), tmp_path / "runs")
    # The number of workers leaves the result alone.
    assert len(found.cells) == 4
    assert len(found.jobs) == 2


def test_a_jobs_run_is_that_of_the_recipe_alone(tmp_path: Path) -> None:
    small(tmp_path)
    jobs = Planner(tmp_path / "runs").jobs_of(load_recipe(tmp_path / "fnd.yaml", seed=1))
    run = outfitrec.run(tmp_path / "fnd.yaml", seed=1, out=tmp_path / "runs")
    assert jobs[-1].key == run.directory.name
    assert run.teacher is not None
    assert jobs[0].key == run.teacher.directory.name
    assert Path(jobs[-1].facts["out"]) / jobs[-1].key == run.directory


def test_finished_is_what_ended_with_the_same_content(tmp_path: Path) -> None:
    suite = small(tmp_path, rows={"N-pair": {"recipe": "npair.yaml"}}, seeds=[0])
    found = planned(suite, tmp_path / "runs")
    (job,) = found.jobs
    assert not found.finished(job)
    run = outfitrec.run(tmp_path / "npair.yaml", seed=0, out=tmp_path / "runs")
    assert planned(suite, tmp_path / "runs").finished(job)
    # A directory of that name with another content is not it.
    manifest = run.directory / MANIFEST
    manifest.write_text(manifest.read_text().replace(job.facts["identity"], "0" * 64))
    assert not found.finished(job)
    (run.directory / RESULT).unlink()
    assert not found.finished(job)


def test_what_is_found_of_finished_runs_is_named_by_runs_keys_and_data(tmp_path: Path) -> None:
    def keys(**cold: object) -> list[str]:
        settings = {"dataset": {"name": "tiny", "seed": 3}, "draws": 2, **cold}
        rows = {"FND": {"recipe": "fnd.yaml", "strategy": "average"}}
        suite = small(
            tmp_path, measure="cold_start", rows=rows, reference=None, seeds=[0], set={"evaluate.cold_start": settings}
        )
        found = planned(suite, tmp_path / "runs")
        last = found.jobs[-1]
        assert (last.task, last.needs) == (EVALUATE, (found.cells[0].trained,))
        assert found.cells[0].after == last.key
        return [job.key for job in found.jobs]

    first = keys()
    assert keys() == first
    for changed in (keys(draws=3), keys(dataset={"name": "tiny", "seed": 4})):
        assert changed[:-1] == first[:-1]  # the same runs
        assert changed[-1] != first[-1]


def test_costs_are_measured_of_the_run_that_is_shown(tmp_path: Path) -> None:
    rows = {"teacher": {"recipe": "fnd.yaml", "part": "teacher"}, "FND": {"recipe": "fnd.yaml"}}
    found = planned(small(tmp_path, measure="efficiency", rows=rows, reference=None), tmp_path / "runs")
    shown = [(one.cell.row, one.cell.seed, one.directory.name.partition("-")[0]) for one in found.cells]
    assert shown == [("teacher", 0, "master"), ("FND", 0, "fnd"), ("FND", 1, "fnd")]
    for one in found.cells:
        (job,) = (job for job in found.jobs if job.key == one.after)
        assert job.task == EFFICIENCY
        assert job.facts["run"] == str(one.directory.absolute())


def test_problems_of_all_rows_come_at_once(tmp_path: Path) -> None:
    rows = {
        name: {"recipe": "npair.yaml", "set": {"dataset": {"name": "polyvore_u", "root": name, "users": 3}}}
        for name in ("one", "two")
    }
    with pytest.raises(outfitrec.UserError) as caught:
        planned(small(tmp_path, rows=rows, reference=None), tmp_path / "runs")
    assert [problem.message.partition(":")[0] for problem in caught.value.problems] == ["row 'one'", "row 'two'"]
