"""How a job goes, as events."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from outfitrec.benchmark.jobs import Moved, Said
from outfitrec.core.progress import Advance, Progress

# Seconds between two events of a piece of work: for people to watch, not to slow it down.
PAUSE = 0.5


class Telling(Progress):
    """Tells of a job.

    Args:
        key: The job.
        tell: Called with each event.
    """

    def __init__(self, key: str, tell: Callable[[Moved | Said], None]) -> None:
        self._key = key
        self._tell = tell

    @contextmanager
    def task(self, text: str, total: int, unit: str = "photos") -> Iterator[Advance]:
        """A piece of work: an event now and then."""
        done, told_at = 0, time.monotonic()

        def advance(count: int, **figures: float) -> None:
            nonlocal done, told_at
            done += count
            now = time.monotonic()
            if now - told_at >= PAUSE:
                told_at = now
                self._tell(Moved(self._key, text, done, total, unit))

        yield advance

    def message(self, text: str) -> None:
        """A line for the user."""
        self._tell(Said(self._key, text))

    def warning(self, text: str) -> None:
        """A warning."""
        self._tell(Said(self._key, text, warning=True))
