"""How a run goes, on standard error: bars on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from outfitrec.core.progress import Advance, Progress, duration

# A piece of work has at most this many lines, and one in so many seconds at the most.
LINES = 20
SECONDS = 10.0


def console_progress(quiet: bool = False) -> Progress:
    """Tells on standard error how a run goes: bars on a terminal, a line now and then elsewhere.

    Args:
        quiet: Say warnings alone.
    """
    if quiet:
        return QuietProgress()
    return RichProgress() if sys.stderr.isatty() else LineProgress()


class QuietProgress(Progress):
    """Says what the user should know of, and nothing else."""

    def warning(self, text: str) -> None:
        """A warning."""
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {text}", err=True)


class LineProgress(QuietProgress):
    """Lines, for log files. Work that is done in seconds has none."""

    def message(self, text: str) -> None:
        """A line for the user."""
        click.echo(text, err=True)

    @contextmanager
    def task(self, text: str, total: int, unit: str = "photos") -> Iterator[Advance]:
        """A piece of work: a line for each twentieth of it, and not more than one in ten seconds."""
        began = said_at = time.monotonic()
        done = offset = said = 0

        def advance(count: int, **figures: float) -> None:
            nonlocal began, done, offset, said, said_at
            now = time.monotonic()
            if not done:
                # What is reported first was done before (a run that goes on) and has no part in the rate.
                began, offset, said = now, count, count
            done += count
            if now - said_at < SECONDS or (done - said) * LINES < total:
                return
            said, said_at = done, now
            rate = (done - offset) / (now - began) if now > began else 0.0
            parts = [f"{done:,}/{total:,} {unit}", *shown(figures)]
            if rate:
                parts += [speed(rate, unit), f"{duration((total - done) / rate)} left"]
            self.message(f"{text}: {', '.join(parts)}")

        yield advance


class RichProgress(Progress):
    """Bars with figures, rate and time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
        from rich.progress import Task as BarTask
        from rich.text import Text

        class Figures(ProgressColumn):
            """Share that is done, rate and figures of a bar."""

            def render(self, task: BarTask) -> Text:
                # Short, so that a line of 80 characters holds it all.
                parts = [f"{task.percentage:3.0f}%"]
                rate = task.finished_speed or task.speed
                if rate:
                    parts.append(speed(rate, task.fields["unit"]))
                return Text("  ".join([*parts, *shown(task.fields["figures"])]))

        self._console = Console(stderr=True, markup=False, highlight=False, emoji=False)
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            Figures(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=self._console,
            refresh_per_second=4,
        )
        self._open = 0

    @contextmanager
    def task(self, text: str, total: int, unit: str = "photos") -> Iterator[Advance]:
        """A piece of work: a bar."""
        if not self._open:
            self._bars.start()
        self._open += 1
        bar = self._bars.add_task(text, total=total, unit=unit, figures={})

        def advance(count: int, **figures: float) -> None:
            more: dict[str, Any] = {"figures": figures} if figures else {}
            self._bars.update(bar, advance=count, **more)

        try:
            yield advance
        finally:
            self._open -= 1
            if not self._open:
                self._bars.stop()
                # Bars that are done stay on the screen as text; the next ones start below.
                for done in self._bars.task_ids:
                    self._bars.remove_task(done)

    def message(self, text: str) -> None:
        """A line for the user, above the bars."""
        self._console.print(text)

    def warning(self, text: str) -> None:
        """A warning, above the bars."""
        from rich.text import Text

        self._console.print(Text.assemble(("warning: ", "bold yellow"), text))


def speed(rate: float, unit: str) -> str:
    """How fast it goes, of what takes long by the minute: ``2,833 pairs/s``, ``3 runs/min``."""
    if rate >= 1:
        return f"{rate:,.0f} {unit}/s"
    # Never in powers of ten.
    return f"{60 * rate:,.0f} {unit}/min" if 60 * rate >= 1 else f"{3600 * rate:,.1f} {unit}/h"


def shown(figures: Mapping[str, float]) -> list[str]:
    """Figures as text: ``loss 2.303``."""
    return [f"{name} {value:.4g}" for name, value in figures.items()]
