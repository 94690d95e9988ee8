"""What a suite costs beside its runs, what two workers on two cores gain over one, and what a report costs."""

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.timing import table
from outfitrec.benchmark.bench import bench
from outfitrec.benchmark.running import How
from outfitrec.core.runs import RESULT

STUDENT: dict[str, Any] = {
    "name": "suite-student",
    "dataset": {"name": "synthetic", "users": 24, "items": 1200, "pixels": 64, "train": 40, "valid": 10, "test": 10},
    "image": {"size": 64},
    "model": {"encoder": {"name": "alexnet", "size": "xs", "weights": "none"}},
    "train": {"epochs": 4, "batch": 32, "optimizer": {"name": "sgd", "lr": 0.01}, "accelerator": "cpu"},
}
SEEDS = range(8)


def timed(folder: Path, out: str, jobs: int, seeds: Sequence[int] = SEEDS) -> float:
    """Seconds of a call for the suite."""
    recipe = folder / "student.yaml"
    recipe.write_text(json.dumps(STUDENT))
    suite = {"name": "suite-cost", "seeds": list(seeds), "rows": {"student": {"recipe": str(recipe)}}}
    began = time.perf_counter()
    bench(suite, how=How(out=folder / out, jobs=jobs), report=folder / "report")
    return time.perf_counter() - began


def inside(runs: Path) -> float:
    """Seconds that the runs took by themselves."""
    return sum(float(json.loads((path / RESULT).read_text())["seconds"]) for path in runs.glob("suite-student-*"))


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Photos are drawn and features computed once, by whoever comes first: not by what is timed.
        timed(folder, "warm", 1, seeds=[99])
        one = timed(folder, "one", 1)
        runs = inside(folder / "one")
        two = timed(folder, "two", 2)
        again = timed(folder, "two", 2)
    rows: list[tuple[str, ...]] = [
        ("suite ÷ sum of its runs", f"{one / runs:.3f}", "≤ 1.05"),
        ("one worker ÷ two workers", f"{one / two:.2f}", "≥ 1.6"),
        ("finished runs reported again, s", f"{again:.1f}", "< 10"),
    ]
    table(
        f"a suite of {len(SEEDS)} runs of {runs / len(SEEDS):.0f} s each",
        ("", "measured", "limit"),
        rows,
    )


if __name__ == "__main__":
    main()
