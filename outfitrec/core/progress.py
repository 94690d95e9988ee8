"""What the engine says while it works. The engine never prints: whoever runs it passes a listener."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable


@runtime_checkable
class Advance(Protocol):
    """Moves a task on."""

    def __call__(self, count: int, **figures: float) -> None:
        """``count`` units more are done; ``figures`` (loss, metric, …) are shown beside."""
        ...


class Progress:
    """A listener that hears everything and says nothing. Subclasses draw bars and print lines."""

    @contextmanager
    def task(self, text: str, total: int, unit: str = "photos") -> Iterator[Advance]:
        """A piece of work of ``total`` units, done when the block ends."""
        yield _silent

    def message(self, text: str) -> None:
        """A line for the user."""

    def warning(self, text: str) -> None:
        """Something that the user should know of; it stands in the result as well."""


def _silent(count: int, **figures: float) -> None:
    pass


def duration(seconds: float) -> str:
    """A time for people: ``42 s``, ``4 min 12 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


QUIET = Progress()
