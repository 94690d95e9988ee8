"""A finished run's model, evaluated again: with other metrics, negatives or data."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch

from outfitrec.core.data import Dataset
from outfitrec.core.detection import detection
from outfitrec.core.devices import fabric
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import DataError, Problem, RecipeError, RunError
from outfitrec.core.fields import info
from outfitrec.core.overrides import read_overrides
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import load_recipe
from outfitrec.core.runs import RECIPE, Run, jsonable
from outfitrec.core.session import Options, Session
from outfitrec.core.settings import INNER, TrainSettings
from outfitrec.core.yamlfile import read


def evaluate(
    run: Run | str | Path, overrides: Sequence[str] | Mapping[str, Any] = (), *, progress: Progress = QUIET
) -> dict[str, Any]:
    """Evaluate a finished run's model again. The run directory stays as it is.

    Args:
        run: The run, or its directory.
        overrides: ``KEY=VALUE`` texts, or values by dotted key, of ``evaluate``, ``dataset`` and what only says how to
            run.
        progress: Told how it goes.

    Returns:
        What `Run.summary` gives, with what was found now; and ``false_negatives`` (see `outfitrec.core.detection`)
        where the data have ground truth and the run has a distiller, whose teacher is still there.

    Raises:
        UserError: There is no run; an override is wrong, or of a key that training depends on; the data are not of the
            model's users and categories.
        RunError: The run is interrupted or damaged.
    """
    began = time.perf_counter()
    run = run if isinstance(run, Run) else Run(Path(run))
    session = reopen(run, overrides, progress=progress)
    warnings: list[str] = []

    def warn(text: str) -> None:
        warnings.append(text)
        progress.warning(text)

    if session.dataset.digest != run.manifest["data"]:
        warn("these are not the data that the model was trained on: outfits of its training may be in this test split")
    device = fabric(session.recipe.train).device
    recommender = run.recommender.to(device)
    with torch.random.fork_rng():
        source = session.source(recommender, device)
        valid, test = session.validation(), session.test()
        cold = session.cold_start(recommender, device)
        means = [one.evaluate(recommender, source, device, progress).means() if one else {} for one in (valid, test)]
        unknown = cold and cold.evaluate(recommender, device, progress)
        distilled = detection(run, session, device, warn)
    found = {
        **run.summary(),
        "test": means[1],
        "valid": means[0],
        "protocol": session.protocol(test),
        "warnings": warnings,
        "cold_start": unknown,
        "seconds": round(time.perf_counter() - began, 3),
        **({"false_negatives": distilled} if distilled else {}),
    }
    return dict(jsonable(found))


def serve_unknown(
    run: Run | str | Path, overrides: Sequence[str] | Mapping[str, Any] = (), *, progress: Progress = QUIET
) -> dict[str, Any]:
    """Evaluate a finished run's model on users whom it does not know, and on nothing else.

    Args:
        run: The run, or its directory.
        overrides: See `evaluate`; ``evaluate.cold_start`` is to be set.
        progress: Told how it goes.

    Returns:
        What `outfitrec.core.cold.ColdEvaluator.evaluate` gives.

    Raises:
        UserError: See `evaluate`; or the recipe asks for no unknown users.
        RunError: The run is interrupted or damaged.
    """
    run = run if isinstance(run, Run) else Run(Path(run))
    session = reopen(run, overrides, progress=progress)
    device = fabric(session.recipe.train).device
    recommender = run.recommender.to(device)
    with torch.random.fork_rng():
        cold = session.cold_start(recommender, device)
        if cold is None:
            raise RecipeError("evaluate.cold_start is not set", hint="it says which users, and how they are served")
        return dict(jsonable(cold.evaluate(recommender, device, progress)))


def reopen(run: Run, overrides: Sequence[str] | Mapping[str, Any] = (), *, progress: Progress = QUIET) -> Session:
    """The session of a finished run: its recipe, without how the model came about, and its data.

    Args:
        run: The run.
        overrides: See `evaluate`.
        progress: Told how it goes.

    Raises:
        UserError: An override is wrong, or of a key that training depends on; the data are not of the model's users
            and categories.
        RunError: The run is damaged.
    """
    problems = list(_refused(overrides))
    if problems:
        raise RecipeError(problems)
    written = read(run.directory / RECIPE).value
    if not isinstance(written, dict):
        raise RunError(f"{run.directory / RECIPE} is damaged: it holds no recipe")
    # How the model came about plays no part, and a teacher may be gone.
    kept = {key: one for key, one in written.items() if key not in (*INNER, "objectives", "loggers")}
    # Its parameters are those of this run, be they trained or those that it started from.
    kept["start"] = str(run.directory.absolute())
    if isinstance(kept.get("train"), dict):
        kept["train"] = {**kept["train"], "select": None, "patience": None}
    recipe = load_recipe(kept, overrides)
    dataset = load_dataset(recipe)
    _check_fits(run, dataset)
    return Session(recipe, dataset, run.manifest["role"], Options(out=run.directory.parent, progress=progress))


def _refused(overrides: Sequence[str] | Mapping[str, Any]) -> Iterator[Problem]:
    """Overrides of keys that would have given another model."""
    settings: Any = TrainSettings
    # Evaluation is the work of one process.
    runtime = [f"train.{one.name}" for one in attrs.fields(settings) if info(one).runtime and one.name != "devices"]
    for override in read_overrides(overrides):
        key = ".".join(override.keys)
        if override.keys[0] not in ("evaluate", "dataset") and key not in runtime:
            yield Problem(
                f"{key}: the model is trained already",
                str(override.place),
                f"keys of evaluate and dataset can be set, and {', '.join(runtime)}",
            )


def _check_fits(run: Run, dataset: Dataset) -> None:
    given, problems = run.model.given, []
    if dataset.users != given["users"]:
        problems.append(
            Problem(f"the model was trained for {given['users']} users, and the dataset has {dataset.users}")
        )
    if tuple(dataset.catalog.categories) != given["categories"]:
        was, found = (", ".join(some) for some in (given["categories"], dataset.catalog.categories))
        problems.append(Problem(f"the model was trained for the categories {was}, and the dataset has {found}"))
    if problems:
        raise DataError(attrs.evolve(problem, where=str(run.directory)) for problem in problems)
