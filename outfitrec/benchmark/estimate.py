"""How long a suite still takes, judged by the jobs that are done."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean

from outfitrec.benchmark.jobs import Job


class Estimate:
    """Seconds that jobs still take: each as long as those like it did, or as its task does, or as any.

    Args:
        jobs: All that is to be done.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._left = {job.key: job for job in jobs}
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

    def seconds(self, slots: int) -> float | None:
        """Seconds until all is done; None where no job tells.

        Args:
            slots: Jobs that are done at once.
        """
        if not self._took:
            return None
        total = sum(self._expected(job) for job in self._left.values())
        return total / max(1, min(slots, len(self._left)))

    def _expected(self, job: Job) -> float:
        return fmean(next(self._took[same] for same in _alike(job) if same in self._took))


def _alike(job: Job) -> tuple[tuple[str, str], ...]:
    """What a job has in common with others, from the nearest to the farthest."""
    return (("like", job.like or job.key), ("task", job.task), ("any", ""))
