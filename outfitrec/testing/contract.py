"""Checks: what every component of a kind keeps to, each a function with a name."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import attrs
from torch import Generator

from outfitrec.core.kinds import KINDS
from outfitrec.testing.isolation import isolated

if TYPE_CHECKING:
    from outfitrec.testing.subject import Subject

# Raised with each release of outfitrec that adds checks or makes one stricter.
KIT = 1
# Of checks that are for every kind.
EVERY = "every"


class BrokenContractError(AssertionError):
    """A component does not do what its kind promises.

    Attributes:
        message: What was seen.
        hint: What to do.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}\n    {hint}")
        self.message = message
        self.hint = hint


class NotApplicableError(Exception):
    """A check has nothing to check: its text says why."""


def require(condition: object, message: str, hint: str) -> None:
    """Break off where a condition does not hold.

    Args:
        condition: What must be true.
        message: What was seen, with figures.
        hint: What the author of the component is to do.

    Raises:
        BrokenContractError: It is not.
    """
    if not condition:
        raise BrokenContractError(message, hint)


@attrs.frozen
class Check:
    """A fact that holds of every component of a kind.

    Attributes:
        kind: The kind; ``every`` for all of them.
        name: What it is called, once in its kind: what the component does, such as ``ignores_masked_negatives``.
        since: Version of the kit that it came with.
        test: Raises `BrokenContractError` where it does not hold, and `NotApplicableError` where it says nothing.
    """

    kind: str
    name: str
    since: int
    test: "Callable[[Subject], None]"

    @property
    def summary(self) -> str:
        """The fact in a sentence."""
        return (self.test.__doc__ or "").strip().splitlines()[0]

    def run(self, subject: "Subject") -> None:
        """Test a component, and leave torch's settings and all global generators as they were.

        Raises:
            BrokenContractError: It does not hold.
            NotApplicableError: It says nothing.
        """
        with isolated():
            self.test(subject)


@runtime_checkable
class Use(Protocol):
    """A module of `outfitrec.testing.kinds`: how a component of the kind is used once, as the engine does it."""

    def inputs(self, subject: "Subject") -> Mapping[str, Any]:
        """What it is called with, by name: tensors, or things made of them. The same values each time."""
        ...

    def call(self, subject: "Subject", component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
        """What it makes of them."""
        ...


_CHECKS: dict[tuple[str, str], Check] = {}


def check(kind: str, *, since: int = 1) -> "Callable[[Callable[[Subject], None]], Callable[[Subject], None]]":
    """Make a function a check of a kind, under its own name.

    Args:
        kind: The kind, or ``every``.
        since: Version of the kit that it comes with.
    """

    def known(test: "Callable[[Subject], None]") -> "Callable[[Subject], None]":
        one = Check(kind, test.__name__, since, test)
        if (kind, one.name) in _CHECKS or not one.summary:
            raise ValueError(f"the check {kind}/{one.name} is there twice, or has no docstring")
        _CHECKS[kind, one.name] = one
        return test

    return known


def use_of(kind: str) -> Use:
    """How a component of a kind is used."""
    return cast(Use, import_module(f"outfitrec.testing.kinds.{kind}"))


def checks_of(kind: str, kit: int = KIT) -> tuple[Check, ...]:
    """The checks of a kind, those of every kind first.

    Args:
        kind: One of the kinds that ``outfitrec ls`` prints.
        kit: Version of the kit: later checks are left out.
    """
    import_module("outfitrec.testing.kinds.every")
    use_of(kind)
    found = [one for one in _CHECKS.values() if one.kind in (EVERY, kind) and one.since <= kit]
    return tuple(sorted(found, key=lambda one: one.kind != EVERY))


def all_checks() -> tuple[Check, ...]:
    """The checks of all kinds."""
    for kind in KINDS:
        checks_of(kind)
    return tuple(_CHECKS.values())
