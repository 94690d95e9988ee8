"""``KEY=VALUE``: one key of a recipe set from the command line or from Python.

Only where a key belongs is found here; whether it exists, and whether the value is right, is checked with the rest of
the recipe.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

import attrs

from outfitrec.core.config import Config, config_class
from outfitrec.core.document import Document, Place, entry_words
from outfitrec.core.errors import RecipeError, UserError, did_you_mean
from outfitrec.core.fields import FieldInfo, info
from outfitrec.core.registry import Registry
from outfitrec.core.settings import Recipe
from outfitrec.core.values import entries, members, shown
from outfitrec.core.yamlfile import dump, parse


@attrs.frozen
class Override:
    """One override.

    Attributes:
        keys: The words between the dots.
        value: The value, at a place that names the override.
    """

    keys: tuple[str, ...]
    value: Document

    @property
    def place(self) -> Place:
        """What messages call it."""
        return self.value.place


def read_overrides(overrides: Sequence[str] | Mapping[str, Any]) -> list[Override]:
    """Overrides as they were written: ``KEY=VALUE`` with VALUE in YAML, or plain data by dotted key.

    Raises:
        RecipeError: One is not of that form; all of them at once.
    """
    found, problems = [], []
    items = overrides.items() if isinstance(overrides, Mapping) else ((one, None) for one in overrides)
    for text, value in items:
        try:
            found.append(_parse(text) if not isinstance(overrides, Mapping) else _made(text, value))
        except RecipeError as error:
            problems += error.problems
    if problems:
        raise RecipeError(problems)
    return found


def _parse(text: str) -> Override:
    place = Place(f"override {text!r}")
    key, equals, value = text.partition("=")
    if not equals:
        raise RecipeError("no '=' in it", hint="write KEY=VALUE, such as train.epochs=3", where=str(place))
    return Override(_keys(key, place), Document.of(parse(value, str(place)).value, place))


def _made(key: str, value: Any) -> Override:
    flat = " ".join(str(value).split()) if not isinstance(value, str) else dump(value).removesuffix("\n...\n")
    place = Place(f"override {f'{key}={flat}'!r}")
    return Override(_keys(key, place), Document.of(value, place))


def _keys(key: str, place: Place) -> tuple[str, ...]:
    keys = tuple(word.strip() for word in key.split("."))
    if not all(keys):
        raise RecipeError("a key is words joined by dots", hint="such as train.optimizer.lr", where=str(place))
    return keys


class Overrider:
    """Sets keys in the document of a recipe.

    Args:
        registry: Where the defaults of components are looked up.
        open_teacher: Gives the mapping of a teacher in place of its name or path.
    """

    def __init__(self, registry: Registry, open_teacher: Callable[[Document], Document]) -> None:
        self._registry = registry
        self._open_teacher = open_teacher

    def apply(self, document: Document, override: Override) -> Document:
        """The document with one key set.

        Raises:
            RecipeError: The key leads nowhere, or to several entries of a list.
        """
        return self._put(document, override.keys, Recipe, override, 0)

    def _put(self, around: Document, cls: type | None, override: Override, depth: int) -> Document:
        """``around``, a mapping that is to become a ``cls`` (None: unknown), with what is behind its key set."""
        key, last = override.keys[depth], depth + 1 == len(override.keys)
