"""How long a suite still takes, judged by the jobs that are done."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from outfitrec.benchmark.jobs import Job


class Estimate:
    """Seconds that jobs still take: each as long as those like it did, or as its task does, or as any.

    Jobs at work are taken to be at their beginning, and none to wait for another: it is about right.

    Args:
        together: What is to be done, ``slots`` jobs at once.
        alone: What is to be done after it, one job at a time.
        slots: See above.
    """

    def __init__(self, together: Sequence[Job], alone: Sequence[Job], slots: int) -> None:
        self._left = {job.key: job for job in (*together, *alone)}
        self._alone = {job.key for job in alone}
        self._slots = slots
        self._took: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def ended(self, job: Job, seconds: float | None) -> None:
        """A job is done; ``seconds`` is None where its time tells nothing of others, as of one that failed."""
        del self._left[job.key]
        if seconds is not None:
            for same in _alike(job):
                self._took[same].append(seconds)

    @property
    def count(self) -> int:
        """Jobs that are not done."""
        return len(self._left)

    @property
    def seconds(self) -> float | None:
        """Seconds until all is done; None where no job tells."""
        if not self._took:
            return None
        together = [self._expected(job) for key, job in self._left.items() if key not in self._alone]
        alone = [self._expected(job) for key, job in self._left.items() if key in self._alone]
        return sum(together) / max(1, min(self._slots, len(together))) + sum(alone)

    def _expected(self, job: Job) -> float:
        return fmean(next(self._took[same] for same in _alike(job) if same in self._took))


def _alike(job: Job) -> tuple[tuple[str, str], ...]:
    """What a job has in common with others, from the nearest to the farthest."""
    return (("like", job.like or job.key), ("task", job.task), ("any", ""))
