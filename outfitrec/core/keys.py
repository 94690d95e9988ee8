"""The keys of recipes and suites, in the order in which they are written."""

from collections.abc import Iterator
from typing import Any, get_type_hints

import attrs

from outfitrec.core.config import Config
from outfitrec.core.settings import INNER, FinishedRun, Recipe
from outfitrec.core.values import entries, members

ANY = "*"


def sections(cls: type[Any], path: str = "") -> Iterator[tuple[str, type[Any]]]:
    """Settings and the settings in them, by the dotted keys that lead there; ``*`` is any key."""
    yield path, cls
    for one in attrs.fields(cls):
        for held, many in inner(cls, one.name):
            yield from sections(held, joined(path, one.name) + (f".{ANY}" if many else ""))


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


def held(key: str, cls: type[Any]) -> "tuple[type[Any], attrs.Attribute[Any] | None] | None":
    """What is at a dotted key.

    Args:
        key: Such as ``train.epochs``; that of a recipe in a recipe is ``teacher.train.epochs``.
        cls: `Recipe`, or the settings of a suite.

    Returns:
        The settings there, and None; or the settings that hold the key, and the key's field. None where there is none.
    """
    words = key.split(".")
    while cls is Recipe and len(words) > 1 and words[0] in INNER:
        del words[0]
    for path, settings in sections(cls):
        place = path.split(".") if path else []
        if place and _same(place, words):
            return settings, None
        if _same(place, words[:-1]):
            for one in attrs.fields(settings):
                # What holds settings is found under its own path, which comes later.
                if one.name == words[-1] and not any(not many for _, many in inner(settings, one.name)):
                    return settings, one
    return None


def _same(place: list[str], words: list[str]) -> bool:
    return len(place) == len(words) and all(one in (ANY, word) for one, word in zip(place, words, strict=True))
