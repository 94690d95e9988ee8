"""From a suite to a report: what is not finished is run, everything is compared, and the report is written."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from outfitrec.benchmark.collect import collect, first_manifest, total_seconds
from outfitrec.benchmark.executors import Executor
from outfitrec.benchmark.jobs import Event, Job, Moved, Outcome, Said
from outfitrec.benchmark.plan import EFFICIENCY, Plan, plan
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.schedule import execute
from outfitrec.benchmark.settings import TuneSettings
from outfitrec.benchmark.setups import Setup
from outfitrec.benchmark.suite import Loaded, load_suite, selected
from outfitrec.benchmark.tables import tables
from outfitrec.core.errors import UserError, did_you_mean
from outfitrec.core.extras import need
from outfitrec.core.files import write_json
from outfitrec.core.overrides import Override
from outfitrec.core.progress import QUIET, Advance, Progress

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
            from outfitrec.benchmark.executors.local import LocalExecutor

            return LocalExecutor(self.jobs)
        if self.executor == "ray":
            from outfitrec.benchmark.executors.ray import RayExecutor

            return RayExecutor(self.address)
        raise UserError(f"no such executor {self.executor!r}", hint=did_you_mean(self.executor, EXECUTORS))


def bench(
    suite: str | Path | Mapping[str, Any],
    overrides: Sequence[str | Override] | Mapping[str, Any] = (),
    *,
    rows: Iterable[str] = (),
    seeds: Iterable[int] = (),
    how: How | None = None,
    report: str | Path | None = None,
    command: str = "",
    progress: Progress = QUIET,
) -> Report:
    """Run every recipe of a suite over its seeds, and write the report.

    Finished runs are found by what they compute and not made again, interrupted ones go on. A run that fails is marked
    in the report and ends nothing else.

    Args:
        suite: Name of a shipped suite, path of a YAML file, or mapping.
        overrides: ``KEY=VALUE`` texts, or values by dotted key, set in every recipe (see `load_suite`).
        rows: Rows of the suite; by default all.
        seeds: Seeds in place of the suite's.
        how: How it is run.
        report: Folder of the report; by default ``reports/NAME``.
        command: What the report says that it was made with.
        progress: Told how it goes.

    Raises:
        UserError: Something is wrong with the suite, its recipes, the data or how it is to be run: all of it at once,
            before anything is run.
    """
    need("bench", "jinja2", "matplotlib", "sklearn")
    from outfitrec.benchmark.report.write import write

    began = time.perf_counter()
    how = how or How()
    loaded = selected(load_suite(suite, overrides), rows, seeds)
    settings = loaded.settings
    folder = Path(report) if report is not None else Path("reports") / settings.name
    with ExitStack() as stack:
        opened = _Once(how, stack)
        if settings.tune is not None and how.run:
            loaded = _tuned(loaded, settings.tune, how, opened, progress)
        planned = plan(loaded.setups, settings.seeds, how.out, settings.measure)
        outcomes = _carry_out(planned, opened, progress) if how.run else {}
    entries = collect(planned, settings.measure, outcomes)
    manifest = first_manifest(entries)
    facts = {
        "command": command,
        "overrides": [str(one) for one in overrides] if not isinstance(overrides, Mapping) else dict(overrides),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(total_seconds(entries), 1),
        "wall": round(time.perf_counter() - began, 1),
        "versions": manifest.get("versions", {}),
        "hardware": manifest.get("hardware", {}),
        "finished": sum(not entry.error for entry in entries),
        "failed": sum(bool(entry.error) for entry in entries),
    }
    made = Report(settings, tables(settings, entries, loaded.figures), entries, facts)
    write(made, folder, progress)
    return made


class _Once:
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


def _tuned(loaded: Loaded, tuning: TuneSettings, how: How, opened: _Once, progress: Progress) -> Loaded:
    """The suite with the best recipe that a search found for each of its setups."""
    from outfitrec.benchmark.tuning import tune

    setups: list[Setup] = []
    for setup in loaded.setups:
        progress.message(f"tuning {setup.row}, {setup.column}")
        found = tune(
            setup.recipe,
            trials=tuning.trials,
            seed=tuning.seed,
            ranges=loaded.settings.rows[setup.row].search,
            out=how.out,
            executor=opened.get(),
            progress=progress,
        )
        setups.append(attrs.evolve(setup, recipe=found.recipe, chosen=found.overrides))
    return attrs.evolve(loaded, setups=tuple(setups))


def _carry_out(planned: Plan, opened: _Once, progress: Progress) -> dict[str, Outcome]:
    """Do what is not done; what became of it, by job."""
    left = [job for job in planned.jobs if not planned.finished(job)]
    # What was done before is no longer needed first.
    keys = {job.key for job in left}
    left = [attrs.evolve(job, needs=tuple(key for key in job.needs if key in keys)) for job in left]
    done = len(planned.jobs) - len(left)
    if done:
        progress.message(f"{done} of {len(planned.jobs)} runs are finished from before")
    if not left:
        return {}
    outcomes: dict[str, Outcome] = {}
    with progress.task("suite", len(planned.jobs), "runs") as advance:
        advance(done)
        listener = _Listener(left, planned.kept, advance, progress)
        # What is measured would be disturbed by other work.
        together = [job for job in left if job.task != EFFICIENCY]
        alone = [job for job in left if job.task == EFFICIENCY]
        if together:
            listener.slots = opened.get().slots
            outcomes |= execute(together, opened.get(), listener)
        if alone:
            outcomes |= _one_by_one(alone, outcomes, listener)
    return outcomes


def _one_by_one(jobs: Sequence[Job], outcomes: Mapping[str, Outcome], listener: "_Listener") -> dict[str, Outcome]:
    from outfitrec.benchmark.executors.local import LocalExecutor

    failed = {key: one for key, one in outcomes.items() if one.error}
    ready = [attrs.evolve(job, needs=()) for job in jobs if not any(key in failed for key in job.needs)]
    lost = [job for job in jobs if any(key in failed for key in job.needs)]
    found = {job.key: Outcome(job.key, f"its run failed: {failed[job.needs[0]].error}") for job in lost}
    if ready:
        listener.slots = 1
        with closing(LocalExecutor(1)) as executor:
            found |= execute(ready, executor, listener)
    return found


class _Listener:
    """Tells people how a suite goes, and keeps what jobs return."""

    def __init__(self, jobs: Sequence[Job], kept: Mapping[str, Path], advance: Advance, progress: Progress) -> None:
        self.slots = 1
        self._jobs = {job.key: job for job in jobs}
        self._kept = kept
        self._advance = advance
        self._progress = progress
        self._done = 0
        self._began = time.monotonic()
        self._told: dict[str, float] = {}

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
        self._done += 1
        self._advance(1)
        if outcome.error:
            self._progress.warning(f"{job.name} failed: {outcome.error}")
        else:
            if job.key in self._kept:
                write_json(self._kept[job.key], dict(outcome.found))
            self._progress.message(
                f"{job.name}: {outcome.seconds:.0f} s; {len(self._jobs) - self._done} to go{self._left()}"
            )

    def _left(self) -> str:
        rate = (time.monotonic() - self._began) / max(self._done, 1)
        minutes = rate * (len(self._jobs) - self._done) / 60
        return f", about {minutes:.0f} min" if minutes >= 1 else ""

    def _moved(self, job: Job, event: Moved) -> None:
        now = time.monotonic()
        if now - self._told.setdefault(job.key, now) >= SECONDS and event.total:
            self._told[job.key] = now
            self._progress.message(f"{job.name}: {event.text}, {100 * event.done // event.total} %")
