"""What a suite costs beside its runs, what two workers on two cores gain over one, and what a report costs.

The runs are students of frozen features, as most runs of the short suites are. What they take by themselves is seen by
making them one after the other in this process, without a suite.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import outfitrec
from benchmarks.timing import table
from outfitrec.benchmark.bench import bench
from outfitrec.benchmark.running import How

RUNS = 6
RECIPE = "synthetic-npair"
KEYS = {"train.accelerator": "cpu", "train.epochs": 40, "start.train.epochs": 1, "start.train.accelerator": "cpu"}


def seconds(work: Callable[[], object]) -> float:
    """Time that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alone(out: Path, seeds: Sequence[int]) -> None:
    """The runs, without a suite."""
    for seed in seeds:
        outfitrec.run(RECIPE, KEYS, seed=seed, out=out)


def suite(folder: Path, jobs: int, seeds: Sequence[int]) -> None:
    """The runs, by a suite."""
    rows = {"student": {"recipe": RECIPE, "set": KEYS}}
    asked = {"name": "suite-cost", "seeds": list(seeds), "rows": rows}
    bench(asked, how=How(out=folder / "runs", jobs=jobs), report=folder / "report")


def on_one_core(work: Callable[[], None]) -> None:
    """Do something with one of the cores that this process may use, as far as the system can say so."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        work()
    finally:
        os.sched_setaffinity(0, before)


def main() -> None:
    """Print the ratios."""
    seeds = [range(start, start + RUNS) for start in range(0, 4 * RUNS, RUNS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Photos are drawn and features computed once, by whoever comes first: not by what is timed.
        alone(folder / "runs", [99])
        runs = seconds(lambda: alone(folder / "runs", seeds[0]))
        one = seconds(lambda: suite(folder, 1, seeds[1]))
        held = seconds(lambda: on_one_core(lambda: suite(folder, 1, seeds[3])))
        two = seconds(lambda: suite(folder, 2, seeds[2]))
        again = seconds(lambda: suite(folder, 2, seeds[2]))
    table(
        f"a suite of {RUNS} runs of {runs / RUNS:.0f} s each",
        ("", "measured", "limit"),
        [
            ("suite ÷ its runs without a suite", f"{one / runs:.3f}", "≤ 1.05"),
            ("one worker with all cores ÷ two workers", f"{one / two:.2f}", ""),
            ("one worker held to one core ÷ two workers", f"{held / two:.2f}", "≥ 1.6"),
            ("finished runs reported again, s", f"{again:.1f}", "< 10"),
        ],
    )


if __name__ == "__main__":
    main()
