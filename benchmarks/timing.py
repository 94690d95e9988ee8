"""Timing of two or more things in turn, so that a machine whose speed drifts does not favour one."""

import statistics
import time
from collections.abc import Callable, Mapping


def in_turn(things: Mapping[str, Callable[[], object]], repeats: int, warmup: int = 2) -> dict[str, list[float]]:
    """Seconds of each repeat of each thing, by name; all are run once before any is run again."""
    seconds: dict[str, list[float]] = {name: [] for name in things}
    for repeat in range(warmup + repeats):
        for name, thing in things.items():
            began = time.perf_counter()
            thing()
            if repeat >= warmup:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def ratio(above: list[float], below: list[float]) -> float:
    """Median of the ratios of neighbouring repeats."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a short table."""
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    print(f"\n{title}")
    for row in [head, tuple("-" * width for width in widths), *rows]:
        print("  " + "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
