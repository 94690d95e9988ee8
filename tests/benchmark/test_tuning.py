"""A search finds the best values, keeps its trials, and goes on where it stopped."""

import json
import math
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from commands import process
from inprocess import InProcess, pretended, trained
from tiny import master, student, tiny

from outfitrec.benchmark.jobs import Event, Job, Moved, Outcome, Said
from outfitrec.benchmark.search import Range, space
from outfitrec.benchmark.trials import Search, Trial
from outfitrec.benchmark.tuning import tune
from outfitrec.core.engine import run
from outfitrec.core.errors import RecipeError, RunError, UserError
from outfitrec.core.progress import Progress
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.settings import Recipe, changed

LR, DROPOUT, HEADS = "train.optimizer.lr", "model.encoder.head.dropout", "model.aggregator.heads"
RANGES: dict[str, Any] = {LR: [1e-3, 1.0], DROPOUT: [0.0, 0.7], HEADS: [1, 2, 4]}
ODD = Path(__file__).with_name("odd_parts.py")
# A search in a process of its own: the arguments of `tune`, and the number of the job in which it is killed.
PROGRAM = """
import json, os, sys
sys.path[:0] = json.loads(sys.argv[1])
from inprocess import InProcess, pretended, trained
from outfitrec.benchmark.tuning import tune
arguments, kill = json.loads(sys.argv[2]), int(sys.argv[3])
jobs = []
def work(job):
    jobs.append(job)
    if len(jobs) == kill:
        os.environ["OUTFITREC_TEST_KILL_AT"] = "12"
    return trained(job) if kill else pretended(job)
found = tune(executor=InProcess(work=work), **arguments)
print(json.dumps([found.value, len(jobs)]))
"""


