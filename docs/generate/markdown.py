"""Markdown from Python: tables, signatures and docstrings."""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from textwrap import dedent
from typing import Any

SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields|Reference|Example):(?: +(?P<text>\S.*))?$")
ITEM = re.compile(r"(?P<name>[\w, *]+): (?P<text>.*)$")
# A signature that is longer has a line a parameter.
WIDTH = 90


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; cells are Markdown."""
    lines = [list(heads), ["---" for _ in heads], *([_cell(one) for one in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: str) -> str:
    """Inline code; of an empty text nothing."""
    return f"`{text}`" if text else ""


def escaped(text: str) -> str:
    """Text that is no Markdown: what stands in angle brackets is no tag of a page, inline code apart."""
    parts = re.split(r"(`+[^`]*`+)", text)
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def block(text: str, language: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def document(obj: Any) -> str:
    """The docstring of a class, function or module."""
    return docstring(inspect.cleandoc(obj.__doc__ or ""))


def docstring(text: str) -> str:
    """A docstring in Google's manner as Markdown."""
    return "\n\n".join(_paragraphs(text.splitlines())).strip()


def signature(function: Callable[..., Any], name: str | None = None) -> str:
    """The head of a function, as it stands in its source.

    Args:
        function: The function, or a method.
        name: What it is called; None: as in its source.
    """
    found = ast.parse(dedent(inspect.getsource(function))).body[0]
    if not isinstance(found, ast.FunctionDef):
        raise TypeError(f"{function} is no function")
    spec = found.args
    written = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(written) - len(spec.defaults)) + [*spec.defaults]
    parts = [_parameter(one, default) for one, default in zip(written, defaults, strict=True)]
    if spec.posonlyargs:
        parts.insert(len(spec.posonlyargs), "/")
    if spec.vararg:
        parts.append(f"*{ast.unparse(spec.vararg)}")
    elif spec.kwonlyargs:
        parts.append("*")
    parts += [_parameter(one, default) for one, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    if spec.kwarg:
        parts.append(f"**{ast.unparse(spec.kwarg)}")
    result = f" -> {ast.unparse(found.returns)}" if found.returns else ""
    line = f"def {name or found.name}({', '.join(parts)}){result}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"def {name or found.name}(", *(f"    {part}," for part in parts), f"){result}"])


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    if default is None:
        return ast.unparse(argument)
    return f"{ast.unparse(argument)}{' = ' if argument.annotation else '='}{ast.unparse(default)}"


def _cell(text: str) -> str:
    return escaped(text).replace("|", "\\|").replace("\n", " ")


def _paragraphs(lines: list[str]) -> Iterator[str]:
    while lines:
        line = lines.pop(0)
        section = SECTION.fullmatch(line)
        if section:
            inside = _indented(lines)
            yield f"**{section[1]}**{': ' + section['text'] if section['text'] else ''}"
            yield from _section(section[1], inside)
        elif line.endswith("::"):
            # What stands before belongs to the paragraph that the two colons end.
            yield escaped(line[:-1])
            yield block("\n".join(_indented(lines)), "python")
        elif line:
            paragraph = [line]
            while lines and lines[0] and not SECTION.fullmatch(lines[0]) and not paragraph[-1].endswith("::"):
                paragraph.append(lines.pop(0))
            if paragraph[-1].endswith("::"):
                yield escaped("\n".join(paragraph)[:-1])
                yield block("\n".join(_indented(lines)), "python")
            else:
                yield escaped("\n".join(paragraph))


def _indented(lines: list[str]) -> list[str]:
    """The lines of a section, without their indentation; they are taken off the front."""
    taken = []
    while lines and (not lines[0].strip() or lines[0].startswith(" ")):
        taken.append(lines.pop(0))
    return dedent("\n".join(taken)).strip("\n").splitlines()


def _section(name: str, lines: list[str]) -> Iterator[str]:
    if name == "Example":
        yield block("\n".join(re.sub(r"^(>>>|\.\.\.) ?", "", line) for line in lines), "python")
    elif name == "Reference":
        yield escaped("\n".join(f"- {line.strip()}" for line in lines))
    elif name in ("Args", "Attributes", "Raises"):
        yield escaped("\n".join(_items(lines)))
    else:
        yield escaped("\n".join(lines))


def _items(lines: list[str]) -> Iterator[str]:
    for line in lines:
        item = None if line.startswith(" ") else ITEM.fullmatch(line)
        yield f"- `{item['name']}`: {item['text']}" if item else f"  {line.strip()}"
