"""The built site, as its pages say it."""

import os
import subprocess
import sys
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

import pytest
from filelock import FileLock

from outfitrec.core.loading import Plugins, Policy

ROOT = Path(__file__).parents[2]
# What a browser loads by itself, by tag.
LOADED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "embed": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "object": ("data",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
}
LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "manifest"}


class Page(HTMLParser):
    """What a page has: anchors, links, what it loads, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.styles: list[str] = []
        self.classes: set[str] = set()
        self._text: list[str] = []
        self._style = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.anchors |= {found[key] for key in ("id", "name") if key in found}
        self.classes |= set(found.get("class", "").split())
        self.loaded += [found[key] for key in LOADED.get(tag, ()) if found.get(key)]
        if tag == "link" and LINKS & set(found.get("rel", "").split()):
            self.loaded.append(found.get("href", ""))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        self.styles.append(found.get("style", ""))
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._style:
            self.styles.append(data)
            self._style = False
        else:
            self._text.append(data)

    @cached_property
    def text(self) -> str:
        return " ".join("".join(self._text).split())


class Site:
    """The built site.

    Args:
        folder: Where it is.
        said: What the build said.
    """

    def __init__(self, folder: Path, said: str) -> None:
        self.folder = folder
        self.said = said
        self._pages: dict[Path, Page] = {}

    def paths(self) -> list[Path]:
        """Its pages, reports apart, which are files of their own."""
        return [one for one in sorted(self.folder.rglob("*.html")) if "reports" not in one.parts]

    def page(self, path: str | Path) -> Page:
        """A page by its path from the root of the site, or by its file."""
        file = self.folder / path
        if file not in self._pages:
            self._pages[file] = Page(file)
        return self._pages[file]


@pytest.fixture(scope="session", name="site")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site, built as 'make docs' builds it, with all plugins that are installed."""
    pytest.importorskip("mkdocs", reason="outfitrec[docs] is not installed")
    base = tmp_path_factory.getbasetemp()
    # Tests that run in several processes share one site.
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, said = base / "site", base / "site.txt"
    with FileLock(base / "site.lock"):
        if not said.exists():
            said.write_text(_build(folder), encoding="utf-8")
    return Site(folder, said.read_text(encoding="utf-8"))


def _build(folder: Path) -> str:
    """Build the site into a folder; what was said."""
    environment = {key: value for key, value in os.environ.items() if key != "OUTFITREC_BLOCK"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session", name="registered")
def installed() -> Plugins:
    """All that is installed, whatever the tests block elsewhere."""
    return Plugins(Policy())