class Heard(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.warnings: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


@cache
def recipe() -> Recipe:
    return load_recipe(tiny())


@cache
def tried(ranges: str) -> dict[str, Range]:
    return space(recipe(), json.loads(ranges))


def opened(out: Path, trials: int = 8, seed: int | None = None, ranges: dict[str, Any] = RANGES) -> Search:
    return Search(recipe(), tried(json.dumps(ranges)), trials=trials, out=out, seed=seed)


def worth(trial: Trial) -> float:
    """A function with its best value, 0, far from the start."""
    lr, dropout, heads = (trial.overrides[key] for key in (LR, DROPOUT, HEADS))
    return -(math.log10(lr) ** 2) - float(dropout) ** 2 - float(heads != 4)


def finished(search: Search, at_once: int = 1) -> list[Trial]:
    """The trials of a search that is carried on to its end."""
    with closing(search):
        while asked := search.ask(at_once):
            for trial in asked:
                search.tell(trial, worth(trial))
        assert search.done
        return list(search.trials())


def tuned(out: Path, **changes: Any) -> Any:
    return tune(**{"recipe": tiny(), "trials": 4, "ranges": {LR: []}, "out": out, "executor": InProcess(), **changes})


def searching(arguments: dict[str, Any], kill: int = 0) -> Any:
    """A search in a process of its own."""
    here = [path for path in sys.path if path]
    return process(json.dumps(here), json.dumps(arguments), str(kill), code=PROGRAM)


def test_the_first_trial_is_the_recipe_as_it_is_and_nothing_is_worse_than_it(tmp_path: Path) -> None:
    trials = finished(opened(tmp_path))
    assert trials[0].overrides == {LR: 0.05, DROPOUT: 0.2, HEADS: 2}
    search = opened(tmp_path)
    assert search.recipe_of(trials[0]) == recipe()
    assert search.best()[1] == max(one.value for one in trials if one.value is not None) >= worth(trials[0])


def test_a_start_outside_of_the_ranges_is_tried_too(tmp_path: Path) -> None:
    ranges = {LR: [0.1, 0.5], "train.clip_norm": [], "objectives.ranking.loss.temperature": [0.2, 0.4]}
    search = opened(tmp_path, trials=12, ranges=ranges)
    start = {LR: 0.05, "train.clip_norm": None, "objectives.ranking.loss.temperature": 0.1}
    with closing(search):
        for number in range(12):
            [trial] = search.ask()
            assert (trial.overrides == start) == (number == 0)
            search.tell(trial, float(number))


def test_values_lie_in_their_ranges_and_are_short(tmp_path: Path) -> None:
    trials = finished(opened(tmp_path, trials=20))
    for one in trials[1:]:
        assert 1e-3 <= one.overrides[LR] <= 1
        assert 0 <= one.overrides[DROPOUT] <= 0.7
        assert one.overrides[HEADS] in (1, 2, 4)
        assert float(f"{one.overrides[LR]:.4g}") == one.overrides[LR]
    assert {type(one.overrides[HEADS]) for one in trials} == {int}
    assert len({tuple(one.overrides.values()) for one in trials}) == 20


def test_trials_repeat_exactly_and_another_seed_draws_others(tmp_path: Path) -> None:
    first, again, other = (finished(opened(tmp_path / name, 16, seed)) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert first == again
    assert first[0].overrides == other[0].overrides
    assert all(one.overrides != two.overrides for one, two in zip(first[1:], other[1:], strict=True))


def test_the_order_of_the_keys_is_no_part_of_a_search(tmp_path: Path) -> None:
    turned = {key: RANGES[key] for key in reversed(RANGES)}
    assert opened(tmp_path, ranges=turned).path == opened(tmp_path).path
    assert finished(opened(tmp_path / "turned", ranges=turned)) == finished(opened(tmp_path))


def test_the_estimator_comes_nearer_than_chance(tmp_path: Path) -> None:
    trials = finished(opened(tmp_path, trials=40))
    values = [one.value or 0.0 for one in trials]
    # Before the tenth they are drawn at random.
    assert sum(values[-20:]) / 20 > sum(values[1:10]) / 9 + 0.5


def test_a_search_goes_on_with_more_trials_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    parts = [finished(opened(tmp_path / "parts", trials)) for trials in (3, 3, 12)]
    assert [len(one) for one in parts] == [3, 3, 12]
    assert parts[-1] == finished(opened(tmp_path / "whole", 12))
    assert len(list((tmp_path / "parts").glob("*.journal"))) == 1


def test_another_recipe_range_or_seed_is_another_search(tmp_path: Path) -> None:
    longer = changed(recipe(), train=changed(recipe().train, epochs=4))
    paths = {
        opened(tmp_path).path,
        opened(tmp_path, seed=1).path,
        opened(tmp_path, ranges={LR: []}).path,
        opened(tmp_path, ranges={LR: [1e-3, 0.9]}).path,
        Search(longer, tried(json.dumps(RANGES)), trials=8, out=tmp_path).path,
    }
    assert len(paths) == 5
    assert opened(tmp_path, trials=9).path in paths


def test_a_trial_that_is_left_is_taken_up_by_the_next(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    [first, second], [third] = one.ask(2), two.ask()
    assert [first.number, second.number, third.number] == [0, 1, 2]
    one.tell(first, 0.5)
    one.close()
    with closing(two):
        assert two.ask() == [second]
        two.tell(second, 0.6)
        assert [trial.value for trial in two.trials()] == [0.5, 0.6, None]


def test_two_at_work_on_one_search_share_its_trials(tmp_path: Path) -> None:
    one, two = opened(tmp_path, trials=5), opened(tmp_path, trials=5)
    with closing(one), closing(two):
        asked = [*one.ask(2), *two.ask(2), *one.ask(2), *two.ask(2)]
        assert [trial.number for trial in asked] == [0, 1, 2, 3, 4]
        for search, trial in zip((one, one, two, two, one), asked, strict=True):
            search.tell(trial, worth(trial))
        assert one.done
        assert two.done
        assert one.best() == two.best()
        assert not one.ask()


def test_fewer_trials_are_enough_where_there_are_more_already(tmp_path: Path) -> None:
    finished(opened(tmp_path, 6))
    with closing(opened(tmp_path, 4)) as search:
        assert search.done
        assert not search.ask()
        assert len(search.trials()) == 6


@pytest.mark.parametrize("torn", ['{"op_code":4,"worker_id":"x", "stu', "{"])
def test_a_line_that_a_killed_process_left_unfinished_does_no_harm(tmp_path: Path, torn: str) -> None:
    finished(opened(tmp_path, 3))
    with opened(tmp_path, 3).path.open("a") as file:
        file.write(torn)
    assert finished(opened(tmp_path, 6)) == finished(opened(tmp_path / "whole", 6))


def test_failed_trials_count_are_told_and_are_never_best(tmp_path: Path) -> None:
    values: list[float | None] = [0.5, None, math.nan, math.inf, 0.4]
    with closing(opened(tmp_path, trials=5)) as search:
        for value in values:
            [trial] = search.ask()
            search.tell(trial, value, "it fell over" if value is None else "")
        assert search.done
        assert search.best()[1] == 0.5
        assert [one.error for one in search.trials()] == ["", "it fell over", "its auc is nan", "its auc is inf", ""]
        assert [one.number for one in search.ranking()] == [0, 4, 1, 2, 3]


def test_a_search_of_which_all_trials_failed_has_no_best(tmp_path: Path) -> None:
    with closing(opened(tmp_path, trials=2)) as search:
        for trial in search.ask(2):
            search.tell(trial, None, f"no luck with {trial.number}")
        with pytest.raises(RunError) as caught:
            search.best()
    assert caught.value.problems[0].hint == "the first: no luck with 0"


def test_of_some_metrics_less_is_better(tmp_path: Path) -> None:
    plugins = [*tiny()["plugins"], str(ODD)]
    train = {**tiny()["train"], "select": "misses"}
    found = tuned(tmp_path, recipe=tiny(plugins=plugins, evaluate={"metrics": ["misses"]}, train=train))
    values = [one.value for one in found.trials]
    assert found.value == values[0]
    assert values == sorted({*values})


def test_a_search_needs_a_metric_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"train\.select is null"):
        tuned(tmp_path, overrides=["train.select=null"])
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is no folder"):
        tuned(tmp_path / "file")


def test_the_best_recipe_gives_the_best_value_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    heard = Heard()
    found = tuned(tmp_path, trials=3, executor=InProcess(work=trained), progress=heard)
    assert [len(found.trials), found.select] == [3, "auc"]
    first = next(one for one in found.trials if one.number == 0)
    assert found.value == found.trials[0].value >= (first.value or 1)
    assert found.recipe.name == "tiny-tuned"
    assert load_recipe(resolved(found.recipe)) == found.recipe
    assert run(found.recipe, out=tmp_path / "again").result.valid["auc"] == found.value
    assert [text.partition(":")[0] for text in heard.messages] == [f"trial {number}" for number in range(3)]
    assert capfd.readouterr() == ("", "")


def test_a_finished_search_is_found_and_trains_nothing(tmp_path: Path) -> None:
    first, executor, heard = tuned(tmp_path), InProcess(), Heard()
    assert tuned(tmp_path, executor=executor, progress=heard) == first
    assert not executor.started
    tuned(tmp_path, trials=5, executor=executor, progress=heard)
    assert len(executor.started) == 1
    assert heard.messages[0] == "4 of 5 trials are finished from before"


def test_the_seed_is_that_of_the_runs_and_the_recipe_keeps_its_own(tmp_path: Path) -> None:
    executor = InProcess()
    found = tuned(tmp_path, seed=7, trials=2, executor=executor)
    assert {job.facts["recipe"]["train"]["seed"] for job in executor.started} == {7}
    assert found.recipe.train.seed == 0


def test_runs_that_diverge_are_failed_trials(tmp_path: Path) -> None:
    heard = Heard()
    found = tuned(tmp_path, ranges={LR: [1e3, 1e6]}, trials=4, executor=InProcess(work=trained), progress=heard)
    failed = [one for one in found.trials if one.error]
    assert len(found.trials) == 4
    assert failed
    assert found.trials[-len(failed) :] == tuple(failed)
    assert all("the loss is not finite" in one.error for one in failed)
    assert sum(": failed: the loss is not finite" in text for text in heard.messages) == len(failed)


def test_values_that_do_not_go_together_are_a_failed_trial(tmp_path: Path) -> None:
    found = tuned(tmp_path, ranges={HEADS: [1, 2, 4], "model.dim": [14, 16, 18]}, trials=12)
    failed = [one for one in found.trials if one.error]
    assert failed
    assert all(one.overrides["model.dim"] % one.overrides[HEADS] for one in failed)
    assert all("heads do not divide model.dim" in one.error for one in failed)


def test_equal_trials_share_a_run(tmp_path: Path) -> None:
    executor = InProcess(slots=3)
    found = tuned(tmp_path, ranges={HEADS: [[2, 4]]}, trials=7, executor=executor)
    assert len(found.trials) == 7
    assert len({job.key for job in executor.started}) == len(executor.started) == 2


def test_several_trials_are_at_work_at_once(tmp_path: Path) -> None:
    executor = InProcess(slots=2)
    assert len(tuned(tmp_path, trials=5, executor=executor).trials) == 5
    assert executor.together == [2, 2, 2, 2, 1]


def test_a_teacher_is_trained_once_and_first(tmp_path: Path) -> None:
    executor = InProcess(slots=2)
    found = tuned(tmp_path, recipe=student(), executor=executor, trials=3)
    names = [job.facts["recipe"]["name"] for job in executor.started]
    assert names == ["master", "student", "student", "student"]
    assert len(found.trials) == 3


def test_where_the_teacher_fails_the_search_ends_and_goes_on_another_time(tmp_path: Path) -> None:
    def broken(job: Job) -> Event:
        return Outcome(job.key, "no power") if job.facts["recipe"]["name"] == "master" else pretended(job)

    with pytest.raises(RunError, match="teacher of student, which all trials need, failed: no power"):
        tuned(tmp_path, recipe=student(), executor=InProcess(work=broken), trials=2)
    found = tuned(tmp_path, recipe=student(), trials=2)
    assert [one.error for one in found.trials] == ["", ""]


def test_a_teacher_that_is_searched_fails_its_own_trial_alone(tmp_path: Path) -> None:
    ranges = {f"teacher.{LR}": [1e5, 1e6]}

    def broken(job: Job) -> Event:
        return pretended(job) if job.facts["recipe"]["train"]["optimizer"]["lr"] < 1 else Outcome(job.key, "diverged")

    found = tuned(tmp_path, recipe=student(teacher=master()), ranges=ranges, trials=3, executor=InProcess(work=broken))
    assert [one.error for one in found.trials] == ["", "diverged", "diverged"]


def test_what_runs_say_is_passed_on_once_and_how_far_they_are_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outfitrec.benchmark.tuning.SECONDS", 0.0)
    said: dict[str, int] = {}

    def talking(job: Job) -> Event:
        said[job.key] = said.get(job.key, 0) + 1
        events: Sequence[Event] = (
            Said(job.key, "mind the step", warning=True),
            Said(job.key, "nothing much"),
            Moved(job.key, "epoch", 3, 4, "epochs"),
            pretended(job),
        )
        return events[said[job.key] - 1]

    heard = Heard()
    tuned(tmp_path, trials=2, executor=InProcess(work=talking), progress=heard)
    assert heard.warnings == ["mind the step"]
    assert [text.endswith(": epoch, 75 %") for text in heard.messages] == [True, False, True, False]


def test_a_search_that_is_killed_ends_as_if_it_had_never_been(tmp_path: Path) -> None:
    arguments = {"recipe": tiny(), "trials": 3, "ranges": {LR: []}, "out": str(tmp_path / "killed")}
    killed = searching(arguments, kill=2)
    assert killed.returncode < 0, killed.stderr
    found, whole = (tuned(tmp_path / name, trials=3, executor=InProcess(work=trained)) for name in ("killed", "whole"))
    assert [found.trials, found.overrides] == [whole.trials, whole.overrides]
    assert len(found.trials) == 3


def test_two_processes_finish_one_search_together(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    arguments = {"recipe": tiny(), "trials": 6, "ranges": {LR: []}, "out": str(tmp_path)}
    with ThreadPoolExecutor(2) as both:
        ended = [*both.map(searching, [arguments, arguments])]
    assert [one.stderr for one in ended] == ["", ""]
    values, counts = zip(*(json.loads(one.stdout) for one in ended), strict=True)
    assert values[0] == values[1]
    assert sum(counts) == 6
    found = tuned(tmp_path, trials=6, executor=None)
    assert sorted(one.number for one in found.trials) == list(range(6))
    assert not [one.error for one in found.trials if one.error]
