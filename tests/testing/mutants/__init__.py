"""Components that are broken on purpose, each for one check that must catch it."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import attrs


@attrs.frozen
class Mutant:
    """A broken component.

    Attributes:
        kind: The kind as which it is checked.
        check: The check that must catch it.
        cls: Its class.
        fields: Its keys.
        beside: Other components that it is tried with.
        oracle: What it is compared with, where that is the check.
    """

    kind: str
    check: str
    cls: type[Any]
    fields: Mapping[str, Any]
    beside: Mapping[str, Any]
    oracle: Callable[..., Any] | None


FOUND: list[Mutant] = []


def broken(
    kind: str,
    check: str,
    *,
    fields: Mapping[str, Any] | None = None,
    beside: Mapping[str, Any] | None = None,
    oracle: Callable[..., Any] | None = None,
) -> Callable[[type[Any]], type[Any]]:
    """Mark a component class as broken: what the check of that name must catch."""

    def mark(cls: type[Any]) -> type[Any]:
        FOUND.append(Mutant(kind, check, cls, fields or {}, beside or {}, oracle))
        return cls

    return mark


def mutants(modules: tuple[str, ...]) -> list[Mutant]:
    """The mutants of these modules of the package."""
    for name in modules:
        import_module(f"mutants.{name}")
    return FOUND
