"""Pages that are made say what the code says."""

import inspect
from collections.abc import Iterator
from typing import Any, cast

import attrs
import pytest
from generate import components, links, markdown
from pages import installed  # noqa: F401  # a fixture

from outfitrec.core import loading
from outfitrec.core.config import config_class
from outfitrec.core.document import Document, Place
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import Plugins
from outfitrec.core.recipe import load_recipe
from outfitrec.core.settings import Recipe
from outfitrec.core.structure import structure_component
from outfitrec.core.yamlfile import parse

SPELT = """What it does, with ``code``.

It goes on: less than <5.

Args:
    size: How large; it
        goes on here.
    more: Others.

Example:
    >>> one = two(
    ...     3)

Reference:
    Somebody, 2021, Eq. 3.
"""


def everything(a: int, /, b: str = "x", *rest: float, only: "bool" = True, **more: int) -> None: ...


def long(first_of_many_parameters: dict[str, int], second_of_many_parameters: dict[str, int] | None = None) -> int:
    return 0


@pytest.fixture(autouse=True)
def _all(registered: Plugins, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pages of all that is installed, whatever the tests block elsewhere."""
    caches = (components._keys, components._holders)
    monkeypatch.setattr("generate.shipped.plugins", lambda: registered)
    for one in caches:
        one.cache_clear()
    yield
    for one in caches:
        one.cache_clear()


def test_a_docstring_becomes_paragraphs_lists_and_code() -> None:
    assert markdown.docstring(SPELT).split("\n\n") == [
        "What it does, with ``code``.",
        "It goes on: less than &lt;5.",
        "**Args**",
        "- `size`: How large; it\n  goes on here.\n- `more`: Others.",
        "**Example**",
        "```python\none = two(\n    3)\n```",
        "**Reference**",
        "- Somebody, 2021, Eq. 3.",
    ]


@pytest.mark.parametrize("function", [everything, long, loading._unmet, markdown.table])
def test_a_signature_is_the_functions(function: object) -> None:
    found = markdown.signature(function)  # type: ignore[arg-type]  # the functions above
    names: dict[str, object] = {}
    exec(f"from __future__ import annotations\n{found}: ...", names)  # noqa: S102  # the signature itself
    made = inspect.signature(names[function.__name__])  # type: ignore[attr-defined,arg-type]  # likewise
    real = inspect.signature(function)  # type: ignore[arg-type]  # likewise
    assert [(one.name, one.kind, one.default) for one in made.parameters.values()] == [
        (one.name, one.kind, one.default) for one in real.parameters.values()
    ]
    assert all(len(line) <= markdown.WIDTH for line in found.splitlines())


def test_what_stands_in_a_cell_stays_in_it() -> None:
    assert markdown.table(["a"], [["x | y\nz <tag> `<kept>`"]]).splitlines()[-1] == r"| x \| y z &lt;tag> `<kept>` |"


def test_links_lead_where_the_page_is() -> None:
    pages, named = {"README.md": "index.md", "baselines": "baselines.md"}, {"loss/npair": "components/loss/npair.md"}
    text = "[one](../README.md#use-it) [two](data.md) `loss/npair` [`loss/npair`](https://a.b/c) ![it](images/x.png)"
    moved = links.moved(text, "docs/own.md", "sub/own.md", pages, named)
    assert moved == (
        "[one](../index.md#use-it) [two](../data.md) [`loss/npair`](../components/loss/npair.md) "
        "[`loss/npair`](https://a.b/c) ![it](../images/x.png)"
    )
    fence = "```sh\n`loss/npair` [one](nowhere.md)\n```\n"
    assert links.moved(fence, "docs/own.md", "own.md", pages, named) == fence
    with pytest.raises(ValueError, match=r"x\.md links to \.\./setup\.cfg, which is no page"):
        links.moved("[a](../setup.cfg)", "docs/x.md", "x.md", pages, named)


def held(value: object, name: str) -> Iterator[dict[str, object]]:
    """The mappings of a component in a recipe."""
    if isinstance(value, dict):
        if value.get("name") == name:
            yield value
        for one in value.values():
            yield from held(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from held(one, name)


def test_the_snippet_of_every_component_has_its_defaults_where_it_stands(registered: Plugins) -> None:
    for entry in [one for one in registered.registry if one.kind in KINDS]:
        text = components.snippet(entry)
        snippet = parse(text, entry.qualified).value
        assert set(snippet) <= {one.name for one in attrs.fields(cast(Any, Recipe))}
        [written] = held(snippet, entry.qualified)
        fields = attrs.fields(config_class(entry))
        required = [one.name for one in fields if one.default is attrs.NOTHING]
        assert all(f"# {name} is required" in text for name in required)
        assert set(written) == {"name", *(one.name for one in fields)} - set(required)
        if not required:
            bare = {"name": entry.qualified}
            made = [Document.of(one, Place("snippet")) for one in (written, bare)]
            full, empty = (structure_component(one, entry.kind, registered.registry) for one in made)
            assert full == empty


def test_the_snippet_of_a_loss_is_a_recipes(registered: Plugins) -> None:
    snippet = parse(components.snippet(registered.registry.get("loss", "bpr")), "bpr").value
    recipe = load_recipe({"name": "mine", **snippet})
    assert recipe.objectives[0].loss.name == "bpr"
