"""Links of the repository's documents, as they hold on the site."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

# A fence with all that is in it, a link, or inline code that is in none.
PIECE = re.compile(
    r"^(?P<fence>[ ]*```).*?^(?P=fence)[ ]*$"
    r"|(?P<image>\[?!\[[^\]]*\]\([^)]*\))"
    r"|\[(?P<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?P<target>[^)\s]+)\)"
    r"|(?<![`\[])`(?P<code>[^`\n]+)`(?!`)",
    re.MULTILINE | re.DOTALL,
)
TARGET = re.compile(r"(?<=\]\()(?P<target>[^)\s]+)(?=\))")


def moved(text: str, source: str, page: str, pages: Mapping[str, str], named: Mapping[str, str]) -> str:
    """A document's text with its links as they hold on the site.

    Args:
        text: Markdown.
        source: The file it is from, from the root of the repository.
        page: The page that it is on, from the root of the site.
        pages: The page of each file and folder of the repository that has one.
        named: The page (with an anchor) of what inline code names, such as ``loss/npair``.
    """

    def target(address: str) -> str:
        return _target(address, source, page, pages)

    return PIECE.sub(_replacer(target, page, named), text)


def _replacer(target: Callable[[str], str], page: str, named: Mapping[str, str]) -> Callable[["re.Match[str]"], str]:
    def replaced(match: "re.Match[str]") -> str:
        whole, code = match[0], match["code"]
        if match["fence"]:
            return whole
        if match["image"]:
            return TARGET.sub(lambda found: target(found["target"]), whole)
        if match["target"]:
            return f"[{match['text']}]({target(match['target'])})"
        there = named.get(code)
        return f"[{whole}]({relative(there, page)})" if there and there.partition("#")[0] != page else whole

    return replaced


def relative(there: str, page: str) -> str:
    """A page of the site as another one links to it."""
    path, mark, anchor = there.partition("#")
    return os.path.relpath(path, PurePosixPath(page).parent) + mark + anchor


def _target(address: str, source: str, page: str, pages: Mapping[str, str]) -> str:
    path, mark, anchor = address.partition("#")
    if not path or "://" in path or path.startswith("mailto:"):
        return address
    file = os.path.normpath(PurePosixPath(source).parent / path)
    there = pages.get(file)
    if there is None and file.startswith("docs/"):
        there = file.removeprefix("docs/")
    if there is None:
        raise ValueError(f"{source} links to {address}, which is no page of the site")
    return relative(there, page) + mark + anchor
