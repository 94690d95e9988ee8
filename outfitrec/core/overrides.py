"""``KEY=VALUE``: one key of a recipe set from the command line or from Python.

Only where a key belongs is found here; whether it exists, and whether the value is right, is checked with the rest of
the recipe.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, get_type_hints

import attrs

from outfitrec.core.config import Config, config_class
from outfitrec.core.document import Document, Place, entry_words
from outfitrec.core.errors import Problem, RecipeError, UserError, did_you_mean
from outfitrec.core.fields import info
from outfitrec.core.registry import Registry
from outfitrec.core.settings import INNER, TAKEN, FinishedRun, Recipe
from outfitrec.core.values import entries, members, shown
from outfitrec.core.yamlfile import parse


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


Overrides: TypeAlias = Sequence[str | Override] | Mapping[str, Any]


def read_overrides(overrides: Overrides) -> list[Override]:
    """Overrides as they were written: ``KEY=VALUE`` with VALUE in YAML, or plain data by dotted key.

    Those that are read already stay as they are.

    Raises:
        RecipeError: One is not of that form; all of them at once.
    """
    overrides = [overrides] if isinstance(overrides, str) else overrides
    found: list[Override] = []
    problems: list[Problem] = []
    items = overrides.items() if isinstance(overrides, Mapping) else ((one, None) for one in overrides)
    for text, value in items:
        try:
            if isinstance(text, Override):
                found.append(text)
            else:
                found.append(_made(text, value) if isinstance(overrides, Mapping) else _parse(text))
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
    place = Place(f"override {f'{key}={shown(value)}'!r}")
    return Override(_keys(key, place), Document.of(value, place))


def written(key: str, value: Document) -> Override:
    """An override that stands in a file: the value knows where.

    Raises:
        RecipeError: The key is not words joined by dots.
    """
    return Override(_keys(key, value.key or value.place), value)


def _keys(key: str, place: Place) -> tuple[str, ...]:
    keys = tuple(word.strip() for word in key.split("."))
    if not all(keys):
        raise RecipeError("a key is words joined by dots", hint="such as train.optimizer.lr", where=str(place))
    return keys


class Overrider:
    """Sets keys in the document of a recipe.

    Args:
        registry: Where components are looked up.
        open_inner: Gives the mapping of a recipe under a key (or a `FinishedRun`) in place of its name or path.
    """

    def __init__(self, registry: Registry, open_inner: Callable[[Document, str], Document]) -> None:
        self._registry = registry
        self._open_inner = open_inner

    def apply(self, document: Document, override: Override) -> Document:
        """The document with one key set.

        Raises:
            RecipeError: The key leads nowhere, or to several entries of a list.
        """
        return self._mapping(document, Recipe, override, 0)

    # In what follows, keys[:depth] lead to what is called old, and the keys from depth on are set in it.

    def _mapping(self, old: Document, cls: type | None, override: Override, depth: int) -> Document:
        """A mapping that is to become a ``cls``, or None where that is not known."""
        key = override.keys[depth]
        if depth + 1 == len(override.keys):
            return old.put(key, override.value)
        attribute = None if cls is None else next((one for one in attrs.fields(cls) if one.name == key), None)
        if cls is None or attribute is None:
            # Checked with the rest of the recipe, and reported there as an unknown key at this override.
            return old.put(key, override.value)
        part, extra = old.mapping.get(key), info(attribute)
        if cls is Recipe and key in INNER:
            inside = self._inner(part, key, override, depth + 1)
        elif extra.many:
            inside = self._list(part, extra.kind, attribute.default, override, depth + 1)
        elif extra.kind:
            inside = self._entry(part, extra.kind, attribute.default, override, depth + 1)
        else:
            hint = attribute.type if issubclass(cls, Config) else get_type_hints(cls)[key]
            inside = self._value(part, hint, override, depth + 1)
        return old.put(key, inside)

    def _value(self, old: Document | None, hint: Any, override: Override, depth: int) -> Document:
        # null is what stands in a resolved recipe for settings that were not given.
        old = Document.of({}, override.place) if old is None or old.data is None else old
        for member in members(hint):
            values = entries(member)
            if values is None and not attrs.has(member):
                continue
            if not isinstance(old.data, dict):
                break
            if values is None:
                return self._mapping(old, member, override, depth)
            # Keys of a mapping may have dots in them: only the last word can be a key of a value.
            *words, last = override.keys[depth:]
            if words and attrs.has(values) and any(one.name == last for one in attrs.fields(values)):
                key = ".".join(words)
                part = old.mapping.get(key, Document.of({}, override.place))
                return old.put(key, self._mapping(part, values, override, len(override.keys) - 1))
            return old.put(".".join((*words, last)), override.value)
        raise _no_keys(override, depth)

    def _entry(self, old: Document | None, kind: str, default: Any, override: Override, depth: int) -> Document:
        """A component: a bare name becomes a mapping with that name."""
        if old is None:
            old = Document.of(default if isinstance(default, str) else None, override.place)
        if old.data is None:
            key = _dotted(override, depth)
            raise _error(f"{key} is not set", override, f"set it as a whole, such as {key}={{name: …}}")
        if isinstance(old.data, str):
            old = attrs.evolve(old, data={"name": old})
        if not isinstance(old.data, dict):
            raise _no_keys(override, depth)
        cls = None
        if "name" in old.mapping:
            # A name that is wrong is reported with the rest of the recipe.
            with suppress(UserError):
                cls = config_class(self._registry.get(kind, str(old.mapping["name"].data)))
        return self._mapping(old, cls, override, depth)

    def _list(self, old: Document | None, kind: str, default: Any, override: Override, depth: int) -> Document:
        """A list of components: one of them is addressed by label, by name or by position."""
        if old is None:
            old = Document.of(() if default is attrs.NOTHING else default, override.place)
        if not isinstance(old.data, list):
            raise _no_keys(override, depth)
        listed: list[Document] = old.data
        index = self._index(listed, override, depth)
        last = depth + 1 == len(override.keys)
        new = override.value if last else self._entry(listed[index], kind, None, override, depth + 1)
        return attrs.evolve(old, data=[*listed[:index], new, *listed[index + 1 :]])

    def _index(self, listed: list[Document], override: Override, depth: int) -> int:
        word, key = override.keys[depth], _dotted(override, depth)
        if word.isdecimal():
            if int(word) >= len(listed):
                raise _error(f"{key} has {len(listed)} entries, and no number {word}", override, "they count from 0")
            return int(word)
        words = entry_words(listed)
        names = [one.mapping["name"].data if "name" in one.mapping else one.data for one in listed]
        found = [index for index, one in enumerate(words) if one == word]
        found = found or [index for index, one in enumerate(names) if one == word]
        # Without its provider, as components are named elsewhere.
        found = found or [index for index, one in enumerate(names) if isinstance(one, str) and one.endswith(f"/{word}")]
        if not found:
            raise _error(f"{key} has no entry {word!r}", override, did_you_mean(word, filter(None, words)))
        if len(found) > 1:
            positions = ", ".join(f"{key}.{index}" for index in found)
            raise _error(f"{key} has {len(found)} entries {word!r}", override, f"address one by position: {positions}")
        return found[0]

    def _inner(self, old: Document | None, key: str, override: Override, depth: int) -> Document:
        if old is None or old.data is None:
            raise _error(f"the recipe has no {key}", override, f"set it first: {key}=RECIPE")
        if override.keys[depth] == "dataset":
            raise _error(f"{key}.dataset: {TAKEN}", override, f"set the key without '{key}.'")
        old = self._open_inner(old, key)
        if isinstance(old.data, FinishedRun):
            raise _error(f"{key} is a finished run, {old.data.path}", override, "nothing in it can be set")
        if not isinstance(old.data, dict):
            raise _no_keys(override, depth)
        return self._mapping(old, Recipe, override, depth)


def _dotted(override: Override, depth: int) -> str:
    return ".".join(override.keys[:depth])


def _no_keys(override: Override, depth: int) -> RecipeError:
    return _error(f"{_dotted(override, depth)} has no keys, and so no {override.keys[depth]!r}", override)


def _error(message: str, override: Override, hint: str = "") -> RecipeError:
    return RecipeError(message, where=str(override.place), hint=hint)
