"""What is wrong with the ranges that fields declare for a search."""

from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import attrs

from outfitrec.benchmark.search import Range
from outfitrec.core.config import config_class
from outfitrec.core.fields import info
from outfitrec.core.loading import plugins
from outfitrec.core.values import accepts, members


def with_ranges(provider: str) -> dict[str, Any]:
    """The fields of a provider's components that have a range, by kind, component and key."""
    found: dict[str, Any] = {}
    for one in plugins().registry:
        if one.provider == provider and one.kind not in ("recipe", "suite"):
            cls = config_class(one)
            found |= {f"{one.kind} {one.name} {key}": field for key, field in searched(cls).items()}
    return found


def searched(cls: type[Any]) -> dict[str, Any]:
    """The fields of a class that have a range, with their types."""
    hints = get_type_hints(cls)
    typed = {one.name: one.evolve(type=hints.get(one.name, one.type)) for one in attrs.fields(cls)}
    return {name: one for name, one in typed.items() if info(one).search}


def complaints(fields: Mapping[str, Any], outside: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the ranges of these fields.

    Args:
        fields: The fields, by what they are called.
        outside: Those whose default lies outside of the range, with the reason.
    """
    for name, field in fields.items():
        extra, kinds = info(field), members(field.type)
        found = Range.of(extra.search, whole=int in kinds and float not in kinds)
        for value in found.ends:
            if extra.complaint(value) or not any(accepts(kind, value) for kind in kinds):
                yield f"{name}: {value} is not allowed"
        try:
            inside = found.nearest(field.default) == field.default
        except ValueError:
            inside = False
        if inside == (name in outside):
            yield f"{name}: {found}, and the default is {field.default}"
    yield from (f"{name}: has no range" for name in outside if name not in fields)
