"""Pages of recipes and suites, and which of them use a component."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from generate.markdown import block, code, table
from outfitrec.benchmark.suite import Loaded, load_suite
from outfitrec.core.config import components
from outfitrec.core.loading import plugins
from outfitrec.core.recipe import load_recipe
from outfitrec.core.registry import Registration
from outfitrec.core.settings import Recipe, alone

Users = Mapping[tuple[str, str], list[str]]
RECIPES, SUITES = "reference/recipes.md", "reference/suites.md"


def entries(kind: str) -> list[Registration]:
    """What is registered of a kind."""
    return [one for one in plugins().registry if one.kind == kind]


def word(entry: Registration) -> str:
    """What a recipe may call it: its bare name, where one provider alone has it."""
    return entry.name if entry.name in plugins().registry.names(entry.kind) else entry.qualified


@cache
def recipes() -> dict[str, Recipe]:
    """The shipped recipes."""
    return {word(one): load_recipe(one.qualified) for one in entries("recipe")}


@cache
def suites() -> dict[str, Loaded]:
    """The shipped suites."""
    return {word(one): load_suite(one.qualified) for one in entries("suite")}


@cache
def used() -> Users:
    """By kind and name of a component, the recipes that have it. What comes before a recipe is not counted as its."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, recipe in recipes().items():
        for key in dict.fromkeys((one.kind, one.name) for _, one in components(alone(recipe))):
            found[key].append(name)
    return found


@cache
def compared() -> Users:
    """By kind and name of a component, the suites with a recipe that has it."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, suite in suites().items():
        held = (one for setup in suite.setups for _, one in components(alone(setup.recipe)))
        for key in dict.fromkeys((one.kind, one.name) for one in held):
            found[key].append(name)
    return found


def pages() -> Iterator[tuple[str, str]]:
    """The pages, by their paths."""
    yield RECIPES, _page("recipe", "Recipes", "outfitrec run", "outfitrec cp")
    yield SUITES, _page("suite", "Suites", "outfitrec bench", "outfitrec cp")


def _page(kind: str, title: str, run: str, copy: str) -> str:
    found = entries(kind)
    rows = [(f"[`{word(one)}`](#{anchor(one)})", f"{one.provider} {one.version}", one.summary) for one in found]
    text = [f"# {title}", f"`{run} NAME` runs one, `{copy} NAME mine.yaml` copies it to start from."]
    text.append(table(("name", "provider", "summary"), rows))
    for one in found:
        text += [f"## {code(word(one))} {{#{anchor(one)}}}", *_details(one)]
    return "\n\n".join(text)


def anchor(entry: Registration) -> str:
    """Where a recipe or suite stands on its page."""
    return word(entry).replace("/", "-")


def _details(entry: Registration) -> Iterator[str]:
    yield f"{entry.summary[0].upper()}{entry.summary[1:]}."
    if entry.kind == "suite":
        suite = suites()[word(entry)]
        seeds = ", ".join(map(str, suite.settings.seeds))
        yield f"{len(suite.setups)} cells, seeds {seeds}, measure `{suite.settings.measure}`."
    yield block(entry.path().read_text(encoding="utf-8"), "yaml")
