"""Carrying out a plan: where jobs are done, in what order, and what people hear of it."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import attrs

from outfitrec.benchmark.estimate import Estimate
from outfitrec.benchmark.executors import Executor
from outfitrec.benchmark.executors.local import LocalExecutor
from outfitrec.benchmark.jobs import Event, Job, Moved, Outcome, Said
from outfitrec.benchmark.plan import EFFICIENCY, Plan
from outfitrec.benchmark.schedule import execute
from outfitrec.core.errors import RunError, UserError, did_you_mean
from outfitrec.core.files import write_json
from outfitrec.core.progress import Advance, Progress

EXECUTORS = ("local", "ray")
# A job that takes long says how far it is, once in so many seconds.
SECONDS = 60.0


@attrs.frozen
class How:
    """How a suite is run, apart from what it says.

    Attributes:
        out: Folder of run directories, which suites and single runs share.
        jobs: Runs at once on this machine.
        executor: ``local`` or ``ray``.
        address: Address of a Ray cluster; None starts one on this machine.
        run: Whether what is not finished is run; otherwise it is missing in the report.
    """

    out: Path = Path("runs")
    jobs: int = 1
    executor: str = "local"
    address: str | None = None
    run: bool = True

    def open(self) -> Executor:
        """The executor.

        Raises:
            UserError: There is none of this name, or it cannot be had.
        """
        if self.executor == "local":
            if self.address is not None:
                raise UserError("an address is for the executor ray", hint="add --executor ray")
            return LocalExecutor(self.jobs)
        if self.executor == "ray":
            from outfitrec.benchmark.executors.ray import RayExecutor

            return RayExecutor(self.address)
        raise UserError(f"no such executor {self.executor!r}", hint=did_you_mean(self.executor, EXECUTORS))


class Once:
    """The executor, opened when there is something to do."""

    def __init__(self, how: How, stack: ExitStack) -> None:
        self._how = how
        self._stack = stack
        self._made: Executor | None = None

    def get(self) -> Executor:
        if self._made is None:
            self._made = self._how.open()
            self._stack.callback(self._made.close)
        return self._made


def carry_out(planned: Plan, opened: Once, progress: Progress) -> dict[str, Outcome]:
    """Do what is not done; what became of it, by job."""
    left = [job for job in planned.jobs if not planned.finished(job)]
    keys = {job.key for job in left}
    before = {job.key: Outcome(job.key) for job in planned.jobs if job.key not in keys}
    done = len(before)
    if done:
        progress.message(f"{done} of {len(planned.jobs)} runs are finished from before")
    if not left:
        return {}
    outcomes: dict[str, Outcome] = {}
    with progress.task("suite", len(planned.jobs), "runs") as advance:
        advance(done)
        # What is measured would be disturbed by other work.
        together = [job for job in left if job.task != EFFICIENCY]
        alone = [job for job in left if job.task == EFFICIENCY]
        estimate = Estimate(together, alone, opened.get().slots if together else 1)
        listener = _Listener(left, planned.kept, estimate, advance, progress)
        if together:
            outcomes = execute(together, opened.get(), listener, before)
        if alone:
            with closing(LocalExecutor(1)) as executor:
                outcomes |= execute(alone, executor, listener, before | outcomes)
    return outcomes | listener.spoiled


class _Listener:
    """Tells people how a suite goes, and keeps what jobs return."""

    def __init__(
        self, jobs: Sequence[Job], kept: Mapping[str, Path], estimate: Estimate, advance: Advance, progress: Progress
    ) -> None:
        self._jobs = {job.key: job for job in jobs}
        self._kept = kept
        self._advance = advance
        self._progress = progress
        self._estimate = estimate
        self._told: dict[str, float] = {}
        self.spoiled: dict[str, Outcome] = {}

    def __call__(self, event: Event) -> None:
        job = self._jobs[event.key]
        if isinstance(event, Outcome):
            self._ended(job, event)
        elif isinstance(event, Said):
            if event.warning:
                self._progress.warning(f"{job.name}: {event.text}")
        else:
            self._moved(job, event)

    def _ended(self, job: Job, outcome: Outcome) -> None:
        self._estimate.ended(job, None if outcome.error else outcome.seconds)
        self._advance(1)
        if outcome.error:
            self._progress.warning(f"{job.name} failed: {outcome.error}")
        else:
            if job.key in self._kept:
                self._keep(job, outcome)
            self._progress.message(
                f"{job.name}: {outcome.seconds:.0f} s; {self._estimate.count} to go{self._time_left()}"
            )

    def _keep(self, job: Job, outcome: Outcome) -> None:
        try:
            write_json(self._kept[job.key], dict(outcome.found))
        except RunError as error:
            # A full disk, say: a failure of this job, and of no other.
            self.spoiled[job.key] = attrs.evolve(outcome, error=str(error))
            self._progress.warning(f"{job.name} failed: {error}")

    def _time_left(self) -> str:
        minutes = (self._estimate.seconds or 0) / 60
        return f", about {minutes:.0f} min" if minutes >= 1 else ""

    def _moved(self, job: Job, event: Moved) -> None:
        now = time.monotonic()
        if now - self._told.setdefault(job.key, now) >= SECONDS and event.total:
            self._told[job.key] = now
            self._progress.message(f"{job.name}: {event.text}, {100 * event.done // event.total} %")
