"""How long a suite still takes."""

import pytest

from outfitrec.benchmark.estimate import Estimate
from outfitrec.benchmark.jobs import Job


def job(key: str, like: str, task: str = "train") -> Job:
    return Job(key, f"job {key}", task, {}, (), like)


SLOW = [job(f"slow {seed}", "slow") for seed in range(3)]
FAST = [job(f"fast {seed}", "fast") for seed in range(3)]
MEASURED = [job(f"measure {like}", f"{like}, measured", "efficiency") for like in ("slow", "fast")]


def ended(jobs: list[tuple[Job, float]], *estimates: Estimate) -> None:
    for done, seconds in jobs:
        for one in estimates:
            one.ended(done, seconds)


def test_each_takes_as_long_as_those_like_it_did() -> None:
    one, two, many = (Estimate([*SLOW, *FAST], [], slots) for slots in (1, 2, 8))
    ended([(SLOW[0], 100.0), (FAST[0], 10.0)], one, two, many)
    assert one.count == 4
    # Two slow ones and two fast ones; a mean over all would say the same of what is left of either alone.
    assert one.seconds == pytest.approx(220)
    assert two.seconds == pytest.approx(110)
    ended([(SLOW[1], 140.0)], one, two, many)
    assert one.seconds == pytest.approx(120 + 2 * 10)
    ended([(SLOW[2], 120.0)], one, two, many)
    assert one.seconds == pytest.approx(20)
    # No more at once than there are.
    assert many.seconds == pytest.approx(10)


def test_what_nothing_is_like_takes_what_its_task_does_or_anything() -> None:
    estimate = Estimate([*SLOW, *FAST], MEASURED, 1)
    assert estimate.seconds is None
    estimate.ended(SLOW[0], 100.0)
    # Of their own task there is none yet.
    assert estimate.seconds == pytest.approx((5 + 2) * 100)
    estimate.ended(SLOW[1], 50.0)
    assert estimate.seconds == pytest.approx((4 + 2) * 75)
    # What one measurement took tells of the other, which is of something else, and of no training.
    estimate.ended(MEASURED[0], 1.0)
    assert estimate.seconds == pytest.approx(4 * 75 + 1)


def test_what_is_done_alone_has_no_part_of_the_slots() -> None:
    estimate = Estimate(FAST, MEASURED, 3)
    ended([(FAST[0], 30.0), (MEASURED[0], 7.0)], estimate)
    assert estimate.seconds == pytest.approx(2 * 30 / 2 + 7)


def test_a_job_that_failed_tells_nothing() -> None:
    estimate = Estimate(FAST, [], 1)
    estimate.ended(FAST[0], None)
    assert estimate.count == 2
    assert estimate.seconds is None
    estimate.ended(FAST[1], 10.0)
    assert estimate.seconds == pytest.approx(10)


def test_when_all_is_done_nothing_is_left() -> None:
    estimate = Estimate(FAST[:1], [], 2)
    estimate.ended(FAST[0], 10.0)
    assert (estimate.count, estimate.seconds) == (0, 0)
