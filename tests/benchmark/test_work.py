"""What a process does with a job."""

import gc
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
import torch
from odd_jobs import train_job
from tiny import master, student, tiny
from torch import nn

from outfitrec.benchmark import work
from outfitrec.benchmark.jobs import Job
from outfitrec.benchmark.work import perform
from outfitrec.core.data import Dataset
from outfitrec.core.engine import load_dataset, lock_of, run
from outfitrec.core.errors import Problem, UserError
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.reevaluate import evaluate
from outfitrec.core.runs import Run
from outfitrec.core.session import STUDENT, Options, Session
from outfitrec.core.settings import Recipe


def short(**changes: Any) -> dict[str, Any]:
    return {**tiny()["train"], "epochs": 1, **changes}


def test_a_training_is_that_of_run(tmp_path: Path) -> None:
    recipe = tiny(train=short())
    outcome = perform(train_job(recipe, tmp_path / "job"), QUIET)
    assert outcome.error == ""
    found, expected = Run(Path(outcome.found["directory"])), run(recipe, out=tmp_path / "run")
    assert found.directory == tmp_path / "job" / expected.directory.name
    assert found.result.per_user == expected.result.per_user
    weights = expected.recommender.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in found.recommender.state_dict().items())
    assert 0 < found.result.seconds <= outcome.seconds


def test_a_finished_training_is_found(tmp_path: Path) -> None:
    job = train_job(tiny(train=short()), tmp_path)
    first, second = perform(job, QUIET), perform(job, QUIET)
    assert (first.found["trained"], second.found["trained"]) == (True, False)
    assert first.found["directory"] == second.found["directory"]


def test_a_teacher_that_was_a_job_is_the_student_s(tmp_path: Path) -> None:
    recipe = load_recipe(student(teacher=master(train=short()), train=short()))
    whole = resolved(recipe)
    teacher = perform(train_job({**whole["teacher"], "dataset": whole["dataset"]}, tmp_path, "teacher"), QUIET)
    outcome = perform(train_job(whole, tmp_path), QUIET)
    assert teacher.error == outcome.error == ""
    found = Run(Path(outcome.found["directory"])).teacher
    assert found is not None
    assert found.directory == Path(teacher.found["directory"])
    assert len(list(tmp_path.glob("master-*"))) == 1


def test_data_are_loaded_once_for_jobs_of_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[int] = []
    used: list[int] = []

    def load(recipe: Recipe) -> Dataset:
        loaded.append(recipe.dataset.users)
        return load_dataset(recipe)

    def use(session: Session) -> Run:
        used.append(session.dataset.users)
        raise UserError("that is enough")

    monkeypatch.setattr(work, "load_dataset", load)
    monkeypatch.setattr(work, "run_session", use)
    monkeypatch.setattr(work, "_datasets", [])
    wanted = [6, 7, 6, 8, 7]
    for seed, users in enumerate(wanted):
        perform(train_job(tiny(dataset={"name": "tiny", "users": users}, train=short(seed=seed)), tmp_path), QUIET)
    assert used == wanted
    # Two are kept: those that were needed last.
    assert loaded == [6, 7, 8, 7]


def test_nothing_of_a_job_is_left_in_memory(tmp_path: Path) -> None:
    def modules() -> int:
        return sum(issubclass(type(one), nn.Module) for one in gc.get_objects())

    gc.collect()
    before = modules()
    assert perform(train_job(tiny(train=short()), tmp_path), QUIET).error == ""
    gc.collect()
    assert modules() == before


def test_a_finished_run_is_evaluated_again_on_unknown_users(tmp_path: Path) -> None:
    found = run(tiny(train=short()), out=tmp_path)
    overrides = {"evaluate.cold_start": {"dataset": {"name": "tiny", "seed": 3}, "profiles": [1, 2], "draws": 2}}
    job = Job("again", "again", "evaluate", {"run": str(found.directory), "overrides": overrides})
    outcome = perform(job, QUIET)
    assert outcome.error == ""
    assert outcome.found == {"cold_start": evaluate(found.directory, overrides)["cold_start"]}
    # Nothing else of the run is ranked again.
    bare = perform(attrs.evolve(job, facts={"run": str(found.directory), "overrides": {}}), QUIET)
    assert "evaluate.cold_start is not set" in bare.error


def test_what_a_measurement_needs_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("outfitrec.benchmark.efficiency")
    setattr(module, "measure", lambda **facts: {"told": facts})  # noqa: B010  # mypy knows no attribute of a module
    monkeypatch.setitem(sys.modules, module.__name__, module)
    outcome = perform(Job("cost", "cost", "efficiency", {"run": "here", "batch": 3}), QUIET)
    assert outcome.found["told"] == {"run": "here", "batch": 3, "progress": QUIET}
    # How busy the machine was, where it tells.
    assert outcome.found["others"] is None or 0 <= outcome.found["others"] <= 1


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Job:
    def fail(facts: object, progress: object) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(work, "TASKS", {"fail": fail})
    return Job("key", "name", "fail", {})


def test_every_problem_of_a_user_s_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error = UserError([Problem("one thing", "a.yaml:3", "mend it"), Problem("another")])
    outcome = perform(failing(monkeypatch, error), QUIET)
    assert outcome.key == "key"
    assert outcome.error == "a.yaml:3: one thing\n    mend it\nanother"


def test_any_other_error_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (ZeroDivisionError("by nought"), SystemExit("enough")):
        job = failing(monkeypatch, error)
        outcome = perform(job, QUIET)
        line = work.TASKS["fail"].__code__.co_firstlineno + 1
        assert outcome.error == f"{type(error).__name__}: {error} ({__file__}:{line})"
    error.add_note("in epoch 3")
    assert perform(failing(monkeypatch, error), QUIET).error == f"SystemExit: enough ({__file__}:{line}), in epoch 3"


def test_an_interruption_ends_the_process_and_not_the_job_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        perform(failing(monkeypatch, KeyboardInterrupt()), QUIET)


def test_a_broken_recipe_is_an_error_of_its_job(tmp_path: Path) -> None:
    recipe = {**resolved(load_recipe(tiny())), "nonsense": 1}
    outcome = perform(Job("a", "a", "train", {"recipe": recipe, "role": "student", "out": str(tmp_path)}), QUIET)
    assert outcome.error.startswith("nonsense: unknown key\n    known: dataset, ")


@pytest.mark.parametrize("held", ["student", "master"])
def test_a_run_that_another_process_is_at_work_on_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    recipe = student(teacher=master(train=short()), train=short())
    loaded = load_recipe(recipe)
    session = Session(loaded, load_dataset(loaded), STUDENT, Options(out=tmp_path))
    path = (session if held == "student" else session.before["teacher"]).directory.path
    lock = lock_of(path)
    looks: list[float] = []
    said: list[str] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            lock.release()

    class Listener(Progress):
        def message(self, text: str) -> None:
            said.append(text)

    monkeypatch.setattr(time, "sleep", look)
    lock.acquire()
    try:
        outcome = perform(train_job(recipe, tmp_path), Listener())
    finally:
        lock.release()
    assert outcome.error == ""
    assert len(looks) == 3
    (told,) = (text for text in said if "waiting" in text)
    who = "teacher: " if held == "master" else ""
    assert told == f"{who}another process is at work in {path}: waiting until it is done"
