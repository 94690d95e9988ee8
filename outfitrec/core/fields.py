"""Fields of a component: recipe keys with their default, range and help line, in one place.

A field is an attrs attribute. What outfitrec adds (help, limits, the kind of a nested component, …) is in
its metadata under one key, as a `FieldInfo`.
"""

from collections.abc import Iterable
from typing import Any

import attrs

KEY = "outfitrec"
# What the engine fills in, by name: the first six in components of the model, the rest in objectives and negatives.
GIVEN = frozenset(
    {"dim", "image_size", "users", "categories", "slots", "most", "teacher_dim", "neighbours", "split", "catalog"}
)


@attrs.frozen(kw_only=True)
class FieldInfo:
    """What outfitrec knows of a field beyond its type and default.

    Attributes:
        help: One line for people.
        above: The value must be greater than this; ``below``, less.
        minimum: The value must be at least this; ``maximum``, at most.
        choices: The words (or numbers) allowed, or an empty tuple for any value. Of a ``path``: words that stand for
            something else than a path and are left as they are.
        kind: Kind of the component the field holds, or an empty string for a plain value.
        many: The field holds a list of components.
        given: Filled by the engine from the data; not a recipe key.
        path: The value is a path. It is made absolute when a recipe is resolved, and a run's identity has the
            content of the file in its place.
        runtime: Says how to run, not what to compute; not part of a run's identity.
        search: What a search over hyper-parameters tries; empty where it has to be told (see `field`).
    """

    help: str = ""
    above: float | None = None
    below: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str | int, ...] = ()
    kind: str = ""
    many: bool = False
    given: bool = False
    path: bool = False
    runtime: bool = False
    search: tuple[Any, ...] = ()

    def range(self) -> str:
        """The allowed values in words, such as ``> 0, ≤ 1``; empty where anything goes."""
        if self.choices:
            return ", ".join(map(str, self.choices)) + (", or a path" if self.path else "")
        limits = ((">", self.above), ("≥", self.minimum), ("<", self.below), ("≤", self.maximum))
        return ", ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None)

    def complaint(self, value: object) -> str:
        """Why ``value`` (or an element of it) is not allowed, or an empty string. The type is checked elsewhere."""
        if isinstance(value, list | tuple):
            return next(filter(None, map(self.complaint, value)), "")
        if self.choices and not self.path and value is not None and value not in self.choices:
            return f"must be one of {self.range()}, not {value!r}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Written so that NaN, which compares false with everything, is refused wherever a limit stands.
            inside = (
                (self.above is None or value > self.above)
                and (self.below is None or value < self.below)
                and (self.minimum is None or value >= self.minimum)
                and (self.maximum is None or value <= self.maximum)
            )
            if not inside:
                return f"must be {self.range()}, not {value!r}"
        return ""


def _validate(instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    complaint = info(attribute).complaint(value)
    if complaint:
        raise ValueError(f"{attribute.name} {complaint}")


def info(attribute: "attrs.Attribute[Any]") -> FieldInfo:
    """The `FieldInfo` of an attribute (an empty one where it was made without outfitrec's functions)."""
    found: FieldInfo = attribute.metadata.get(KEY) or FieldInfo()
    return found


def field(
    *,
    default: Any = attrs.NOTHING,
    factory: Any = None,
    help: str,
    above: float | None = None,
    below: float | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Iterable[str | int] = (),
    path: bool = False,
    runtime: bool = False,
    search: Iterable[Any] = (),
) -> Any:
    """A recipe key with a plain value (a number, a word, a truth value, a list or mapping of such).

    Args:
        default: Its default; without one the key is required.
        factory: A function that makes the default, for mutable ones.
        help: One line that says what it does, with unit or range.
        above: Exclusive lower limit.
        below: Exclusive upper limit.
        minimum: Inclusive lower limit.
        maximum: Inclusive upper limit.
        choices: The allowed words or numbers; of a path, words that are allowed besides it.
        path: Whether the value names a file or folder.
        runtime: Whether it leaves the result alone (number of workers and the like).
        search: What a search over hyper-parameters tries. Two numbers are a range from low to high, both of them in it:
            logarithmic where low is above 0 and high at least 10 times low, else linear; of whole numbers in a field of
            such. Anything else is a choice: words, or three numbers and more. A choice of two numbers is written as the
            one entry of the list: ``[(4, 8)]``.
    """
    extra = FieldInfo(
        help=help,
        above=above,
        below=below,
        minimum=minimum,
        maximum=maximum,
        choices=tuple(choices),
        path=path,
        runtime=runtime,
        search=tuple(search),
    )
    if factory is not None:
        return attrs.field(factory=factory, validator=_validate, metadata={KEY: extra})
    return attrs.field(default=default, validator=_validate, metadata={KEY: extra})


def part(kind: str, *, default: Any = attrs.NOTHING, help: str) -> Any:
    """A recipe key that holds another component.

    Args:
        kind: Kind of that component, such as ``"loss"``.
        default: Name of the default component, or None for none; without a default the key is required.
        help: One line that says what it is for.
    """
    return attrs.field(default=default, metadata={KEY: FieldInfo(help=help, kind=kind)})


def parts(kind: str, *, default: Any = attrs.NOTHING, help: str, runtime: bool = False) -> Any:
    """A recipe key that holds a list of components of one kind (see `part`).

    Args:
        kind: Kind of these components.
        default: Names of the default ones; without a default the key is required.
        help: One line that says what they are for.
        runtime: Whether they leave the result alone.
    """
    return attrs.field(default=default, metadata={KEY: FieldInfo(help=help, kind=kind, many=True, runtime=runtime)})


def given(help: str) -> Any:
    """A field that only the data can know (number of users, the dimension, …): filled by the engine, no recipe key."""
    return attrs.field(metadata={KEY: FieldInfo(help=help, given=True)})
