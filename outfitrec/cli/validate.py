"""``outfitrec validate``: check recipes and suites without running them."""

from collections.abc import Iterator
from pathlib import Path

import click

from outfitrec.cli.output import show
from outfitrec.core.errors import OutfitrecError, Problem, RecipeError
from outfitrec.core.loading import plugins

# Keys that a suite has and a recipe has not.
SUITE_KEYS = frozenset({"rows", "columns", "measure", "seeds"})


@click.command("validate")
@click.argument("recipes", metavar="RECIPE... [KEY=VALUE]...", nargs=-1, required=True)
def command(recipes: tuple[str, ...]) -> None:
    """Check recipes and suites (names or paths): keys, names, types, ranges, and how they go together.

    KEY=VALUE sets a key of all of them. Everything that is wrong is said, with its place; how parts go together is
    looked at when each by itself is right. No data is read.
    """
    problems: list[Problem] = []
    overrides = [one for one in recipes if "=" in one and not Path(one).exists()]
    sources = [one for one in recipes if one not in overrides]
    if not sources:
        raise click.UsageError("no recipe is named")
    for source in sources:
        found = list(_check(source, overrides))
        problems += found
        if not found:
            show(f"{source}: valid")
    if problems:
        raise RecipeError(problems)


def _check(source: str, overrides: list[str]) -> Iterator[Problem]:
    try:
        if _is_suite(source):
            from outfitrec.benchmark.suite import load_suite

            load_suite(source, overrides)
        else:
            from outfitrec.core.recipe import load_recipe

            load_recipe(source, overrides)
    except OutfitrecError as error:
        yield from error.problems


def _is_suite(source: str) -> bool:
    from outfitrec.core.yamlfile import read

    registry = plugins().registry
    path = Path(source).expanduser()
    if source in registry.names("suite") and source not in registry.names("recipe"):
        return True
    return path.is_file() and not SUITE_KEYS.isdisjoint(read(path).mapping)
