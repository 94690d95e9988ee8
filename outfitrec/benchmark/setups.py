"""The recipes of a suite: of each row, at each point of its sweep, in each column."""

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import attrs

from outfitrec.benchmark.entries import Cell
from outfitrec.benchmark.measures import EFFICIENCY, Figure, metric
from outfitrec.benchmark.settings import Suite, VariantSettings
from outfitrec.core.config import create, label
from outfitrec.core.document import Document
from outfitrec.core.errors import OutfitrecError, Problem, RecipeError, did_you_mean
from outfitrec.core.evaluation import COMPATIBILITY, FITB
from outfitrec.core.overrides import Override, written
from outfitrec.core.recipe import SUFFIXES, load_recipe, resolved
from outfitrec.core.settings import INNER, FinishedRun, Recipe

# Keys that are set by evaluating finished runs again, in suites that measure cold starts: nothing is trained for them.
AGAIN = ("evaluate", "cold_start")
DEFAULT = {
    "test": ("auc", "ndcg"),
    "cold_start": ("auc/1", "auc/5"),
    "efficiency": tuple(one.name for one in EFFICIENCY),
}


@attrs.frozen(eq=False)
class Setup:
    """The recipe of all runs of a line in one column, whatever their seed.

    Attributes:
        row: The row.
        column: The column.
        point: Values of the swept keys, by key.
        recipe: The recipe, with the seed that it has of itself.
        part: Key of the recipe in it whose run is shown; empty where it is its own.
        again: Keys that its finished runs are evaluated again with; none where they are taken as they are.
        strategy: Label of the cold start by which the line's figures are; empty where there is none.
        chosen: Keys that a search chose, with their values.
        papers: Whether data and evaluation are the paper's.
    """

    row: str
    column: str
    point: tuple[tuple[str, Any], ...]
    recipe: Recipe
    part: str = ""
    again: tuple[Override, ...] = ()
    strategy: str = ""
    chosen: Mapping[str, Any] = attrs.field(factory=dict)
    papers: bool = False

    @property
    def data(self) -> tuple[str, int | None]:
        """The dataset component, and its number of users where the recipe says it."""
        users = getattr(self.recipe.dataset, "users", None)
        return self.recipe.dataset.name, users if isinstance(users, int) else None

    @property
    def evaluated(self) -> Recipe:
        """The recipe by which what is shown was evaluated."""
        shown = part_of(self.recipe, self.part)
        return load_recipe(resolved(shown), self.again) if self.again else shown

    def cell(self, seed: int) -> Cell:
        """Its cell of a seed."""
        return Cell(self.row, self.column, self.point, seed)


def part_of(recipe: Recipe, part: str) -> Recipe:
    """The recipe whose run is shown: a recipe itself, or the one under a key of it.

    Raises:
        RecipeError: There is none under that key, or it is a finished run.
    """
    inner: Recipe | FinishedRun | None = getattr(recipe, part) if part else recipe
    if not isinstance(inner, Recipe):
        raise RecipeError(f"part: the recipe {recipe.name} has no recipe under {part!r}")
    return inner


def setups_of(suite: Suite, document: Document, folder: Path, overrides: list[Override]) -> tuple[Setup, ...]:
    """All recipes of a suite.

    Args:
        suite: The suite.
        document: The same, as it was written.
        folder: Where paths in it start from.
        overrides: Keys that are set in all recipes, above what the suite says.

    Raises:
        RecipeError: What is wrong with any of them, each thing once.
    """
    return _Setups(suite, document, folder, overrides).all()


