"""Suites: found by name or path, put together, and checked."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from outfitrec.benchmark.measures import Figure
from outfitrec.benchmark.settings import RowSettings, Suite, VariantSettings
from outfitrec.benchmark.setups import Setup, figures_of, setups_of
from outfitrec.core import document as places
from outfitrec.core.document import Document, Place
from outfitrec.core.errors import Problem, RecipeError, UserError, did_you_mean
from outfitrec.core.loading import plugins
from outfitrec.core.overrides import Override, Overrides, read_overrides
from outfitrec.core.recipe import SUFFIXES
from outfitrec.core.settings import EXTENDS, changed
from outfitrec.core.structure import NAME, structure_settings
from outfitrec.core.values import shown
from outfitrec.core.yamlfile import read

DEEPEST = 5
# The dataset component that reads the paper's data, and keys that leave an evaluation as it is.
PAPERS = "polyvore_u"
FREE = frozenset({"root", "chunk", "images"})
# What the one column is called of a suite that has none.
ONLY = "all"


@attrs.frozen(eq=False)
class Loaded:
    """A suite, checked together with all its recipes.

    Attributes:
        settings: What the suite says.
        setups: Its recipes, in the order of rows, points and columns.
        figures: The figures of its tables.
    """

    settings: Suite
    setups: tuple[Setup, ...]
    figures: tuple[Figure, ...]


def load_suite(source: str | Path | Mapping[str, Any], overrides: Overrides = ()) -> Loaded:
    """A suite with its recipes, complete and checked.

    Args:
        source: Path of a YAML file, name of a shipped suite, or plain data.
        overrides: ``KEY=VALUE`` texts, or values by dotted key, set in every recipe of the suite; of a recipe in a
            recipe (``teacher.…``), wherever there is one.

    Raises:
        RecipeError: Everything that is wrong in the suite, in its recipes and in the overrides, with places.
    """
    document, folder = _document(source)
    suite: Suite = structure_settings(document, Suite, plugins().registry)
    if not suite.columns:
        document = document.put("columns", Document.of({ONLY: {}}, document.place))
        suite = structure_settings(document, Suite, plugins().registry)
    problems = list(_checks(suite, document))
    if problems:
        raise RecipeError(problems)
    asked = read_overrides(overrides)
    setups = tuple(
        attrs.evolve(one, papers=_is_papers(suite, one, asked)) for one in setups_of(suite, document, folder, asked)
    )
    _check_searches(suite, setups, document)
    return Loaded(suite, setups, figures_of(suite, setups, document))


def _document(source: str | Path | Mapping[str, Any]) -> tuple[Document, Path]:
    """The document of a suite, its bases merged and its nulls left out, and the folder that paths in it start from."""
    if isinstance(source, Mapping):
        document, folder = Document.of(source, Place()), Path.cwd()
    else:
        path = _find(str(source), Place())
        document, folder = read(path), path.parent
    return _cleared(_extended(document, folder, 1)), folder


def _find(source: str, place: Place) -> Path:
    path = Path(source).expanduser()
    if path.suffix in SUFFIXES:
        if not path.is_file():
            raise RecipeError(f"no suite file {source}", where=str(place))
        return path
    try:
        return plugins().registry.get("suite", source).path()
    except UserError as error:
        problem = error.problems[0]
        raise RecipeError(
            problem.message, where=str(place), hint=f"{problem.hint}; the name of a file ends in .yaml"
        ) from error


def _extended(document: Document, folder: Path, depth: int) -> Document:
    if not isinstance(document.data, dict):
        message = f"a suite is a mapping of keys, not {shown(document.value)}"
        raise RecipeError(message, where=str(document.place))
    extends = document.mapping.get(EXTENDS)
    if extends is None:
        return document
    if not isinstance(extends.data, str):
        message = f"extends: must be the name or path of a suite, not {shown(extends.value)}"
        raise RecipeError(message, where=str(extends.place))
    if depth > DEEPEST:
        raise RecipeError(f"suites extend each other, {DEEPEST} deep", where=str(extends.place))
    file = Path(extends.data)
    path = _find(str(folder / file) if file.suffix in SUFFIXES else extends.data, extends.place)
    base = _extended(read(path), path.parent, depth + 1)
    # The name is the suite's own, and no component's.
    return document.put(EXTENDS, None).over(base, named=False)


# Where in a suite a null takes out what a base has; ``*`` is any key.
INSIDE: Mapping[str, Any] = {
    "rows": {"*": {"columns": {"*": {}}, "sweep": {}}},
    "columns": {"*": {}},
    "paper": {"figures": {"*": {"*": {}}}},
}


def _cleared(document: Document) -> Document:
    """A suite without its nulls, which take out what a base has; a null among the keys of a recipe stays."""

    def without(part: Document, inside: Mapping[str, Any]) -> Document:
        for key, one in part.mapping.items():
            deeper = inside.get(key, inside.get("*"))
            kept = None if one.data is None else one if deeper is None else without(one, deeper)
            part = part.put(key, kept)
        return part

    return without(document, INSIDE)


def _checks(suite: Suite, document: Document) -> Iterator[Problem]:
    """What shows only when several keys of a suite are seen together."""

    def problem(keys: places.Path, message: str, hint: str = "") -> Problem:
        return Problem(f"{'.'.join(map(str, keys))}: {message}", document.where(keys), hint)

    if not NAME.fullmatch(suite.name):
        yield problem(("name",), f"must be letters, digits, '.', '_' and '-', not {shown(suite.name)}")
    if not suite.rows:
        yield problem(("rows",), "there is nothing to compare: at least one is needed")
    for key in ("seeds", "figures", "pictures"):
        some = getattr(suite, key)
        if len(set(some)) < len(some):
            yield problem((key,), "an entry is there twice", "leave one of them out")
    if not suite.seeds:
        yield problem(("seeds",), "at least one is needed")
    named: dict[places.Path, str | None] = {
        ("reference",): suite.reference,
        ("space",): suite.space,
        ("false_negatives",): suite.false_negatives,
    }
    named |= {("pictures", index): name for index, name in enumerate(suite.pictures)}
    for keys, row_name in named.items():
        if row_name is not None and row_name not in suite.rows:
            yield problem(keys, f"there is no row {row_name!r}", did_you_mean(row_name, suite.rows))
    for name, row in suite.rows.items():
        yield from (problem(("rows", name, *keys), *rest) for keys, *rest in _wrong(suite, row))
    if suite.paper is not None:
        for row_name, columns in suite.paper.figures.items():
            keys = ("paper", "figures", row_name)
            if row_name not in suite.rows:
                yield problem(keys, "no such row", did_you_mean(row_name, suite.rows))
            for column in columns:
                if column not in suite.columns:
                    yield problem((*keys, column), "no such column", did_you_mean(column, suite.columns))
        for column in suite.paper.users:
            if column not in suite.columns:
                yield problem(("paper", "users", column), "no such column", did_you_mean(column, suite.columns))


def _is_papers(suite: Suite, setup: Setup, overrides: Iterable[Override]) -> bool:
    """Whether what a line shows is of the paper's data and evaluation, as the suite has them."""
    users = suite.paper.users.get(setup.column) if suite.paper else None
    if users is None or setup.data != (PAPERS, users):
        return False
    # Where folders are, and how much is done at once, changes nothing.
    return all(one.keys[0] not in ("dataset", "evaluate") or one.keys[-1] in FREE for one in overrides)


