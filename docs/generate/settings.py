"""Pages of the keys of recipes and suites."""

import inspect
from collections.abc import Iterator
from typing import Any

import attrs

from generate.components import HEADS, cell, kind_link
from generate.markdown import code, table
from outfitrec.benchmark.settings import Suite
from outfitrec.cli.rows import row
from outfitrec.core.fields import info
from outfitrec.core.keys import ANY, inner, joined, sections
from outfitrec.core.settings import Recipe

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


def _rows(cls: type[Any], path: str, page: str) -> Iterator[tuple[str, ...]]:
    for one in attrs.fields(cls):
        name, kind, default, limits, text = row(one)
        extra = info(one)
        inside = inner(cls, one.name)
        whole = joined(path, name)
        if extra.kind:
            kind = kind_link(extra, page)
        elif inside:
            many = inside[0][1]
            kind = f"[a mapping{' of such' if many else ''}](#{anchor(joined(whole, ANY) if many else whole)})"
        # What a mapping holds by default is on this page, key by key.
        shown = "" if inside and default != "null" else cell(default)
        yield f"`{whole}`", kind, shown, limits, text
