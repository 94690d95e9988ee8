"""What mkdocs runs: pages that are made, links as they hold on the site, the picture in the page's colours."""

import re
from typing import Any

from generate import commands, components, names, repository, settings, shipped
from generate.links import moved
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import plugins

# In the navigation, what stands for pages that are made.
COMPONENTS, EXAMPLES = "components/", "examples/"
# In the place of a picture, the picture itself: so it takes the colours that the reader chose.
PICTURE = re.compile(r'<img alt="(?P<alt>[^"]*)" src="(?P<source>[^"]*\.svg)" ?/?>')


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and name them in the navigation."""
    named = _named()
    for module in (components, shipped, settings, commands, names):
        for path, text in module.pages():
            linked = moved(text, f"docs/{path}", path, {}, named)
            files.append(File.generated(config, path, content=linked))
    for path, source, text in repository.texts():
        linked = moved(text, source, path, repository.where(), named)
        files.append(File.generated(config, path, content=linked))
    config.nav = [_filled(entry) for entry in config.nav or []]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make the links of what is written by hand hold on the site."""
    if page.file.generated_by:
        return markdown
    path, named = page.file.src_uri, _named()
    text = repository.with_sections(markdown, named) if path == "index.md" else markdown
    return moved(text, f"docs/{path}", path, repository.where(), named)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put pictures that are drawings into the page."""

    def drawn(match: "re.Match[str]") -> str:
        drawing = repository.ROOT / "docs" / "images" / match["source"].rpartition("/")[2]
        text = drawing.read_text(encoding="utf-8")
        return f'<div class="drawing" role="img" aria-label="{match["alt"]}">{text}</div>'

    return PICTURE.sub(drawn, html)


def _named() -> dict[str, str]:
    """The page of what inline code names: components, commands, hooks, public names."""
    found: dict[str, str] = {}
    for entry in plugins().registry:
        if entry.kind in KINDS:
            page = components.page_of(entry)
            found |= {f"{entry.kind}/{entry.qualified}": page, f"{entry.kind}/{entry.name}": page}
        else:
            page = shipped.RECIPES if entry.kind == "recipe" else shipped.SUITES
            found[f"{entry.kind}/{shipped.word(entry)}"] = f"{page}#{shipped.anchor(entry)}"
    for name in commands.commands():
        found[f"outfitrec {name}"] = f"{commands.PAGE}#{commands.anchor(name)}"
    return found | {name: f"{names.HOOKS}#{name}" for name in names.specifications()}


def _filled(entry: Any) -> Any:
    """An entry of the navigation, with the pages in it that are made."""
    if isinstance(entry, dict):
        return {title: _filled(inner) for title, inner in entry.items()}
    if isinstance(entry, list):
        return [_filled(one) for one in entry]
    if entry == COMPONENTS:
        return ["components/index.md", *({kind.name: _kind(kind.name)} for kind in KINDS.values())]
    if entry == EXAMPLES:
        return ["examples/index.md", *({one.name: repository.page_of_example(one)} for one in repository.examples())]
    return entry


def _kind(kind: str) -> list[Any]:
    pages = [{shipped.word(one): components.page_of(one)} for one in shipped.entries(kind)]
    return [components.kind_page(kind), *pages]
