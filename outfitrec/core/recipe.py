"""Recipes: found by name or path, put together, overridden and checked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from outfitrec.core.config import Config, plain
from outfitrec.core.document import Document, Place
from outfitrec.core.errors import PluginError, Problem, RecipeError, UserError, did_you_mean, nearest
from outfitrec.core.fields import FieldInfo, info
from outfitrec.core.files import file_digest
from outfitrec.core.loading import Plugins
from outfitrec.core.loading import plugins as loaded_plugins
from outfitrec.core.overrides import Overrider, Overrides, read_overrides
from outfitrec.core.settings import EXTENDS, INNER, TAKEN, WEIGHTS, FinishedRun, Recipe, changed
from outfitrec.core.structure import structure_recipe
from outfitrec.core.values import shown
from outfitrec.core.yamlfile import dump, read

SUFFIXES = (".yaml", ".yml")
OTHER_WEIGHTS = (".pth", ".pt", ".bin", ".ckpt")
RUN_FILES = ("recipe.yaml", "manifest.json")
# Keys that name a recipe or say what it needs, and compute nothing.
NAMING = frozenset({"name", "description", "requires"})
# More teachers of teachers than anyone needs: recipes that refer to each other.
DEEPEST = 5


def load_recipe(
    source: str | Path | Mapping[str, Any],
    overrides: Overrides = (),
    *,
    seed: int | None = None,
    plugins: Plugins | None = None,
) -> Recipe:
    """A recipe, complete and checked: bases merged, inner recipes inline, all defaults filled in, paths absolute.

    Args:
        source: Path of a YAML file, name of a shipped recipe, or plain data.
        overrides: ``KEY=VALUE`` texts, or values by dotted key.
        seed: In place of ``train.seed``, and of that of a recipe that it starts from. A teacher keeps its own.
        plugins: Where components and shipped recipes are looked up; by default, what is installed.

    Raises:
        RecipeError: Everything that is wrong in the recipe and in the overrides, with places.
    """
    # A copy: a recipe's own plugin files are nobody else's.
    loader = _Loader((plugins or loaded_plugins()).copy())
    document = loader.root(source)
    wanted = read_overrides(overrides)
    if seed is not None:
        wanted += read_overrides({"train.seed": seed})
    problems: list[Problem] = []
    overrider = Overrider(loader.plugins.registry, loader.inner)
    for override in wanted:
        try:
            document = loader.prepared(overrider.apply(document, override), Path.cwd())
        except RecipeError as error:
            problems += error.problems
    try:
        document = loader.with_inner(document)
        recipe = structure_recipe(document, loader.plugins.registry)
    except RecipeError as error:
        problems += error.problems
    if problems:
        raise RecipeError(problems)
    return recipe if seed is None else seeded(recipe, seed)


def seeded(recipe: Recipe, seed: int) -> Recipe:
    """A recipe with this seed, in all its stages."""
    start = seeded(recipe.start, seed) if isinstance(recipe.start, Recipe) else recipe.start
    return changed(recipe, train=changed(recipe.train, seed=seed), start=start)


def resolved(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data, in full: loaded again, it gives the same recipe."""
    data: dict[str, Any] = plain(recipe)
    for key in INNER:
        inner = getattr(recipe, key)
        if isinstance(inner, FinishedRun):
            data[key] = inner.path
        elif inner is not None:
            data[key] = resolved(inner)
            # It is the outer recipe's, and an inner one may write none.
            del data[key]["dataset"]
    return data


def dump_recipe(recipe: Recipe) -> str:
    """The resolved recipe as YAML."""
    return dump(resolved(recipe))


def identity(recipe: Recipe) -> dict[str, Any]:
    """What a recipe computes, as plain data.

    That is the resolved recipe without its names and what only says how to run, with the content of files (or of the
    teacher's run) in place of their paths. Folders are left out: the data has a hash of its own.

    Raises:
        UserError: A file that it names is missing; all of them at once.
    """
    problems: list[Problem] = []
    found: dict[str, Any] = _identity(recipe, (), problems)
    if problems:
        raise UserError(problems)
    return found


