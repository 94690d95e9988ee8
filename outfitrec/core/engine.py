"""From a recipe to a run: its data, the runs before it, and a finished run where there is one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from filelock import FileLock, Timeout

from outfitrec.core.config import create
from outfitrec.core.data import SPLITS, Dataset
from outfitrec.core.devices import launched
from outfitrec.core.errors import (
    BusyError,
    DataError,
    OutfitrecError,
    Problem,
    RecipeError,
    RunError,
    listed,
)
from outfitrec.core.files import check_folder
from outfitrec.core.processes import GO_ON, is_lost, world
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import load_recipe, resolved, seeded
from outfitrec.core.runs import MANIFEST, RECIPE, Run, RunDirectory, read_json
from outfitrec.core.session import STUDENT, Options, Session
from outfitrec.core.settings import INNER, FinishedRun, Recipe
from outfitrec.core.training import Before, Training
from outfitrec.core.yamlfile import read


def run(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    overrides: Sequence[str] | Mapping[str, object] = (),
    *,
    out: str | Path = "runs",
    seed: int | None = None,
    resume: bool = False,
    force: bool = False,
    strict: bool = False,
    progress: Progress = QUIET,
) -> Run:
    """Run a recipe: those in it first (teacher, neighbours, start), then the model, then evaluate it on the test split.

    A run's directory is named by what it computes: where the same recipe, data and versions ran before, that run is
    returned.

    Args:
        recipe: Name of a shipped recipe, path of a YAML file, mapping, or recipe.
        overrides: ``KEY=VALUE`` texts, or values by dotted key.
        out: Folder that holds run directories.
        seed: Seed of the run in place of the recipe's, and of one that it starts from; the teacher keeps its own.
        resume: Go on with an interrupted run.
        force: Train again where the run is finished or interrupted.
        strict: Make a warning an error.
        progress: Told how it goes: `outfitrec.console_progress()` prints it on standard error.

    Raises:
        UserError: Something is wrong with the recipe, the data or a plugin: all of it at once.
        RunError: The run failed, or an interrupted one is there and neither ``resume`` nor ``force`` is set.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe, overrides, seed=seed)
    elif seed is not None:
        recipe = seeded(recipe, seed)
    options = Options(out=Path(out), resume=resume, force=force, strict=strict, progress=progress)
    finished = _run_together(recipe, options) if launched() else _run_alone(recipe, options)
    if strict and finished.result.warnings:
        raise RunError([Problem(text, str(finished.directory)) for text in finished.result.warnings])
    return finished


def _run_together(recipe: Recipe, options: Options) -> Run:
    """Run a recipe in the processes that torchrun started: one leads, the others train with it."""
    from outfitrec.core.follower import follow

    finished = None
    try:
        with world() as team:
            if team.leads:
                finished = _run_alone(recipe, attrs.evolve(options, team=team))
                team.broadcast(None)
            else:
                follow(team)
            directory = team.broadcast(str(finished.directory.absolute()) if finished else None)
    except RuntimeError as error:
        # Its own message, in its own process, says why.
        if is_lost(error):
            raise RunError("another process of this training ended", hint=GO_ON) from error
        raise
    return finished or Run(Path(directory))


def _run_alone(recipe: Recipe, options: Options) -> Run:
    session = Session(recipe, load_dataset(recipe), STUDENT, options)
    if options.resume:
        _check_interrupted(session)
    return run_session(session)


def _check_interrupted(session: Session) -> None:
    """Make sure that what is to be resumed was not begun under another recipe of the same name.

    Raises:
        RunError: A run of this name is interrupted, and there is none of this recipe.
    """
    directory, recipe = session.directory, session.recipe
    if directory.started:
        return
    for path in sorted(directory.path.parent.glob(f"{recipe.name}-*")):
        other = RunDirectory(path, "")
        if not other.started or other.finished or read_json(path / MANIFEST).get("recipe") != recipe.name:
            continue
        if locked(path):  # at work at this moment
            continue
        keys = differences(read(path / RECIPE).value, resolved(recipe))
        raise RunError(
            f"the interrupted run in {path} is of another recipe, other data or other versions"
            + (f": {listed(keys, 5)}" if keys else ""),
            hint="resume it under its own recipe, remove it, or start this one without --resume",
        )


