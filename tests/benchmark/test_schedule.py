"""Jobs are done in the order of their needs."""

from collections.abc import Set as AbstractSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outfitrec.benchmark.jobs import Event, Job, Moved, Outcome, Said
from outfitrec.benchmark.schedule import execute


class Fake:
    """An executor that does nothing, and checks what it is asked for."""

    def __init__(self, slots: int, failing: AbstractSet[str] = frozenset(), latest_first: bool = False) -> None:
        self.slots = slots
        self.started: list[str] = []
        self.ended: list[str] = []
        self._failing = failing
        self._latest_first = latest_first
        self._at_work: list[Job] = []
        self._said: set[str] = set()

    def start(self, job: Job) -> None:
        assert len(self._at_work) < self.slots
        assert set(job.needs) <= set(self.ended) - self._failing
        self.started.append(job.key)
        self._at_work.append(job)

    def wait(self) -> Event:
        assert self._at_work
        job = self._at_work[-1 if self._latest_first else 0]
        if job.key not in self._said:
            self._said.add(job.key)
            return Said(job.key, "begun")
        self._at_work.remove(job)
        self.ended.append(job.key)
        return Outcome(job.key, "boom\n    look out" if job.key in self._failing else "")

    def close(self) -> None:
        raise AssertionError("it is the caller's to close")


def job(key: str, *needs: str) -> Job:
    return Job(key, f"job {key}", "train", {}, needs)


@st.composite
def graphs(draw: st.DrawFn) -> list[Job]:
    """Jobs that need others, in any order."""
    keys = [f"k{number}" for number in range(draw(st.integers(0, 9)))]
    jobs = [
        job(key, *(draw(st.lists(st.sampled_from(keys[:place]), unique=True)) if place else ()))
        for place, key in enumerate(keys)
    ]
    return draw(st.permutations(jobs))


@given(graphs(), st.integers(1, 4), st.data(), st.booleans())
def test_every_job_is_done_once_after_what_it_needs_or_fails_with_it(
    jobs: list[Job], slots: int, data: st.DataObject, latest_first: bool
) -> None:
    failing = set(data.draw(st.lists(st.sampled_from([one.key for one in jobs]), unique=True))) if jobs else set()
    executor = Fake(slots, failing, latest_first)
    heard: list[Event] = []
    outcomes = execute(jobs, executor, heard.append)

    needs = {one.key: one.needs for one in jobs}

    def hopeless(key: str) -> bool:
        return any(need in failing or hopeless(need) for need in needs[key])

    assert list(outcomes) == [one.key for one in jobs]
    assert sorted(executor.started) == sorted(key for key in needs if not hopeless(key))
    assert {key for key, one in outcomes.items() if one.error} == {
        key for key in needs if key in failing or hopeless(key)
    }
    assert sorted(one.key for one in heard if isinstance(one, Said)) == sorted(executor.started)
    assert sorted(one.key for one in heard if isinstance(one, Outcome)) == sorted(needs)


def test_a_job_whose_need_failed_tells_which_and_why() -> None:
    jobs = [job("c", "b"), job("b", "a"), job("a"), job("d")]
    outcomes = execute(jobs, Fake(2, {"a"}), lambda event: None)
    assert {key: one.error for key, one in outcomes.items()} == {
        "a": "boom\n    look out",
        "b": "job a failed: boom",
        "c": "job b failed: job a failed: boom",
        "d": "",
    }


@given(graphs(), st.data())
def test_what_was_done_before_need_not_be_done_again(jobs: list[Job], data: st.DataObject) -> None:
    failing = set(data.draw(st.lists(st.sampled_from([one.key for one in jobs]), unique=True))) if jobs else set()
    whole = execute(jobs, Fake(1, failing), lambda event: None)
    earlier = {one.key for one in jobs if data.draw(st.booleans())}
    # Whoever was done has all that it needs done too.
    for one in sorted(jobs, key=lambda one: -int(one.key[1:])):
        if one.key in earlier:
            earlier.update(one.needs)

    class Later(Fake):
        def start(self, job: Job) -> None:
            self.started.append(job.key)
            self._at_work.append(job)

    executor = Later(2, failing)
    left = [one for one in jobs if one.key not in earlier]
    rest = execute(left, executor, lambda event: None, {key: whole[key] for key in earlier})
    assert list(rest) == [one.key for one in left]
    assert {key: bool(one.error) for key, one in rest.items()} == {key: bool(whole[key].error) for key in rest}
    assert not earlier & set(executor.started)


def test_a_job_whose_need_failed_before_tells_which_and_why() -> None:
    outcomes = execute([job("b", "a")], Fake(1), lambda event: None, {"a": Outcome("a", "boom\n    look out")})
    assert outcomes["b"].error == "a failed: boom"


def test_those_that_most_others_wait_for_are_first_and_the_rest_as_given() -> None:
    jobs = [job("a"), job("b"), job("x", "s"), job("s", "t"), job("y", "t"), job("t"), job("c")]
    executor = Fake(1)
    execute(jobs, executor, lambda event: None)
    assert executor.started == ["t", "s", "a", "b", "x", "y", "c"]


def test_as_many_are_at_work_as_there_is_room_for() -> None:
    most: list[int] = []

    class Counting(Fake):
        def wait(self) -> Event:
            most.append(len(self._at_work))
            return super().wait()

    execute([job(str(number)) for number in range(7)], Counting(3), lambda event: None)
    assert max(most) == 3
    # Of two events each: three are at work until there are fewer.
    assert most.count(3) >= 9


def test_what_jobs_say_is_passed_on_as_it_happens() -> None:
    end = Outcome("a", found={"x": 1})
    events: list[Event] = [Moved("a", "training", 1, 2, "pairs"), Said("a", "look", warning=True), end]

    class Saying(Fake):
        def wait(self) -> Event:
            return events[len(heard)]

    heard: list[Event] = []
    outcomes = execute([job("a")], Saying(1), heard.append)
    assert heard == events
    assert outcomes == {"a": end}


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ([job("a", "b"), job("b", "a")], "cycle"),
        ([job("a", "a")], "cycle"),
        ([job("a", "nobody")], "not there.*nobody"),
        ([job("a"), job("a")], "one key"),
    ],
)
def test_needs_that_cannot_be_met_are_an_error_of_ours(jobs: list[Job], message: str) -> None:
    executor = Fake(1)
    with pytest.raises(ValueError, match=message):
        execute(jobs, executor, lambda event: None)
    assert not executor.started
