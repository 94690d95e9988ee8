"""The site is built without a warning, has a page for all that is registered, and loads nothing from elsewhere."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs
import click
import pluggy
import pytest
from browser import DESK, PHONE, Browser, chromium  # noqa: F401  # a fixture
from pages import Site, built, installed  # noqa: F401  # fixtures

import outfitrec
from outfitrec import hooks, testing
from outfitrec.benchmark.settings import Suite
from outfitrec.cli import main
from outfitrec.cli.program import COMMANDS
from outfitrec.core.config import config_class
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import Plugins
from outfitrec.core.schema import json_schema

ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//|^(?:https?|ftp|wss?):", re.IGNORECASE)
IN_STYLES = re.compile(r"@import\s+[\"']?([^\"';\s]+)|url\(\s*[\"']?([^\"')]+)")


def test_nothing_is_complained_of(site: Site) -> None:
    assert not re.search(r"WARNING|ERROR", site.said), site.said


def test_every_kind_has_its_page_with_its_protocol(site: Site) -> None:
    for kind in KINDS.values():
        text = site.page(f"components/{kind.name}/index.html").text
        assert kind.summary[1:] in text
        assert f"class {kind.protocol.partition(':')[2]}(Protocol)" in text


def test_every_component_has_its_page_with_every_key(site: Site, registered: Plugins) -> None:
    entries = [one for one in registered.registry if one.kind in KINDS]
    assert len(entries) > 40
    for entry in entries:
        text = site.page(f"components/{entry.kind}/{entry.qualified}.html").text
        assert f"{entry.provider} {entry.version}" in text
        for field in attrs.fields(config_class(entry)):
            assert field.name in text, (entry.qualified, field.name)
            assert " ".join(info(field).help.split()) in text, (entry.qualified, field.name)


def test_every_recipe_and_suite_is_listed(site: Site, registered: Plugins) -> None:
    for kind in ("recipe", "suite"):
        page = site.page(f"reference/{kind}s.html")
        for name in registered.registry.names(kind):
            assert name.replace("/", "-") in page.anchors
        for entry in registered.registry:
            assert entry.kind != kind or entry.summary in page.text


def test_every_command_has_its_section_with_every_option(site: Site) -> None:
    page = site.page("reference/commands.html")
    for name in COMMANDS:
        command: Any = main.get_command(click.Context(main), name)
        for path, one in getattr(command, "commands", {"": command}).items():
            assert f"{name} {path}".strip().replace(" ", "-") in page.anchors
            for option in one.params:
                assert all(word in page.text for word in option.opts if word.startswith("--")), (name, option.opts)


def keys(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The dotted keys of a JSON Schema; what a component has is on its own page."""
    for name, one in schema.get("properties", {}).items():
        here = f"{path}.{name}".removeprefix(".")
        yield here
        for member in (one, *one.get("anyOf", ())):
            yield from keys(member, here)
            more = member.get("additionalProperties")
            yield from keys(more, f"{here}.*") if isinstance(more, dict) else ()


def test_every_key_of_a_recipe_is_on_its_page(site: Site, registered: Plugins) -> None:
    found = list(keys(json_schema(registered.registry)))
    assert {"extends", "image.size", "train.optimizer", "train.groups.*.lr", "evaluate.cold_start.draws"} <= set(found)
    text = site.page("reference/recipe.html").text.split()
    assert [key for key in found if key not in text] == []


def suite_keys(cls: type[Any], path: str = "") -> Iterator[str]:
    for field in attrs.fields(cls):
        here = f"{path}.{field.name}".removeprefix(".")
        yield here
        inner = re.search(r"(\w+Settings)", str(field.type))
        if inner:
            many = ".*" if "dict" in str(field.type) else ""
            settings = __import__("outfitrec.benchmark.settings", fromlist=["_"])
            yield from suite_keys(getattr(settings, inner[1]), here + many)


def test_every_key_of_a_suite_is_on_its_page(site: Site) -> None:
    found = list(suite_keys(Suite))
    assert {"rows.*.sweep", "rows.*.columns.*.set", "tune.trials", "paper.users"} <= set(found)
    text = site.page("reference/suite.html").text.split()
    assert [key for key in ["extends", *found] if key not in text] == []


def test_every_hook_and_what_it_registers_is_on_its_page(site: Site) -> None:
    manager = pluggy.PluginManager("outfitrec")
    manager.add_hookspecs(hooks)
    specified = [name for name in vars(manager.hook) if not name.startswith("_")]
    assert specified == ["outfitrec_register"]
    registers = [f"register-{name}" for name in ("component", "recipe", "suite")]
    assert {*specified, *registers} <= site.page("reference/hooks.html").anchors


def test_every_public_name_is_on_its_page(site: Site) -> None:
    page = site.page("reference/names.html")
    assert set(outfitrec.__all__) <= page.anchors
    for name in (*(kind.protocol.partition(":")[2] for kind in KINDS.values()), *testing.__all__):
        assert name in page.text


def test_no_page_loads_anything_from_elsewhere(site: Site) -> None:
    pages = sorted(site.folder.rglob("*.html"))
    assert len(pages) > 100
    for path in pages:
        page = site.page(path)
        styles = [address for text in page.styles for found in IN_STYLES.findall(text) for address in found]
        assert [one for one in (*page.loaded, *styles) if ELSEWHERE.match(one)] == [], path
        # The theme has the program for these diagrams from a network.
        assert "mermaid" not in page.classes
    for path in site.folder.rglob("*.css"):
        found = IN_STYLES.findall(path.read_text(encoding="utf-8"))
        assert [one for pair in found for one in pair if ELSEWHERE.match(one)] == [], path


def test_links_within_the_site_lead_somewhere(site: Site) -> None:
    for path in site.paths():
        for address in site.page(path).links:
            target, _, anchor = unquote(address).partition("#")
            # The page of what is not found does not know where it is.
            if ELSEWHERE.match(address) or path.name == "404.html" or address.startswith("mailto:"):
                continue
            file = Path(os.path.normpath(path.parent / target)) if target else path
            file = file / "index.html" if file.is_dir() else file
            assert file.is_file(), f"{path.relative_to(site.folder)}: {address}"
            assert not anchor or anchor in site.page(file).anchors, f"{path.relative_to(site.folder)}: {address}"


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_the_window_and_ask_nobody(site: Site, browser: Browser, width: int, scheme: str) -> None:
    backgrounds = set()
    for name in ("index", "own-photos", "architecture", "components/loss/npair", "reference/commands"):
        browser.open(site.folder / f"{name}.html", width, scheme)
        assert browser.ask("return document.documentElement.scrollWidth") <= width, name
        assert [one for one in browser.requests() if not one.startswith("file:")] == [], name
        backgrounds.add(browser.ask("return getComputedStyle(document.body).backgroundColor"))
    [background] = backgrounds
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) > 384) == (scheme == "light")
