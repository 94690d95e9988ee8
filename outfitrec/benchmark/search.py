"""What a search over hyper-parameters tries: the keys of a recipe, each with its range or its choices."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import dropwhile
from typing import Any, get_type_hints

import attrs

from outfitrec.core.config import Config, label
from outfitrec.core.errors import Problem, RecipeError, did_you_mean
from outfitrec.core.fields import FieldInfo, info
from outfitrec.core.overrides import read_overrides
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.settings import INNER, Recipe
from outfitrec.core.values import members, shown

# Where in a recipe stands what a search may vary. Other data, or another evaluation, would be no comparison.
PARTS = ("image", "model", "negatives", "objectives", "train")
# Of training: what says which draws are made and which value counts, so that to vary it is to look for a lucky one.
FIXED = (("train", "seed"), ("train", "select"))
# Significant digits of what is tried: enough for a search, and short in a table and in a recipe.
DIGITS = 4
Scalar = bool | int | float | str | None


@attrs.frozen
class Range:
    """What is tried of one key: numbers from ``low`` to ``high``, or ``choices``.

    Attributes:
        low: Least number; with choices, 0.
        high: Greatest number; with choices, 0.
        whole: Whether the numbers are whole.
        choices: The values; empty where there is a range.
    """

    low: float = 0
    high: float = 0
    whole: bool = False
    choices: tuple[Scalar, ...] = ()

    @classmethod
    def of(cls, values: Sequence[Any], *, whole: bool) -> "Range":
        """The range that values stand for (see `outfitrec.field`).

        Args:
            values: Low and high, or choices; a choice of two numbers is the one entry of the list.
            whole: Whether the key takes whole numbers alone.

        Raises:
            ValueError: They stand for none.
        """
        if len(values) == 2 and all(map(_is_number, values)):
            low, high = values
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ValueError("low must be less than high")
            return cls(low, high, whole=True) if whole else cls(float(low), float(high))
        if len(values) == 1 and isinstance(values[0], list | tuple):
            values = values[0]
        if not all(isinstance(one, Scalar) for one in values):
            raise ValueError("choices are numbers, words, truth values or null")
        if len(values) < 2 or any(one in values[:index] for index, one in enumerate(values)):
            raise ValueError("takes [LOW, HIGH], or a list of different choices, at least two")
        return cls(choices=tuple(values))

    @property
    def log(self) -> bool:
        """Whether numbers are drawn by their magnitude."""
        return self.low > 0 and 10 * self.low <= self.high

    @property
    def ends(self) -> tuple[Scalar, ...]:
        """The values between which all others lie: both ends, or all choices."""
        return self.choices or (self.low, self.high)

    def nearest(self, value: Any) -> Scalar:
        """The value of a range that is nearest to a number.

        Raises:
            ValueError: There is none: it is no number, or not among the choices.
        """
        if self.choices:
            if value in self.choices:
                return self.choices[self.choices.index(value)]
        elif _is_number(value):
            return min(max(value if self.whole else float(value), self.low), self.high)
        raise ValueError(f"{value!r} is not near {self}")

    def rounded(self, value: Scalar) -> Scalar:
        """A value of the range with few digits."""
        if self.choices or self.whole or not isinstance(value, float):
            return value
        return self.nearest(float(f"{value:.{DIGITS}g}"))

    def __str__(self) -> str:
        if self.choices:
            return ", ".join(map(shown, self.choices))
        return f"{self.low:g} to {self.high:g}{', logarithmic' if self.log else ''}"


@attrs.frozen
class Key:
    """A key of a recipe that holds a plain value.

    Attributes:
        words: What leads to it: of each place in a list, every word that an override may call it by, the best first.
        extra: What is known of the field.
        whole: Whether it takes whole numbers and no others.
        value: What the recipe has there.
    """

    words: tuple[tuple[str, ...], ...]
    extra: FieldInfo
    whole: bool
    value: Any

    @property
    def name(self) -> str:
        """The key as an override writes it."""
        return ".".join(word for word, *_ in self.words)

    @property
    def own(self) -> tuple[str, ...]:
        """The words of its name, without those that lead into a recipe in the recipe."""
        return tuple(dropwhile(INNER.__contains__, (word for word, *_ in self.words)))

    @property
    def free(self) -> bool:
        """Whether a search may vary it."""
        return self.own[0] in PARTS and self.own not in FIXED and not self.extra.runtime

    @property
    def usual(self) -> bool:
        """Whether a search varies it without being told: see `space`."""
        mine = len(self.own) == len(self.words)
        return mine and self.free and bool(self.extra.search) and not self.whole and self.value is not None

    @property
    def scales_all(self) -> bool:
        """Whether it is the weight of the first objective, which scales the whole loss as the learning rate does."""
        return self.own[0] == "objectives" and self.own[2:] == ("weight",) and "0" in self.words[-2]

    def called(self, name: str) -> bool:
        """Whether an override of this name sets it."""
        words = name.split(".")
        return len(words) == len(self.words) and all(one in some for one, some in zip(words, self.words, strict=True))


def space(recipe: Recipe, wanted: Mapping[str, Sequence[Any]] | None = None) -> dict[str, Range]:
    """What a search over a recipe tries, by dotted key.

    By default these are the keys of its model, negatives, objectives and training whose fields have a range
    (``search=``), but not:

    - whole numbers. They are sizes and counts (batch, dim, heads, anchors, negatives of a pair): what a method costs
      depends on them, and whoever compares methods has to settle them.
    - what the recipe has at null: it does without.
    - the weight of the first objective: it scales the whole loss, as the learning rate does.
    - the keys of recipes in it, such as its teacher.

    Args:
        recipe: The recipe.
        wanted: The keys to try instead: of each, low and high, or choices, or nothing for the range of its field.
            ``teacher.…`` leads into the recipe's teacher.

    Raises:
        RecipeError: A key or range that cannot be tried, all of them at once; or there is nothing to try.
    """
    known = list(_keys(recipe))
    if not wanted:
        found = {
            key.name: Range.of(key.extra.search, whole=key.whole) for key in known if key.usual and not key.scales_all
        }
        if not found:
            raise RecipeError(f"the recipe {recipe.name} has no key with a range", hint="give ranges, KEY=[LOW, HIGH]")
        return found
    found = {}
    problems: list[Problem] = []
    for name, values in wanted.items():
        try:
            key = _key(known, name)
            found[key.name] = _range(recipe, key, values)
        except RecipeError as error:
            where = f"range {f'{name}={shown(list(values))}'!r}"
            problems += [attrs.evolve(one, where=where) for one in error.problems]
    if problems:
        raise RecipeError(problems)
    return found


def values_of(recipe: Recipe, names: Iterable[str]) -> dict[str, Any]:
    """What a recipe has under the keys of a space."""
    known = {key.name: key.value for key in _keys(recipe)}
    return {name: known[name] for name in names}


def applied(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """A recipe with the values that a search gives to its keys.

    Raises:
        RecipeError: They do not go together.
    """
    return load_recipe(resolved(recipe), values)


def read_ranges(texts: Sequence[str]) -> dict[str, Any]:
    """``KEY=[LOW, HIGH]``, or ``KEY`` alone, as `space` takes them.

    Raises:
        RecipeError: One is not of that form; all of them at once.
    """
    overrides = read_overrides([text if "=" in text else f"{text}=[]" for text in texts])
    problems = [
        Problem("takes a list", str(one.place), "write KEY=[LOW, HIGH], or KEY alone for its default range")
        for one in overrides
        if not isinstance(one.value.data, list)
    ]
    if problems:
        raise RecipeError(problems)
    return {".".join(one.keys): one.value.value for one in overrides}


def _key(known: Sequence[Key], name: str) -> Key:
    key = next((one for one in known if one.called(name)), None)
    if key is None:
        raise RecipeError(f"{name}: no such key", hint=did_you_mean(name, [one.name for one in known if one.free]))
    if not key.free:
        raise RecipeError(f"{name}: not to be searched: trials share data, evaluation and draws, and so compare")
    return key


def _range(recipe: Recipe, key: Key, values: Sequence[Any]) -> Range:
    """The range of a key, checked."""
    if not values and not key.extra.search:
        raise RecipeError(f"{key.name}: has no range of its own", hint=f"write {key.name}=[LOW, HIGH]")
    try:
        found = Range.of(values or key.extra.search, whole=key.whole)
    except ValueError as error:
        raise RecipeError(f"{key.name}: {error}", hint=key.extra.help) from error
    for value in found.ends:
        applied(recipe, {key.name: value})
    return found


def _keys(recipe: Recipe, before: tuple[tuple[str, ...], ...] = ()) -> Iterator[Key]:
    """The plain keys of a recipe, then those of the recipes in it."""
    yield from _inside(recipe, before)
    for name in INNER:
        inner = getattr(recipe, name)
        if isinstance(inner, Recipe):
            yield from _keys(inner, (*before, (name,)))


def _inside(value: Any, before: tuple[tuple[str, ...], ...]) -> Iterator[Key]:
    cls = type(value)
    hints = {} if isinstance(value, Config) else get_type_hints(cls)
    for attribute in attrs.fields(cls):
        name, extra = attribute.name, info(attribute)
        one, words = getattr(value, name), (*before, (name,))
        if isinstance(value, Recipe) and name in INNER:
            continue
        if extra.many:
            for called, entry in zip(_called(one), one, strict=True):
                yield from _inside(entry, (*words, called))
        elif attrs.has(type(one)):
            yield from _inside(one, words)
        elif isinstance(one, Mapping) and any(attrs.has(type(entry)) for entry in one.values()):
            for key, entry in one.items():
                # Such keys have dots in them themselves.
                yield from _inside(entry, (*words, *((word,) for word in key.split("."))))
        elif not extra.kind:
            hint = members(hints.get(name, attribute.type))
            yield Key(words, extra, int in hint and float not in hint, one)


def _called(entries: Sequence[Config]) -> list[tuple[str, ...]]:
    """What each entry of a list of components may be called: by its label, its name, or its position."""
    ways = [[getattr(one, "label", None), label(one), one.registration.name, one.name] for one in entries]
    found = []
    for index, own in enumerate(ways):
        others = [word for other in (*ways[:index], *ways[index + 1 :]) for word in other]
        words = dict.fromkeys(word for word in own if isinstance(word, str) and "." not in word and word not in others)
        found.append((*words, str(index)))
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
