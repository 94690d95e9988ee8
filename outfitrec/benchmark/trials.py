"""The trials of a search over hyper-parameters, kept on disk: it goes on where it stopped, whoever was killed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4
from warnings import catch_warnings, simplefilter

import attrs
from filelock import FileLock, Timeout

from outfitrec.benchmark.jobs import Job
from outfitrec.benchmark.plan import Planner
from outfitrec.benchmark.search import Range, applied, values_of
from outfitrec.core.config import create
from outfitrec.core.errors import RecipeError, RunError
from outfitrec.core.extras import need
from outfitrec.core.files import check_folder, digest
from outfitrec.core.recipe import seeded
from outfitrec.core.runs import Run
from outfitrec.core.seeds import seed_of
from outfitrec.core.settings import Recipe

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial


@attrs.frozen
class Trial:
    """One set of values that a search tries.

    Attributes:
        number: Its number, from 0.
        overrides: The values, by key of the recipe.
        value: Validation value of its run; None where there is none (yet).
        error: Why there is none; empty where there is, or where it is not done.
    """

    number: int
    overrides: Mapping[str, Any]
    value: float | None = None
    error: str = ""

    @property
    def finished(self) -> bool:
        """Whether it is done, or failed."""
        return self.value is not None or bool(self.error)


class Search:
    """A search for the values of a recipe's keys whose run has the best validation value of ``train.select``.

    The first trial is the recipe as it is, so that a search is never worse than its start; the others are drawn by the
    tree-structured Parzen estimator, each from those before it and a generator of its own, so that one process which
    asks for one trial at a time finds the same again. The test split is never looked at.

    Trials are kept in a file in Optuna's journal format, named by what is searched: recipe, data, versions and ranges.
    The same search is found again and goes on, also with more trials. Several processes may work on one: each trial is
    of one of them, and what a dead one leaves is taken up by the others.

    Args:
        recipe: The recipe.
        space: What to try (see `outfitrec.benchmark.search.space`).
        trials: Number of trials to finish, failed ones among them.
        out: Folder of the file, and of the runs.
        seed: Seed of the search and of its runs; None for the recipe's.

    Attributes:
        recipe: The recipe with that seed.
        space: See above.
        budget: Number of trials to finish.
        out: See above.
        select: Label of the metric.
        higher: Whether a higher value of it is better.
        first: Jobs of the first trial; all trials need those before its last, but for what is searched in them.
        path: The file.

    Raises:
        RecipeError: ``train.select`` is null.
        UserError: Optuna is not installed, the folder is a file, or data, photos or weights cannot be used.
    """

    def __init__(
        self, recipe: Recipe, space: Mapping[str, Range], *, trials: int, out: Path, seed: int | None = None
    ) -> None:
        need("tune", "optuna")
        if recipe.train.select is None:
            raise RecipeError(
                "train.select is null: a search needs a metric to choose by", hint="set it, such as train.select=auc"
            )
        self.recipe = recipe if seed is None else seeded(recipe, seed)
        self.space = dict(space)
        self.budget = trials
        self.out = out
        self.select = recipe.train.select
        found = [create(config) for config in recipe.evaluate.metrics]
        self.higher: bool = next(one.higher_is_better for one in found if one.label == self.select)
        self._start = values_of(self.recipe, self.space)
        self._planner = Planner(out)
        self.first = self._planner.jobs_of(self.recipe)
        content = [self.first[-1].facts["identity"], {key: attrs.asdict(one) for key, one in self.space.items()}]
        self.path = out / f"{recipe.name}-{digest(content)[:8]}.journal"
        check_folder(out, "--out")
        out.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._beside("lock"))
        self._owner = uuid4().hex[:8]
        self._alive = FileLock(self._beside(self._owner))
        self._study = self._open()

    def ask(self, count: int = 1) -> list[Trial]:
        """Trials that this process is to do now: those that others left, then new ones.

        Args:
            count: The most to give. There are fewer where the rest is done, or is at work in this or other processes.
        """
        from optuna.trial import TrialState

        with self._locked():
            known = self._study.get_trials(deepcopy=False)
            left = [one for one in known if one.state == TrialState.RUNNING and self._is_left(one)]
            count = min(count, self.budget - (len(known) - len(left)))
            if count <= 0:
                return []
            # Held until this process ends, however it ends.
            self._alive.acquire()
            taken = [self._take(one) for one in left[:count]]
            return taken + [self._add() for _ in range(count - len(taken))]

    def tell(self, trial: Trial, value: float | None, error: str = "") -> None:
        """Say what became of a trial.

        Args:
            trial: One that `ask` gave.
            value: Its value; None, NaN and infinite where it failed.
            error: Why it failed.
        """
        from optuna.trial import TrialState

        with self._locked():
            if value is not None and math.isfinite(value):
                self._study.tell(trial.number, value)
                return
            self._note(trial.number, "error", error or f"its {self.select} is {value}")
            self._study.tell(trial.number, state=TrialState.FAIL)

    def trials(self) -> tuple[Trial, ...]:
        """All trials so far, by number; those at work have neither value nor error."""
        with self._locked():
            return tuple(map(_trial, self._study.get_trials(deepcopy=False)))

    def ranking(self) -> list[Trial]:
        """The finished trials, the best first; those that failed come last."""
        sign = -1 if self.higher else 1
        finished = [one for one in self.trials() if one.finished]
        return sorted(finished, key=lambda one: (one.value is None, sign * (one.value or 0.0), one.number))

    @property
    def done(self) -> bool:
        """Whether as many trials are finished as shall be."""
        return sum(one.finished for one in self.trials()) >= self.budget

    def best(self) -> tuple[dict[str, Any], float]:
        """The values that were best so far, and their validation value; of equal ones the first.

        Raises:
            RunError: No trial has a value.
        """
        ranked = self.ranking()
        if not ranked or ranked[0].value is None:
            errors = [one.error for one in ranked if one.error]
            raise RunError(
                f"no trial of {self.recipe.name} has a value", hint=f"the first: {errors[0]}" if errors else ""
            )
        return dict(ranked[0].overrides), ranked[0].value

    def recipe_of(self, trial: Trial) -> Recipe:
        """The recipe that a trial runs.

        Raises:
            RecipeError: Its values do not go together.
        """
        return applied(self.recipe, trial.overrides)

    def jobs_of(self, trial: Trial) -> list[Job]:
        """The jobs that make a trial's run: the run itself is the last."""
        return self._planner.jobs_of(self.recipe_of(trial))

    def value_of(self, directory: Path) -> float:
        """The validation value of a finished run.

        Raises:
            RunError: It has none, or is damaged.
        """
        value = Run(directory).result.valid.get(self.select)
        if value is None:
            raise RunError(f"the run in {directory} has no {self.select} on the validation split")
        return value

    def close(self) -> None:
        """Leave what is not told to whoever works on the search next."""
        self._alive.release(force=True)
        Path(self._alive.lock_file).unlink(missing_ok=True)

    def _open(self) -> "Study":
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        with self._locked():
            # Its own locks outlive a process that is killed; a FileLock is given back by the system.
            journal = JournalFileBackend(str(self.path), lock_obj=cast(Any, self._lock))
            self._storage = JournalStorage(journal)
            return optuna.create_study(
                study_name=self.path.stem,
                storage=self._storage,
                direction="maximize" if self.higher else "minimize",
                load_if_exists=True,
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with the file, which is whole."""
        with self._lock, _quietly():
            if self.path.is_file():
                _mend(self.path)
            yield

    def _add(self) -> Trial:
        """A new trial, of this process."""
        from optuna.trial import TrialState, create_trial

        known = self._study.get_trials(deepcopy=False)
        values = self._draw(known) if known else self._start
        try:
            params = {key: one.nearest(values[key]) for key, one in self.space.items()}
        except ValueError:
            # The recipe as it is, which may lie outside of what is searched: the sampler then learns nothing of it.
            params = {}
        distributions = {key: one for key, one in self._distributions().items() if key in params}
        # In one line of the file: there is no trial without its values.
        self._study.add_trial(
            create_trial(
                state=TrialState.RUNNING,
                params=params,
                distributions=distributions,
                user_attrs={"overrides": values, "owner": self._owner},
            )
        )
        return Trial(len(known), values)

    def _draw(self, known: "Sequence[FrozenTrial]") -> dict[str, Any]:
        """Values for the next trial: a function of the trials so far, their number and the seed."""
        import optuna

        seed = seed_of(self.recipe.train.seed, "trial", len(known)) % 2**32
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
        study = optuna.create_study(sampler=sampler, direction=self._study.direction)
        study.add_trials([one for one in known if one.params])
        # In an order of their own: that in which they were asked for is no part of what is searched.
        found = study.ask(dict(sorted(self._distributions().items()))).params
        return {key: one.rounded(found[key]) for key, one in self.space.items()}

    def _distributions(self) -> "dict[str, BaseDistribution]":
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        def distribution(one: Range) -> "BaseDistribution":
            if one.choices:
                return CategoricalDistribution(one.choices)
            if one.whole:
                return IntDistribution(int(one.low), int(one.high), log=one.log)
            return FloatDistribution(one.low, one.high, log=one.log)

        return {key: distribution(one) for key, one in self.space.items()}

    def _take(self, left: "FrozenTrial") -> Trial:
        self._note(left.number, "owner", self._owner)
        return _trial(left)

    def _is_left(self, trial: "FrozenTrial") -> bool:
        """Whether the process whose trial this is has ended."""
        owner = trial.user_attrs["owner"]
        if owner == self._owner:
            return False
        path = self._beside(owner)
        try:
            with FileLock(path).acquire(blocking=False):
                pass
        except Timeout:
            return False
        path.unlink(missing_ok=True)
        return True

    def _note(self, number: int, key: str, value: str) -> None:
        study = self._storage.get_study_id_from_name(self._study.study_name)
        trial = self._storage.get_trial_id_from_study_id_trial_number(study, number)
        self._storage.set_trial_user_attr(trial, key, value)

    def _beside(self, name: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{name}")


def _trial(one: "FrozenTrial") -> Trial:
    value = one.values[0] if one.values else None
    return Trial(one.number, one.user_attrs["overrides"], value, one.user_attrs.get("error", ""))


def _mend(path: Path) -> None:
    """Cut off what a process that was killed left of a line."""
    with path.open("rb+") as file:
        text = file.read()
        file.truncate(text.rfind(b"\n") + 1)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what Optuna says on the way: which search was found, and which of its features are new."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with catch_warnings():
            simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)