class _Loader:
    """Reads recipes and what they refer to, and loads the plugins that they name."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins

    def root(self, source: str | Path | Mapping[str, Any]) -> Document:
        """The document of a recipe, its bases merged."""
        if isinstance(source, Mapping):
            return self._finish(Document.of(source, Place()), Path.cwd(), ())
        return self._open(str(source), Place(), ())

    def with_inner(self, document: Document, depth: int = 1) -> Document:
        """A recipe with the recipes in it as mappings (or a `FinishedRun`)."""
        for key in INNER:
            found = document.mapping.get(key)
            if found is not None:
                document = document.put(key, self.inner(found, key, depth))
        return document

    def inner(self, document: Document, key: str, depth: int = 1) -> Document:
        """The mapping (or `FinishedRun`) that the name, path or mapping of a recipe under ``key`` stands for."""
        place = document.place
        if depth > DEEPEST:
            message = f"recipes within recipes, {DEEPEST} deep"
            raise _error(message, place, f"they refer to each other: write {key}: null in one of them")
        if isinstance(document.data, str):
            folder = Path(document.data).expanduser().absolute()
            # A shipped recipe is meant even where a folder has its name.
            run = document.data not in self._shipped() and all((folder / file).is_file() for file in RUN_FILES)
            weights = folder.suffix in (WEIGHTS, *OTHER_WEIGHTS) and not folder.is_dir()
            if weights and (key != "start" or folder.suffix != WEIGHTS):
                takes = "a .safetensors file" if key == "start" else "no file of weights: only start does"
                raise _error(f"{key}: takes {takes}, not {folder.name}", place, "name a recipe, or a run's directory")
            if run or weights:
                return attrs.evolve(document, data=FinishedRun(str(folder)))
            document = self._open(document.data, place, ()).put("dataset", None)
        elif isinstance(document.data, dict):
            if "dataset" in document.mapping:
                where = document.at(("dataset",), key=True)
                raise _error(f"{key}.dataset: {TAKEN}", where, "leave the key out")
            document = self._finish(document, Path.cwd(), ()).put("dataset", None)
        else:
            return document
        return self.with_inner(document, depth + 1)

    def prepared(self, document: Document, folder: Path) -> Document:
        """A recipe with its references made absolute and its plugins loaded."""
        document = _anchored(document, folder)
        plugins, requires = document.mapping.get("plugins"), document.mapping.get("requires")
        problems: list[Problem] = []
        # What is not of the right form is reported with the rest of the recipe.
        for file in _texts(plugins):
            with _collected(problems, file.place):
                self.plugins.add_file(Path(file.data))
        for name, wanted in requires.mapping.items() if requires else ():
            if isinstance(wanted.data, str):
                with _collected(problems, wanted.place):
                    self.plugins.check_required({name: wanted.data})
        if problems:
            # Not with the rest of the recipe: without a plugin, all that it provides would be unknown.
            raise RecipeError(problems)
        return document

    def _open(self, source: str, place: Place, chain: tuple[Path, ...]) -> Document:
        """Read a recipe by name or path; ``chain``: the files that extend it, directly or through others."""
        path = self._find(source, place)
        if path.resolve() in chain:
            files = " → ".join(file.name for file in (*chain, path))
            raise _error(f"a recipe extends itself: {files}", place)
        return self._finish(read(path), path.parent, (*chain, path.resolve()))

    def _find(self, source: str, place: Place) -> Path:
        path, shipped = Path(source).expanduser(), self._shipped()
        if path.suffix not in SUFFIXES and (source in shipped or not path.is_file()):
            if path.is_dir():
                lacks = ", ".join(file for file in RUN_FILES if not (path / file).is_file())
                what = f"lacks {lacks}" if lacks else "is a run: its recipe is recipe.yaml in it"
                raise _error(f"{source} is no recipe, and {what}", place)
            try:
                return self.plugins.registry.get("recipe", source).path()
            except UserError as error:
                if path.is_absolute() or len(path.parts) > 1:
                    raise _error(f"no recipe file, and no run, at {source}", place) from error
                problem = error.problems[0]
                raise _error(problem.message, place, f"{problem.hint}; the name of a file ends in .yaml") from error
        if not path.is_file():
            near = nearest(path.name, [one.name for one in path.parent.glob("*.y*ml")]) if path.parent.is_dir() else ""
            hint = f"did you mean {path.parent / near}?" if near else did_you_mean(path.stem, shipped)
            raise _error(f"no recipe file {source}", place, hint)
        return path

    def _finish(self, document: Document, folder: Path, chain: tuple[Path, ...]) -> Document:
        """A recipe as it was read, with its plugins loaded and its base merged."""
        if not isinstance(document.data, dict):
            raise _error(f"a recipe is a mapping of keys, not {shown(document.value)}", document.place)
        document = self.prepared(document, folder)
        extends = document.mapping.get(EXTENDS)
        if extends is None:
            return document
        if not isinstance(extends.data, str):
            raise _error(f"extends: must be the name or path of a recipe, not {shown(extends.value)}", extends.place)
        base = self._open(extends.data, extends.place, chain)
        merged = document.put(EXTENDS, None).over(base, named=False)
        # What the base wrote may need the base's plugins: those lists add up.
        files = {file.data: file for one in (base, document) for file in _texts(one.mapping.get("plugins"))}
        own = document.mapping.get("plugins")
        return merged if own is None else merged.put("plugins", attrs.evolve(own, data=[*files.values()]))

    def _shipped(self) -> list[str]:
        return self.plugins.registry.names("recipe")


def _identity(value: Any, path: tuple[str, ...], problems: list[Problem]) -> Any:
    if isinstance(value, FinishedRun) and value.is_file:
        return _content(value.path, FieldInfo(help="give the path of a file of weights"), path, problems)
    if isinstance(value, FinishedRun):
        files = sorted((Path(value.path) / "model").glob("*"))
        if not files:
            problems.append(
                Problem(f"{'.'.join(path)}: the run {value.path} holds no model", hint="run its recipe again")
            )
        return {file.name: file_digest(file) for file in files}
    if isinstance(value, list | tuple):
        return [_identity(one, path, problems) for one in value]
    if isinstance(value, dict):
        return {key: _identity(one, (*path, key), problems) for key, one in value.items()}
    if not attrs.has(type(value)):
        return value
    found = {"name": value.name} if isinstance(value, Config) else {}
    for attribute in attrs.fields(type(value)):
        key, extra = attribute.name, info(attribute)
        if extra.runtime or (isinstance(value, Recipe) and key in NAMING):
            continue
        inner = getattr(value, key)
        found[key] = (
            _content(inner, extra, (*path, key), problems) if extra.path else _identity(inner, (*path, key), problems)
        )
    return found


def _content(value: Any, extra: FieldInfo, path: tuple[str, ...], problems: list[Problem]) -> Any:
    """The content behind a path: a hash of a file, nothing of a folder."""
    if isinstance(value, tuple):
        return [_content(one, extra, path, problems) for one in value]
    if value is None or value in extra.choices:
        return value
    if Path(value).is_dir():
        return None
    try:
        return {"sha256": file_digest(Path(value))}
    except OSError as error:
        problems.append(Problem(f"{'.'.join(path)}: cannot read {value}: {error.strerror}", hint=extra.help))
        return None


def _anchored(document: Document, folder: Path) -> Document:
    """A recipe (or one inside it) whose references to files do not depend on where it was written."""

    def file(one: Document) -> Document:
        return attrs.evolve(one, data=str((folder / Path(one.data).expanduser()).resolve()))

    plugins = document.mapping.get("plugins")
    if plugins is not None and isinstance(plugins.data, list):
        files = [file(one) if isinstance(one.data, str) else one for one in plugins.data]
        document = document.put("plugins", attrs.evolve(plugins, data=files))
    for key in (EXTENDS, *INNER):
        found = document.mapping.get(key)
        if found is not None and isinstance(found.data, str) and Path(found.data).suffix in (*SUFFIXES, WEIGHTS):
            document = document.put(key, file(found))
        elif found is not None and key in INNER:
            document = document.put(key, _anchored(found, folder))
    return document


def _texts(document: Document | None) -> list[Document]:
    entries = document.data if document is not None and isinstance(document.data, list) else []
    return [one for one in entries if isinstance(one.data, str)]


@contextmanager
def _collected(problems: list[Problem], place: Place) -> Iterator[None]:
    """Adds what goes wrong with a plugin to the problems, with the place that names it."""
    try:
        yield
    except PluginError as error:
        problems += [attrs.evolve(problem, where=str(place)) for problem in error.problems]


def _error(message: str, place: Place, hint: str = "") -> RecipeError:
    return RecipeError(message, where=str(place), hint=hint)
