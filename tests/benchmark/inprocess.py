"""An executor for tests: jobs are done in this process, one after the other, when they are waited for."""

import math
from collections.abc import Callable
from pathlib import Path

from outfitrec.benchmark.jobs import Event, Job, Outcome
from outfitrec.benchmark.work import perform
from outfitrec.core.files import write_json
from outfitrec.core.progress import QUIET


class InProcess:
    """Does each job by a function; the first that was begun ends first."""

    def __init__(self, slots: int = 1, work: "Callable[[Job], Event] | None" = None) -> None:
        self.slots = slots
        self.started: list[Job] = []
        # Jobs at work when one was waited for.
        self.together: list[int] = []
        self._at_work: list[Job] = []
        self._work = work or pretended

    def start(self, job: Job) -> None:
        assert len(self._at_work) < self.slots
        self.started.append(job)
        self._at_work.append(job)

    def wait(self) -> Event:
        self.together.append(len(self._at_work))
        event = self._work(self._at_work[0])
        if isinstance(event, Outcome):
            self._at_work.pop(0)
        return event

    def close(self) -> None:
        self._at_work.clear()


def trained(job: Job) -> Event:
    """Run a job."""
    return perform(job, QUIET)


def pretended(job: Job) -> Event:
    """Write what stands in a finished run: a validation value that is best at a learning rate of 0.3."""
    directory = Path(job.facts["out"]) / job.key
    value = 1 / (1 + math.log(job.facts["recipe"]["train"]["optimizer"]["lr"] / 0.3) ** 2)
    nothing: dict[str, float] = {}
    result = {
        **dict.fromkeys(("parameters", "test", "per_user", "protocol", "training", "data"), nothing),
        "recipe": job.facts["recipe"]["name"],
        "valid": {"auc": value, "misses": 1 - value},
        "warnings": [],
        "seconds": 0.0,
    }
    directory.mkdir(exist_ok=True)
    write_json(directory / "manifest.json", {})
    write_json(directory / "result.json", result)
    return Outcome(job.key)