class _Setups:
    def __init__(self, suite: Suite, document: Document, folder: Path, overrides: list[Override]) -> None:
        self._suite = suite
        self._document = document
        self._folder = folder
        self._overrides = overrides
        # Keys that lead into recipes in a recipe, of all rows: whether any row has such a recipe.
        self._used: dict[str, bool] = {}

    def all(self) -> tuple[Setup, ...]:
        found: list[Setup] = []
        problems: dict[tuple[str, str], Problem] = {}
        for name, row in self._suite.rows.items():
            for point in product(*[[(key, one) for one in values] for key, values in row.sweep.items()]):
                for column in self._suite.columns:
                    try:
                        found.append(self._setup(name, column, point))
                    except OutfitrecError as error:
                        for one in error.problems:
                            # The same mistake of every row is told once.
                            told = attrs.evolve(one, message=f"row {name!r}: {one.message}")
                            problems.setdefault((one.message, one.where), told)
        for key, used in self._used.items():
            if not (used or problems):
                message = f"{key}: no recipe of the suite has a recipe under {key.partition('.')[0]!r}"
                problems[message, ""] = Problem(message)
        if problems:
            raise RecipeError(problems.values())
        return tuple(found)

    def _setup(self, name: str, column: str, point: tuple[tuple[str, Any], ...]) -> Setup:
        row = self._suite.rows[name]
        source = row.columns.get(column, VariantSettings()).recipe or row.recipe or ""
        if Path(source).suffix in SUFFIXES:
            source = str(self._folder / source)
        general = [*self._written("set"), *self._written("columns", column, "set")]
        own = [*self._written("rows", name, "set"), *self._written("rows", name, "columns", column, "set")]
        own += [self._swept(name, key, value) for key, value in point]
        everything = [*general, *own, *self._overrides]
        cold = self._suite.measure == "cold_start"
        again = [one for one in everything if cold and one.keys[:2] == AGAIN]
        place = self._document.where(("rows", name, "recipe"))
        try:
            trained = [one for one in everything if one not in again]
            recipe = load_recipe(source, self._fitting(source, trained, own))
            part = row.part or ""
            part_of(recipe, part)
        except RecipeError as error:
            raise RecipeError(attrs.evolve(one, where=one.where or place) for one in error.problems) from error
        if not cold:
            return Setup(name, column, point, recipe, part)
        strategy = self._document.find(("rows", name, "strategy"))
        again.append(written("evaluate.cold_start.strategies", attrs.evolve(strategy, data=[strategy])))
        served = Setup(name, column, point, recipe, part, tuple(again))
        settings = served.evaluated.evaluate.cold_start
        if settings is None:
            raise TypeError("a cold start that was set is not there")
        return attrs.evolve(served, strategy=label(settings.strategies[0]))

    def _written(self, *keys: str) -> list[Override]:
        """The overrides that stand under a key of the suite."""
        *around, last = keys
        found = self._document.find(tuple(around)).mapping.get(last)
        there = found is not None and self._document.find(keys) is found
        return [written(key, one) for key, one in found.mapping.items()] if found is not None and there else []

    def _swept(self, name: str, key: str, value: Any) -> Override:
        place = self._suite.rows[name].sweep[key].index(value)
        return written(key, self._document.find(("rows", name, "sweep", key)).data[place])

    def _fitting(self, source: str, wanted: list[Override], own: list[Override]) -> list[Override]:
        """Without the keys of all rows that lead into a recipe that this one does not have."""
        inside = [one for one in wanted if one not in own and one.keys[0] in INNER and len(one.keys) > 1]
        if not inside:
            return wanted
        bare = load_recipe(source, [one for one in wanted if one not in inside])
        for one in inside:
            key = ".".join(one.keys)
            self._used[key] = self._used.get(key, False) or getattr(bare, one.keys[0]) is not None
        return [one for one in wanted if one not in inside or getattr(bare, one.keys[0]) is not None]


def figures_of(suite: Suite, setups: Iterable[Setup], document: Document) -> tuple[Figure, ...]:
    """The figures of a suite's tables.

    Raises:
        RecipeError: One is not computed by every recipe.
    """
    if suite.measure == "efficiency":
        known = {one.name: one for one in EFFICIENCY}
    else:
        known = _computed(setups, cold=suite.measure == "cold_start")
    default = [name for name in DEFAULT[suite.measure] if name in known] or list(known)[:2]
    problems = [
        Problem(
            f"figures: {name!r} is not computed by every recipe",
            document.where(("figures", index)),
            did_you_mean(name, known),
        )
        for index, name in enumerate(suite.figures)
        if name not in known
    ]
    if not known:
        problems.append(Problem("no figure is computed by every recipe", document.where(("rows",))))
    if problems:
        raise RecipeError(problems)
    return tuple(known[name] for name in suite.figures or default)


def _computed(setups: Iterable[Setup], *, cold: bool) -> dict[str, Figure]:
    """The figures that all recipes compute, by name."""
    common: dict[str, Figure] | None = None
    for setup in setups:
        recipe = setup.evaluated
        metrics = [create(config) for config in recipe.evaluate.metrics]
        settings = recipe.evaluate.cold_start
        profiles = [f"/{size}" for size in settings.profiles] if cold and settings else [""]
        figures = [metric(f"{one.label}{profile}", one.higher_is_better) for profile in profiles for one in metrics]
        if not cold and metrics:
            # Computed where the data have questions or labelled outfits, which shows in the run.
            figures += [metric(FITB), metric(COMPATIBILITY)]
        here = {one.name: one for one in figures}
        common = here if common is None else {name: one for name, one in common.items() if name in here}
    return common or {}
