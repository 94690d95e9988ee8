"""``outfitrec validate``: check recipes and suites without running them."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import click

from outfitrec.cli.output import show
from outfitrec.core.errors import OutfitrecError, Problem, RecipeError, did_you_mean
from outfitrec.core.loading import plugins

SUITE_KEYS = ("name", "description", "recipes")


@click.command("validate")
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True)
def command(recipes: tuple[str, ...]) -> None:
    """Check recipes and suites (names or paths): keys, names, types, ranges, and how they go together.

    Everything that is wrong is said, with its place. No data is read.
    """
    problems: list[Problem] = []
    for source in recipes:
        found = list(_check(source))
        problems += found
        if not found:
            show(f"{source}: valid")
    if problems:
        raise RecipeError(problems)


def _check(source: str) -> Iterator[Problem]:
    from outfitrec.core.recipe import load_recipe
    from outfitrec.core.yamlfile import read

    registry = plugins().registry
    try:
        path = Path(source).expanduser()
        if source in registry.names("suite") and source not in registry.names("recipe"):
            path = registry.get("suite", source).path()
        if path.is_file() and "recipes" in read(path).mapping:
            yield from _check_suite(path)
        else:
            load_recipe(source)
    except OutfitrecError as error:
        yield from error.problems


def _check_suite(path: Path) -> Iterator[Problem]:
    from outfitrec.core.recipe import SUFFIXES, load_recipe
    from outfitrec.core.yamlfile import read

    document = read(path)
    for key in document.mapping:
        if key not in SUITE_KEYS:
            yield Problem(
                f"{key}: unknown key of a suite", document.where((key,), key=True), did_you_mean(key, SUITE_KEYS)
            )
    listed = document.mapping["recipes"]
    if not isinstance(listed.data, list) or not listed.data:
        yield Problem("recipes: must be a list of recipes, names or paths", listed.where())
        return
    for entry in listed.data:
        if not isinstance(entry.data, str):
            yield Problem(f"recipes: must be the name or path of a recipe, not {entry.value!r}", entry.where())
            continue
        local = path.parent / entry.data if Path(entry.data).suffix in SUFFIXES else entry.data
        try:
            load_recipe(str(local))
        except OutfitrecError as error:
            # What has no place of its own is wrong with the entry.
            yield from (attrs.evolve(one, where=one.where or entry.where()) for one in error.problems)