def _check_searches(suite: Suite, setups: Iterable[Setup], document: Document) -> None:
    """Make sure that what a suite tunes can be searched, before anything is run.

    Raises:
        RecipeError: A key is unknown, or a range is outside what it may be: all of them.
    """
    if suite.tune is None:
        return
    from outfitrec.benchmark.search import space

    problems: list[Problem] = []
    for setup in setups:
        where = document.where(("rows", setup.row, "search"))
        try:
            space(setup.recipe, suite.rows[setup.row].search or None)
        except RecipeError as error:
            found = [f"row {setup.row!r}: {one.message}" for one in error.problems]
            problems += [Problem(text, where, one.hint) for text, one in zip(found, error.problems, strict=True)]
    if problems:
        raise RecipeError(dict.fromkeys(problems))


def _wrong(suite: Suite, row: RowSettings) -> Iterator[tuple[Any, ...]]:
    """What is wrong with a row: keys, message and hint."""
    for column in row.columns:
        if column not in suite.columns:
            yield ("columns", column), "no such column", did_you_mean(column, suite.columns)
    for column in suite.columns:
        if row.recipe is None and row.columns.get(column, VariantSettings()).recipe is None:
            yield (), f"no recipe for the column {column!r}", "set the key 'recipe'"
    for key, values in row.sweep.items():
        if not values or any(one in values[:index] for index, one in enumerate(values)):
            yield ("sweep", key), "takes a list of different values, one or more", ""
    if suite.measure == "cold_start" and row.strategy is None:
        yield (), "needs a strategy by which unknown users are served", "strategy: weighted_average, for one"
    if suite.measure != "cold_start" and row.strategy is not None:
        yield ("strategy",), f"is of suites that measure cold_start, and this one measures {suite.measure}", ""
    if row.sweep and suite.tune is not None:
        yield ("sweep",), "of a suite that tunes, every row has the same budget", "search the key instead"
    if row.search and suite.tune is None:
        yield ("search",), "the suite does not tune", "add the key 'tune', such as tune: {trials: 20}"
    if suite.tune is not None and row.part is not None:
        yield ("part",), "of a suite that tunes, a row shows its own run", ""


def selected(loaded: Loaded, rows: Iterable[str] = (), seeds: Iterable[int] = ()) -> Loaded:
    """A suite with some of its rows, or other seeds.

    Raises:
        UserError: There is no such row.
    """
    suite, rows, seeds = loaded.settings, tuple(rows), tuple(seeds)
    unknown = [row for row in rows if row not in suite.rows]
    if unknown:
        raise UserError(f"there is no row {unknown[0]!r}", hint=did_you_mean(unknown[0], suite.rows))
    kept = {name: row for name, row in suite.rows.items() if not rows or name in rows}

    def there(name: str | None) -> str | None:
        return name if name in kept else None

    paper = suite.paper
    if paper is not None:
        paper = changed(paper, figures={name: one for name, one in paper.figures.items() if name in kept})
    suite = changed(
        suite,
        rows=kept,
        seeds=seeds or suite.seeds,
        reference=there(suite.reference),
        space=there(suite.space),
        pictures=tuple(name for name in suite.pictures if name in kept),
        false_negatives=there(suite.false_negatives),
        paper=paper,
    )
    return attrs.evolve(loaded, settings=suite, setups=tuple(one for one in loaded.setups if one.row in kept))
