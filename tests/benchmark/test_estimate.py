"""How long a suite still takes."""

import pytest

from outfitrec.benchmark.estimate import Estimate
from outfitrec.benchmark.jobs import Job


def job(key: str, like: str, task: str = "train") -> Job:
    return Job(key, f"job {key}", task, {}, (), like)


SLOW = [job(f"slow {seed}", "slow") for seed in range(3)]
FAST = [job(f"fast {seed}", "fast") for seed in range(3)]
MEASURE = job("measure", "slow-efficiency", "efficiency")


def test_each_takes_as_long_as_those_like_it_did() -> None:
    estimate = Estimate([*SLOW, *FAST])
    estimate.ended(SLOW[0], 100.0)
    estimate.ended(FAST[0], 10.0)
    assert estimate.count == 4
    # Two slow ones and two fast ones; a mean over all would say the same of what is left of either alone.
    assert estimate.seconds(1) == pytest.approx(220)
    assert estimate.seconds(2) == pytest.approx(110)
    estimate.ended(SLOW[1], 140.0)
    assert estimate.seconds(1) == pytest.approx(120 + 2 * 10)
    estimate.ended(SLOW[2], 120.0)
    assert estimate.seconds(1) == pytest.approx(20)
    # No more at once than there are.
    assert estimate.seconds(8) == pytest.approx(10)


def test_what_nothing_is_like_takes_what_its_task_does_or_anything() -> None:
    estimate = Estimate([*SLOW, *FAST, MEASURE])
    assert estimate.seconds(1) is None
    estimate.ended(SLOW[0], 100.0)
    # Of its own task there is none yet.
    assert estimate.seconds(1) == pytest.approx(6 * 100)
    estimate.ended(SLOW[1], 50.0)
    assert estimate.seconds(1) == pytest.approx(5 * 75)


def test_a_job_that_failed_tells_nothing() -> None:
    estimate = Estimate(FAST)
    estimate.ended(FAST[0], None)
    assert estimate.count == 2
    assert estimate.seconds(1) is None
    estimate.ended(FAST[1], 10.0)
    assert estimate.seconds(1) == pytest.approx(10)


def test_when_all_is_done_nothing_is_left() -> None:
    estimate = Estimate(FAST[:1])
    estimate.ended(FAST[0], 10.0)
    assert (estimate.count, estimate.seconds(2)) == (0, 0)
