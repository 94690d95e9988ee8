"""The blocks of code that documents show, and the commands in them."""

import re
import subprocess
from pathlib import Path
from textwrap import dedent

import attrs

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$", re.DOTALL | re.MULTILINE
)
# A shell in which no program is found but this function, which says what it was called with.
SHELL = """
command_not_found_handle() { printf '%s\\0' "$@"; printf '\\1'; }
cd() { command_not_found_handle cd "$@"; }
activate() { :; }
"""


@attrs.frozen
class Block:
    """A block of code.

    Attributes:
        document: Name of the document.
        number: Its place among the blocks of its language there, from 0.
        language: What stands behind the fence.
        text: The code.
        file: The file that the line above it names; empty where it names none.
    """

    document: str
    number: int
    language: str
    text: str
    file: str


def blocks(*languages: str) -> list[Block]:
    """All blocks of these languages (without any: of all), document by document."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        count: dict[str, int] = {}
        for match in FENCE.finditer(text):
            language = match["language"].strip()
            name = re.search(r"^ *`([\w./-]+)`\n\n\Z", text[: match.start()], re.MULTILINE)
            file = name[1] if name else ""
            found.append(Block(path.name, count.get(language, 0), language, dedent(match["text"]), file))
            count[language] = count.get(language, 0) + 1
    return [one for one in found if not languages or one.language in languages]


def commands(block: Block) -> list[list[str]]:
    """The commands of a block as words, as a shell reads them. Nothing is run."""
    # Programs by a path are found without being asked for.
    text = re.sub(r"^\. \S+/activate|(?<=&& )\. \S+/activate", "activate", block.text, flags=re.MULTILINE)
    text = re.sub(r"(?<![\w=])\.venv/bin/", "", text)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", SHELL + text],  # noqa: S607  # any bash will do
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/nonexistent"},
        executable="/bin/bash",
    )
    assert done.returncode == 0, (block.document, done.stderr)
    assert done.stderr == "", (block.document, done.stderr)
    return [command.split("\0")[:-1] for command in done.stdout.split("\1") if command]
