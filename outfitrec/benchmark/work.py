"""The work of a benchmark: what a process does with a job."""

import gc
import time
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

from outfitrec.benchmark.busy import Others
from outfitrec.benchmark.jobs import Job, Outcome
from outfitrec.core.config import Config
from outfitrec.core.data import Dataset
from outfitrec.core.engine import load_dataset, locked, run_session
from outfitrec.core.errors import BusyError, OutfitrecError
from outfitrec.core.progress import Progress
from outfitrec.core.recipe import load_recipe
from outfitrec.core.reevaluate import serve_unknown
from outfitrec.core.runs import Run
from outfitrec.core.session import Options, Session
from outfitrec.core.settings import Recipe

# Datasets that a process keeps: the jobs of a suite share a few, and some take long to read.
KEPT = 2
# Seconds between two looks at a run that another process is at work on.
PATIENCE = 1.0

_datasets: list[tuple[Config, Dataset]] = []


@cache
def prepare(threads: int, share: float) -> None:
    """Make a process ready for many jobs.

    Args:
        threads: Threads that it has.
        share: Its part of the memory of its GPU; 1 without one, too.
    """
    torch.set_num_threads(threads)
    if share < 1:
        torch.cuda.set_per_process_memory_fraction(share)
    # What is here by now stays, and need not be looked through after each job, when what that left behind is collected:
    # its photos and model hang together in cycles, and would stand in memory beside those of the next.
    gc.freeze()


def perform(job: Job, progress: Progress) -> Outcome:
    """Do a job. What goes wrong with it is its outcome.

    Args:
        job: The job.
        progress: Told how it goes.
    """
    began = time.perf_counter()
    error, found = "", {}
    try:
        found = dict(TASKS[job.task](job.facts, progress))
    except OutfitrecError as problem:
        error = str(problem)
    except (Exception, SystemExit) as problem:
        # A component may raise anything, and the jobs after this one are none of its business.
        error = _told(problem)
    return Outcome(job.key, error, round(time.perf_counter() - began, 3), found)


def _train(facts: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Run a recipe, or go on with its interrupted run, or find the finished one."""
    recipe = load_recipe(facts["recipe"])
    options = Options(out=Path(facts["out"]), resume=True, progress=progress)
    run = _run(Session(recipe, _dataset(recipe), facts["role"], options))
    return {"directory": str(run.directory), "trained": run.trained}


def _evaluate(facts: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Evaluate a finished run again, on users whom it does not know."""
    return {"cold_start": serve_unknown(facts["run"], facts["overrides"], progress=progress)}


def _efficiency(facts: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Measure what a finished run costs, and how busy the machine was meanwhile."""
    from outfitrec.benchmark.efficiency import measure

    others = Others()
    found: Mapping[str, Any] = measure(**facts, progress=progress)
    return {**found, "others": others.share()}


# By the name of a task: what does it, given a job's facts.
TASKS: Mapping[str, Callable[[Mapping[str, Any], Progress], Mapping[str, Any]]] = {
    "train": _train,  # recipe: resolved, with its dataset; role; out: the folder of run directories
    "evaluate": _evaluate,  # run: its directory; overrides: values by dotted key
    "efficiency": _efficiency,  # what `outfitrec.benchmark.efficiency.measure` takes
}


def _run(session: Session) -> Run:
    """Run a session; first wait until no other process is at work on it, or on a run that it needs."""
    told = False
    while True:
        try:
            return run_session(session)
        except BusyError as error:
            if not told:
                session.options.progress.message(f"{error}: waiting until it is done")
                told = True
        while _busy(session):
            time.sleep(PATIENCE)


def _busy(session: Session) -> bool:
    return locked(session.directory.path) or any(map(_busy, session.before.values()))


def _dataset(recipe: Recipe) -> Dataset:
    """The recipe's data, from this process's memory where a job before it had the same."""
    for index, (config, dataset) in enumerate(_datasets):
        if config == recipe.dataset:
            _datasets.insert(0, _datasets.pop(index))
            return dataset
    dataset = load_dataset(recipe)
    _datasets.insert(0, (recipe.dataset, dataset))
    del _datasets[KEPT:]
    return dataset


def _told(error: BaseException) -> str:
    """An error that nobody foresaw, in a line, with the place that it comes from, and what was noted of it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    notes = "".join(f", {' '.join(note.split())}" for note in getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno}){notes}"
