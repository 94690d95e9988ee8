"""The loggers of a run: one that fails is silent from then on, and the training goes on."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outfitrec.core.errors import OutfitrecError, RunError
from outfitrec.core.progress import Progress
from outfitrec.protocols import Logger


class Loggers:
    """The loggers of a run.

    Args:
        loggers: They, each with its name.
        progress: Told of those that fail.

    Attributes:
        warnings: What failed.
    """

    def __init__(self, loggers: Sequence[tuple[str, Logger]], progress: Progress) -> None:
        self._loggers = list(loggers)
        self._started: list[tuple[str, Logger]] = []
        self._progress = progress
        self.warnings: list[str] = []

    @contextmanager
    def at_work(self, directory: Path, recipe: Mapping[str, Any]) -> Iterator[None]:
        """Start them; where the block ends without a result, they are told so.

        Args:
            directory: The run's directory.
            recipe: The resolved recipe.

        Raises:
            RunError: One cannot start.
        """
        try:
            for name, logger in self._loggers:
                try:
                    logger.start(directory, recipe)
                except OutfitrecError:
                    raise
                # It may be anybody's, and its service anywhere.
                except Exception as error:
                    raise RunError(
                        f"the logger {name!r} cannot start: {_said(error)}",
                        hint="mend it, or leave it out (loggers=[]), and go on with --resume",
                    ) from error
                self._started.append((name, logger))
            yield
        finally:
            # After an end with a result none is left.
            self._finish(None)

    def log(self, line: Mapping[str, Any]) -> None:
        """Tell them of an epoch, as it stands in ``metrics.jsonl``."""
        epoch = int(line["epoch"])
        named = flat({key: value for key, value in line.items() if key != "epoch"}, "/")
        figures = {name: float(value) for name, value in named if math.isfinite(value)}
        self._tell(lambda logger: logger.log(epoch, figures))

    def finish(self, result: Mapping[str, Any]) -> None:
        """Tell them what the run found."""
        self._finish(result)

    def _finish(self, result: Mapping[str, Any] | None) -> None:
        self._tell(lambda logger: logger.finish(result))
        self._started = []

    def _tell(self, call: Callable[[Logger], None]) -> None:
        failed = []
        for name, logger in self._started:
            try:
                call(logger)
            # No service is worth a training.
            except Exception as error:
                failed.append(logger)
                self.warnings.append(f"the logger {name!r} failed, and logs no more: {_said(error)}")
                self._progress.warning(self.warnings[-1])
        self._started = [one for one in self._started if one[1] not in failed]


def flat(value: Any, join: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """The plain values in mappings and lists, each with the keys and positions that lead to it, joined."""
    if isinstance(value, Mapping | list | tuple):
        for key, one in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from flat(one, join, f"{path}{join}{key}" if path else str(key))
    else:
        yield path, value


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
