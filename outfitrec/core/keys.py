"""The keys of recipes and suites, in the order in which they are written."""

from collections.abc import Iterator, Sequence
from typing import Any, get_type_hints

import attrs

from outfitrec.core.config import Config
from outfitrec.core.errors import UserError
from outfitrec.core.fields import info
from outfitrec.core.settings import INNER, TAKEN, FinishedRun, GroupSettings, Recipe
from outfitrec.core.values import entries, members

ANY = "*"


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


def inside(key: str) -> tuple[str, str]:
    """Of a recipe's key, what leads into a recipe in it (``teacher.``, or nothing), and the key there."""
    words = key.split(".")
    depth = 0
    while depth < len(words) - 1 and words[depth] in INNER:
        depth += 1
    return "".join(f"{word}." for word in words[:depth]), ".".join(words[depth:])


def find(key: str, cls: type[Any]) -> Key | None:
    """What is at a dotted key, such as ``train.epochs``; None where there is no such key.

    Args:
        key: In recipes, also one of a recipe in a recipe (``teacher.train.epochs``), or of a component
            (``train.optimizer.lr``), which is not looked up.
        cls: `Recipe`, or the settings of a suite.

    Raises:
        UserError: It is the dataset of a recipe in a recipe, which has none of its own.
    """
    before, rest = inside(key) if cls is Recipe else ("", key)
    words = rest.split(".")
    if before and words[0] == "dataset":
        raise UserError(f"{before}dataset: {TAKEN}", hint=f"set it without '{before}'")
    found = _find(words, cls, "")
    return attrs.evolve(found, path=before + found.path) if found else None


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
    for settings, many in held:
        found = _entry(rest, settings, path) if many else _find(rest, settings, path)
        if found:
            return found
    # A mapping of anything, such as a suite's keys of recipes.
    free = not held and any(entries(hint) for hint in members(get_type_hints(cls)[word]))
    return Key(path, field) if free else None


def _entry(words: Sequence[str], cls: type[Any], path: str) -> Key | None:
    """What is at an entry of a mapping of settings, or at a key of one."""
    path = f"{path}.{ANY}"
    # Parts of a model have dots in their names.
    names = range(1, len(words) + 1) if cls is GroupSettings else (1,)
    for size in names:
        found = Key(path, None, cls) if size == len(words) else _find(words[size:], cls, path)
        if found:
            return found
    return None
