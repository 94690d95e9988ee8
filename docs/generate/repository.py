"""Pages of what lies elsewhere in the repository: texts at its root, the baselines' README, the examples."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from generate.links import moved
from generate.markdown import block, table

ROOT = Path(__file__).parents[2]
# Files and folders with a page, from the root of the repository.
PAGES = {
    ".": "index.md",
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "citation.md",
    "baselines": "baselines.md",
    "examples": "examples/index.md",
    "baselines/README.md": "baselines.md",
}
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}
# A line of the first page that stands for a section of the README.
SECTION = re.compile(r"^<!-- README: (?P<title>.+) -->$", re.MULTILINE)


def page_of_example(folder: Path) -> str:
    """The page of an example."""
    return f"examples/{folder.name}.md"


def examples() -> list[Path]:
    """The folders of the examples."""
    return sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))


def where() -> dict[str, str]:
    """The page of each file and folder of the repository that has one."""
    return {**PAGES, **{str(one.relative_to(ROOT)): page_of_example(one) for one in examples()}}


def texts() -> Iterator[tuple[str, str, str]]:
    """Path of the page, file of the repository that its links are of, and text."""
    for file in ("CONTRIBUTING.md", "CHANGELOG.md", "baselines/README.md"):
        yield PAGES[file], file, (ROOT / file).read_text(encoding="utf-8")
    citation = block((ROOT / "CITATION.cff").read_text(encoding="utf-8"), "yaml")
    yield (
        PAGES["CITATION.cff"],
        "CITATION.cff",
        f"# Citation\n\n`CITATION.cff`, for programs that read it:\n\n{citation}",
    )
    yield PAGES["examples"], "docs/examples/index.md", "\n\n".join(_examples())
    for folder in examples():
        readme = folder / "README.md"
        yield page_of_example(folder), str(readme.relative_to(ROOT)), "\n\n".join(_example(folder))


def _examples() -> Iterator[str]:
    yield "# Examples"
    yield "Distributions of a few files, with a component, recipes and a suite, as anybody would publish them."
    projects = [tomllib.loads((one / "pyproject.toml").read_text(encoding="utf-8"))["project"] for one in examples()]
    rows = ((f"[`{one['name']}`]({one['name']}.md)", one["description"]) for one in projects)
    yield table(("distribution", "what it is"), rows)


def _example(folder: Path) -> Iterator[str]:
    yield (folder / "README.md").read_text(encoding="utf-8")
    yield "## Its files"
    for file in sorted(folder.rglob("*")):
        own = not {"build", "dist", "__pycache__"} & set(file.parts) and ".egg-info" not in str(file)
        if file.suffix in LANGUAGES and own:
            yield f"`{file.relative_to(folder)}`"
            yield block(file.read_text(encoding="utf-8"), LANGUAGES[file.suffix])


def with_sections(text: str, named: Mapping[str, str]) -> str:
    """The first page, with the README's sections in place of the lines that stand for them.

    Args:
        text: The page.
        named: See `generate.links.moved`.

    Raises:
        ValueError: The README has no such section.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    def found(match: "re.Match[str]") -> str:
        section = re.search(rf"^## {re.escape(match['title'])}\n(.*?)(?=^## |\Z)", readme, re.DOTALL | re.MULTILINE)
        if section is None:
            raise ValueError(f"the README has no section {match['title']!r}")
        return moved(section[1].strip(), "README.md", "index.md", where(), named)

    return SECTION.sub(found, text)
