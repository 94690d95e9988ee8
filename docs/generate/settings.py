"""Pages of the keys of recipes and suites."""

import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints

import attrs

from generate.components import HEADS, cell, kind_link
from generate.markdown import code, table
from outfitrec.benchmark.settings import Suite
from outfitrec.cli.explain import row
from outfitrec.core.config import Config
from outfitrec.core.fields import info
from outfitrec.core.settings import FinishedRun, Recipe
from outfitrec.core.values import entries, members, words

RECIPE, SUITE = "reference/recipe.md", "reference/suite.md"
EXTENDS = ("`extends`", "text", "`null`", "", "{what} (name or path) that this one changes")
# By class: what a page says before the table.
ABOUT = {
    Recipe: "A recipe is a YAML file. `outfitrec validate FILE` checks it; `outfitrec schema` is for editors.",
    Suite: "A suite is a YAML file; [the benchmark](../benchmark.md) says what it does.",
}


def pages() -> Iterator[tuple[str, str]]:
    """The pages, by their paths."""
    yield RECIPE, _page("Keys of a recipe", Recipe, RECIPE, "recipe")
    yield SUITE, _page("Keys of a suite", Suite, SUITE, "suite")


def _page(title: str, cls: type[Any], page: str, what: str) -> str:
    text = [f"# {title}", ABOUT[cls]]
    for path, settings in sections(cls):
        text.append(f"## {code(path)} {{#{anchor(path)}}}" if path else "## At the top")
        text.append(inspect.cleandoc(settings.__doc__ or ""))
        extends = [tuple(one.format(what=what) for one in EXTENDS)] if not path else []
        text.append(table(HEADS, [*extends, *_rows(settings, path, page)]))
    return "\n\n".join(text)


def anchor(path: str) -> str:
    """Where a section stands on its page."""
    return path.replace(".", "-").replace("*", "any")


def sections(cls: type[Any], path: str = "") -> Iterator[tuple[str, type[Any]]]:
    """Settings and the settings in them, by the keys that lead there; ``*`` is any key."""
    yield path, cls
    for one in attrs.fields(cls):
        for inner, many in _inner(cls, one.name):
            yield from sections(inner, f"{path}.{one.name}".removeprefix(".") + (".*" if many else ""))


def _inner(cls: type[Any], name: str) -> list[tuple[type[Any], bool]]:
    """The classes of settings that a key holds, and whether it is a mapping of them."""
    found = []
    for hint in members(get_type_hints(cls)[name]):
        values = entries(hint)
        for one, many in ((hint, False), (values, True)):
            if isinstance(one, type) and attrs.has(one) and not issubclass(one, (Config, Recipe, FinishedRun)):
                found.append((one, many))
    return found


def _rows(cls: type[Any], path: str, page: str) -> Iterator[tuple[str, ...]]:
    hints = get_type_hints(cls)
    for one in attrs.fields(cls):
        name, _, default, limits, text = row(one)
        extra = info(one)
        inner = _inner(cls, one.name)
        whole = f"{path}.{name}".removeprefix(".")
        if extra.kind:
            kind = kind_link(extra, page)
        elif inner:
            many = inner[0][1]
            kind = f"[a mapping{' of such' if many else ''}](#{anchor(whole + ('.*' if many else ''))})"
        elif Recipe in members(hints[one.name]):
            kind = "a recipe, or a path"
        else:
            kind = "a list of paths" if extra.path else words(hints[one.name])
        # What a mapping holds by default is on this page, key by key.
        shown = "" if inner and default != "null" else cell(default)
        yield f"`{whole}`", kind, shown, limits, text
