"""A search over hyper-parameters: from a recipe to a better one."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import attrs

from outfitrec.benchmark.executors import Executor
from outfitrec.benchmark.executors.local import LocalExecutor
from outfitrec.benchmark.jobs import Job, Moved, Outcome, Said
from outfitrec.benchmark.search import applied, space
from outfitrec.benchmark.trials import Search, Trial
from outfitrec.core.errors import OutfitrecError, RunError
from outfitrec.core.overrides import Overrides
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import load_recipe
from outfitrec.core.settings import Recipe, changed
from outfitrec.core.values import shown

# A trial that takes long says how far it is, once in so many seconds.
SECONDS = 60.0
# Seconds after which it is looked again what other processes, which have all the trials that are left, make of them.
WAIT = 1.0


@attrs.frozen
class Found:
    """What a search found.

    Attributes:
        overrides: The best values, by key of the recipe.
        value: Their validation value.
        trials: The finished trials, the best first; those that failed come last.
        recipe: The recipe with the best values, as ``NAME-tuned``; its seed is the recipe's, not the search's.
        select: Label of the metric.
        path: The file that keeps the trials.
    """

    overrides: dict[str, Any]
    value: float
    trials: tuple[Trial, ...]
    recipe: Recipe
    select: str
    path: Path


def tune(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    overrides: Overrides = (),
    *,
    trials: int = 20,
    jobs: int = 1,
    seed: int | None = None,
    ranges: Mapping[str, Sequence[Any]] | None = None,
    out: str | Path = "tunings",
    executor: Executor | None = None,
    finished: bool = False,
    progress: Progress = QUIET,
) -> Found:
    """Search the values of a recipe's hyper-parameters whose run has the best validation value of ``train.select``.

    Trials that are finished are kept: the same search goes on where it stopped, also with more trials.

    Args:
        recipe: Name of a shipped recipe, path of a YAML file, mapping, or recipe.
        overrides: ``KEY=VALUE`` texts, or values by dotted key.
        trials: Number of trials to finish, failed ones among them. The first is the recipe as it is.
        jobs: Runs at once on this machine.
        seed: Seed of the search and of its runs; None for the recipe's.
        ranges: Keys to search and what to try of each, in place of those that have a range (see
            `outfitrec.benchmark.search.space`).
        out: Folder of the trials and of their run directories.
        executor: Does the runs, in place of processes of this machine; it is not closed.
        finished: Run nothing: take what a finished search found.
        progress: Told how it goes.

    Raises:
        UserError: Something is wrong with the recipe, the ranges or the data.
        RunError: The search is not finished, and nothing is to be run; what all trials need (a teacher) failed, or
            every trial did.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe, overrides)
    with closing(Search(recipe, space(recipe, ranges), trials=trials, out=Path(out), seed=seed)) as search:
        if finished and not search.done:
            raise RunError(f"the search of {recipe.name} is not finished")
        if not search.done:
            with nullcontext(executor) if executor else closing(LocalExecutor(jobs)) as workers:
                _Work(search, workers, progress).run()
        best, value = search.best()
        found = tuple(search.ranking())
    tuned = changed(applied(recipe, best), name=f"{recipe.name}-tuned")
    return Found(best, value, found, tuned, search.select, search.path)


@attrs.frozen
class _Open:
    """A trial that this process has, with its jobs."""

    trial: Trial
    jobs: list[Job]


class _Work:
    """Does trials until as many are finished as shall be."""

    def __init__(self, search: Search, executor: Executor, progress: Progress) -> None:
        self._search = search
        self._executor = executor
        self._progress = progress
        self._open: list[_Open] = []
        # By key of a job: when it began, or was last spoken of.
        self._at_work: dict[str, float] = {}
        self._ended: dict[str, Outcome] = {}
        self._told: set[str] = set()
        self._shared = {job.key for job in search.first[:-1]}

    def run(self) -> None:
        finished = self._finished()
        if finished:
            self._progress.message(f"{finished} of {self._search.budget} trials are finished from before")
        with self._progress.task("trials", self._search.budget, "trials") as advance:
            advance(finished)
            while finished < self._search.budget:
                asked = self._search.ask(self._executor.slots - len(self._open))
                self._open += [one for trial in asked if (one := self._opened(trial))]
                self._start()
                if self._at_work:
                    self._hear()
                elif not asked:
                    time.sleep(WAIT)
                self._settle()
                # Others may work on the search as well.
                before, finished = finished, self._finished()
                advance(finished - before)

    def _finished(self) -> int:
        return sum(trial.finished for trial in self._search.trials())

    def _opened(self, trial: Trial) -> _Open | None:
        """A trial with its jobs; None where its values do not go together."""
        try:
            return _Open(trial, self._search.jobs_of(trial))
        except OutfitrecError as error:
            self._end(trial, None, str(error))
            return None

    def _start(self) -> None:
        """Start the jobs for which there is room and whose turn it is. Equal trials share theirs."""
        for one in self._open:
            for job in one.jobs:
                known = job.key in self._at_work or job.key in self._ended
                if not known and len(self._at_work) < self._executor.slots and self._ended.keys() >= {*job.needs}:
                    self._executor.start(job)
                    self._at_work[job.key] = time.monotonic()

    def _hear(self) -> None:
        event = self._executor.wait()
        if isinstance(event, Outcome):
            del self._at_work[event.key]
            self._ended[event.key] = event
        elif isinstance(event, Said):
            # Most trials have the same to say.
            if event.warning and event.text not in self._told:
                self._told.add(event.text)
                self._progress.warning(event.text)
        else:
            self._moved(event)

    def _moved(self, event: Moved) -> None:
        now = time.monotonic()
        if event.total and now - self._at_work.get(event.key, now) >= SECONDS:
            self._at_work[event.key] = now
            self._progress.message(f"{event.key}: {event.text}, {100 * event.done // event.total} %")

    def _settle(self) -> None:
        """Tell the search what became of trials whose runs have ended.

        Raises:
            RunError: What all trials need has failed; those at work are left to be taken up again.
        """
        for one in list(self._open):
            outcome = self._outcome(one)
            if outcome is None:
                continue
            value, error = None, outcome.error
            if not error:
                try:
                    value = self._search.value_of(self._search.out / one.jobs[-1].key)
                except RunError as problem:
                    error = str(problem)
            self._open.remove(one)
            self._end(one.trial, value, error)

    def _outcome(self, one: _Open) -> Outcome | None:
        """What became of a trial: of its run, or of the first one before it that failed; None where it is at work."""
        for job in one.jobs:
            outcome = self._ended.get(job.key)
            if outcome and outcome.error:
                if job.key in self._shared:
                    raise RunError(
                        f"{job.name}, which all trials need, failed: {outcome.error}",
                        hint="the trials that are finished are kept, and the same search goes on with the others",
                    )
                return outcome
        return self._ended.get(one.jobs[-1].key)

    def _end(self, trial: Trial, value: float | None, error: str) -> None:
        self._search.tell(trial, value, error)
        # Its hint is for people who write recipes.
        what = f"{self._search.select} {value:.4f}" if value is not None else f"failed: {error.splitlines()[0]}"
        values = " ".join(f"{key}={shown(one)}" for key, one in trial.overrides.items())
        self._progress.message(f"trial {trial.number}: {what}: {values}")
