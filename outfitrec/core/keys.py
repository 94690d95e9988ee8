"""The keys of recipes and suites, in the order in which they are written."""

from collections.abc import Iterator, Sequence
from typing import Any, get_type_hints

import attrs

from outfitrec.core.config import Config
from outfitrec.core.errors import UserError
from outfitrec.core.fields import info
from outfitrec.core.settings import INNER, TAKEN, FinishedRun, Recipe
from outfitrec.core.values import entries, members

ANY = "*"
# A key of the document that no settings hold: it is merged before.
EXTENDS = "extends"


@attrs.frozen
class Key:
    """What is at a dotted key.

    Attributes:
        path: The key, with ``*`` in the place of what a mapping's user names.
        field: Its field; None of an entry of a mapping.
        holds: The settings that it holds, or None.
        beyond: What follows the key of a component: keys of the component.
    """

    path: str
    field: "attrs.Attribute[Any] | None"
    holds: type[Any] | None = None
    beyond: tuple[str, ...] = ()


def sections(cls: type[Any], path: str = "") -> Iterator[tuple[str, type[Any]]]:
    """Settings and the settings in them, by the dotted keys that lead there; ``*`` is any key."""
    yield path, cls
    for one in attrs.fields(cls):
        for settings, many in inner(cls, one.name):
            yield from sections(settings, joined(path, one.name) + (f".{ANY}" if many else ""))


def keys(cls: type[Any]) -> list[str]:
    """All dotted keys of settings."""
    return [joined(path, one.name) for path, settings in sections(cls) for one in attrs.fields(settings)]


def inner(cls: type[Any], name: str) -> list[tuple[type[Any], bool]]:
    """The classes of settings that a key holds, and whether it is a mapping of them."""
    found = []
    for hint in members(get_type_hints(cls)[name]):
        values = entries(hint)
        for one, many in ((hint, False), (values, True)):
            if isinstance(one, type) and attrs.has(one) and not issubclass(one, (Config, Recipe, FinishedRun)):
                found.append((one, many))
    return found


def joined(path: str, name: str) -> str:
    """A key of the settings at a path."""
    return f"{path}.{name}" if path else name


def find(key: str, cls: type[Any]) -> Key | None:
    """What is at a dotted key, such as ``train.epochs``; None where there is no such key.

    Args:
        key: In recipes, also one of a recipe in a recipe (``teacher.train.epochs``), or of a component
            (``train.optimizer.lr``), which is not looked up.
        cls: `Recipe`, or the settings of a suite.

    Raises:
        UserError: It is the dataset of a recipe in a recipe, which has none of its own.
    """
    return _find(key.split("."), cls, "")


def _find(words: Sequence[str], cls: type[Any], path: str) -> Key | None:
    word, *rest = words
    field = next((one for one in attrs.fields(cls) if one.name == word), None)
    if field is None:
        return None
    path = joined(path, word)
    held = inner(cls, word)
    if not rest:
        return Key(path, field, next((one for one, _ in held), None))
    if info(field).kind:
        return Key(path, field, beyond=tuple(rest))
    if cls is Recipe and word in INNER:
        if rest[0] == "dataset":
            raise UserError(f"{path}.dataset: {TAKEN}", hint=f"set it without '{word}.'")
        return _find(rest, Recipe, path)
    for settings, many in held:
        found = _entry(rest, settings, path) if many else _find(rest, settings, path)
        if found:
            return found
    return None


def _entry(words: Sequence[str], cls: type[Any], path: str) -> Key | None:
    """What is at an entry of a mapping, or at a key of one: what a user calls it may have dots."""
    for cut in range(1, len(words)):
        found = _find(words[cut:], cls, f"{path}.{ANY}")
        if found:
            return found
    return Key(f"{path}.{ANY}", None, cls)