def differences(old: Any, new: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Keys in which two resolved recipes differ, with both values."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        old, new = (dict(enumerate(one)) for one in (old, new))
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{'.'.join(path)} {old} → {new}"]
    return [text for key in {**old, **new} for text in differences(old.get(key), new.get(key), (*path, str(key)))]


def locked(directory: Path) -> bool:
    """Whether a process is at work in a run directory."""
    try:
        with lock_of(directory).acquire(blocking=False):
            return False
    except Timeout:
        return True


def lock_of(directory: Path) -> FileLock:
    """The lock that a process holds while it is at work in a run directory."""
    return FileLock(directory.parent / f".{directory.name}.lock")


def run_session(session: Session) -> Run:
    """Run a recipe on its data, in its role (see `run`)."""
    recipe, options, directory = session.recipe, session.options, session.directory
    check_folder(options.out, "--out")
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        with lock_of(directory.path).acquire(blocking=False):
            if options.force:
                directory.check_ours()
            else:
                directory.check()
            if directory.finished and not options.force:
                options.progress.message(
                    f"{recipe.name}: finished before, in {directory.path} (--force trains it again)"
                )
                return Run(directory.path)
            if directory.started and not (options.resume or options.force):
                raise RunError(
                    f"an interrupted run of this recipe is in {directory.path}",
                    hint="--resume goes on with it, --force starts again",
                )
            # First what can be wrong with this recipe, then those before it: all before anything here is touched.
            training = Training(session)
            for text in training.warnings:
                options.progress.warning(text)
            if options.strict and training.warnings:
                raise RunError([Problem(text, str(directory.path)) for text in training.warnings])
            # A model that is not trained learns from nobody.
            needed = INNER if recipe.train.epochs else ("start",)
            first: dict[str, Any] = {key: run_before(session, key) for key in needed}
            if options.force:
                directory.clear()
            training.run(Before(**first))
    except Timeout as error:
        raise BusyError(f"another process is at work in {directory.path}") from error
    return Run(directory.path, trained=True)


def load_dataset(recipe: Recipe) -> Dataset:
    """The recipe's data, checked for what every run needs.

    Raises:
        DataError: Something is missing or wrong.
    """
    dataset: Dataset = create(recipe.dataset).load()
    missing = [name for name in SPLITS if not len(dataset.splits.get(name, ()))]
    if missing:
        raise DataError(f"the dataset {recipe.dataset.name} has no outfits in {', '.join(missing)}")
    return dataset


def run_before(session: Session, key: str) -> Run | Path | None:
    """The run of the recipe under a key of another, which is made first where it is a recipe itself.

    What a recipe may start from is a file of weights too.
    """
    inner: Recipe | FinishedRun | None = getattr(session.recipe, key)
    if isinstance(inner, FinishedRun):
        if inner.is_file:
            return Path(inner.path)
        found = Run(Path(inner.path))
        if key != "start":
            check_data(found, key, session.dataset)
        return found
    if inner is None:
        return None
    options = session.options
    options.progress.message(f"{key} of {session.recipe.name}: {inner.name}")
    # A finished run stays, whatever is asked of the one that learns from it; an interrupted one goes on.
    options = attrs.evolve(options, resume=options.resume or options.force, force=False)
    try:
        return run_session(session.inner(key, inner, options))
    except OutfitrecError as error:
        # Of two recipes, which one it is.
        raise type(error)(_within(key, one) for one in error.problems) from error


def _within(key: str, problem: Problem) -> Problem:
    """A problem of the recipe under a key, with the keys that it speaks of."""
    hint = problem.hint.replace(" model.", f" {key}.model.")
    return attrs.evolve(problem, message=f"{key}: {problem.message}", hint=hint)


def check_data(run: Run, key: str, dataset: Dataset) -> None:
    """Make sure that a run's model knows this data.

    Raises:
        RecipeError: It was trained on other data.
    """
    if run.manifest.get("data") != dataset.digest:
        raise RecipeError(
            f"the {key} in {run.directory} was trained on other data than this recipe's dataset",
            hint=f"name a recipe under {key}, and it is trained on this recipe's data",
        )
