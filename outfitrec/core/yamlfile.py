"""YAML as plain data, read strictly: 1.2's words for numbers and truth values, each key once, every place kept.

PyYAML scans and parses; what a scalar means is decided here, by the core schema of YAML 1.2. Tags, anchors, aliases
and merge keys are refused: a recipe is data, and says what it says where it says it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from outfitrec.core.document import Document, Place
from outfitrec.core.errors import Problem, RecipeError

__all__ = ["Document", "dump", "parse", "read"]

DEEPEST = 64
NULL = re.compile(r"~|null|Null|NULL|")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
INTEGERS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"[-+]?[0-9]+"), 10),
    (re.compile(r"0o[0-7]+"), 8),
    (re.compile(r"0x[0-9a-fA-F]+"), 16),
)


def read(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        RecipeError: It is missing, no UTF-8 text, or not valid; all problems with their places.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RecipeError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"byte {error.start} is not UTF-8", where=str(path)) from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Document:
    """Read YAML from a string; ``name`` stands for the file in messages. An empty text is null.

    Raises:
        RecipeError: It is not valid; all problems with their places.
    """
    return _Builder(name).build(text)


def dump(value: Any) -> str:
    """Plain data as YAML that `parse` reads back as the same data."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000)


class _Builder:
    """Builds a Document from the parser's events."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._problems: list[Problem] = []

    def build(self, text: str) -> Document:
        try:
            document = self._stream(yaml.parse(text, Loader=yaml.SafeLoader))
        except yaml.reader.ReaderError as error:
            # Its position counts characters, and it has no mark.
            before = text[: error.position]
            place = Place(self._name, before.count("\n") + 1, len(before) - before.rfind("\n"))
            self._complain(place, "a character that YAML does not allow", "write it as an escape in double quotes")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = ", ".join(filter(None, (error.context, error.problem)))
            self._complain(self._place(mark), f"not valid YAML: {what}")
        except (ValueError, OverflowError) as error:
            # The scanner's own, of escapes such as "\U00110000".
            self._complain(Place(self._name), f"not valid YAML: {error}")
        if self._problems:
            raise RecipeError(self._problems)
        return document

    def _stream(self, events: Iterator[Any]) -> Document:
        document = Document(None, Place(self._name, 1, 1))
        count = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count > 1:
                    self._complain(self._place(event.start_mark), "a second document begins", "a file holds one")
            elif isinstance(event, yaml.NodeEvent):
                document = self._node(event, events, None, 0)
        return document

    def _node(self, event: Any, events: Iterator[Any], key: Place | None, depth: int) -> Document:
        place = self._place(event.start_mark)
        if depth > DEEPEST:
            raise RecipeError(f"nested deeper than {DEEPEST} levels", where=str(place))
        if event.anchor is not None:
            self._complain(place, f"anchors and aliases ({event.anchor}) are not read", "write the value out")
        if getattr(event, "tag", None) is not None:
            self._complain(place, f"tags ({event.tag}) are not read", "leave the tag out")
        if isinstance(event, yaml.SequenceStartEvent):
            entries = []
            while not isinstance(inner := next(events), yaml.SequenceEndEvent):
                entries.append(self._node(inner, events, None, depth + 1))
            return Document(entries, place, key)
        if isinstance(event, yaml.MappingStartEvent):
            return Document(self._mapping(events, depth), place, key)
        return Document(self._scalar(event, place) if isinstance(event, yaml.ScalarEvent) else None, place, key)

    def _mapping(self, events: Iterator[Any], depth: int) -> dict[str, Document]:
        found: dict[str, Document] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, None, depth + 1)
            value = self._node(next(events), events, key.place, depth + 1)
            if not isinstance(key.data, str):
                self._complain(key.place, f"a key must be text, not {key.value!r}", "put it in quotes")
            elif key.data == "<<" and event.style is None:
                self._complain(key.place, "merge keys are not read", "write the values out, or use extends")
            elif key.data in found:
                first = found[key.data].key
                self._complain(
                    key.place, f"duplicate key {key.data!r}", f"first written in line {first and first.line}"
                )
            else:
                found[key.data] = value
        return found

    def _scalar(self, event: Any, place: Place) -> Any:
        text: str = event.value
        if event.style is not None:
            return text
        if NULL.fullmatch(text):
            return None
        if TRUE.fullmatch(text) or FALSE.fullmatch(text):
            return bool(TRUE.fullmatch(text))
        for pattern, base in INTEGERS:
            if pattern.fullmatch(text):
                try:
                    return int(text, base)
                except ValueError:
                    self._complain(place, f"a number of {len(text)} digits")
                    return None
        if SPECIAL.fullmatch(text):
            return float(text.replace(".", ""))
        if FLOAT.fullmatch(text):
            number = float(text)
            if number in (float("inf"), -float("inf")):
                self._complain(place, f"the number {text} is too large", "write .inf for infinity")
            return number
        return text

    def _place(self, mark: Any) -> Place:
        return Place(self._name, mark.line + 1, mark.column + 1) if mark else Place(self._name)

    def _complain(self, place: Place, message: str, hint: str = "") -> None:
        self._problems.append(Problem(message, str(place), hint))


class _Dumper(yaml.SafeDumper):
    """Quotes what either YAML 1.1 or 1.2 would take for something else than text, and writes no alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # PyYAML writes these line breaks into single quotes as they are, where they are read as a space.
        style = '"' if any(mark in data for mark in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.add_representer(str, _Dumper.represent_str)

for _kind, _patterns in {
    "null": [NULL],
    "bool": [TRUE, FALSE],
    "int": [pattern for pattern, _ in INTEGERS],
    "float": [FLOAT, SPECIAL],
}.items():
    for _pattern in _patterns:
        _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern.pattern})$"), None)
