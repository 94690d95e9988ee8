"""What a suite costs beside its runs, what two workers on two cores gain over one, and what a report costs."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.timing import table
from outfitrec.benchmark.bench import bench
from outfitrec.benchmark.running import How
from outfitrec.core.runs import RESULT

STUDENT: dict[str, Any] = {
    "name": "suite-student",
    "dataset": {"name": "synthetic", "users": 24, "items": 1200, "pixels": 64, "train": 120, "valid": 10, "test": 10},
    "image": {"size": 64},
    "model": {"encoder": {"name": "alexnet", "size": "xs", "weights": "none", "frozen": True}},
    "train": {"epochs": 12, "batch": 32, "optimizer": {"name": "sgd", "lr": 0.01}, "accelerator": "cpu"},
}
SUITE: dict[str, Any] = {"name": "suite-cost", "seeds": list(range(8)), "rows": {}}


def timed(folder: Path, out: str, jobs: int, *, report: str = "report") -> float:
    """Seconds of a call for the suite."""
    recipe = folder / "student.yaml"
    recipe.write_text(json.dumps(STUDENT))
    suite = {**SUITE, "rows": {"student": {"recipe": str(recipe)}}}
    began = time.perf_counter()
    bench(suite, how=How(out=folder / out, jobs=jobs), report=folder / report)
    return time.perf_counter() - began


def inside(runs: Path) -> float:
    """Seconds that the runs took by themselves."""
    return sum(float(json.loads((path / RESULT).read_text())["seconds"]) for path in runs.glob("suite-student-*"))


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Photos are drawn and features computed once, by whoever comes first: not by what is timed.
        bench({**SUITE, "seeds": [99], "rows": {"student": {"recipe": _recipe(folder)}}}, how=How(out=folder / "warm"))
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
        f"a suite of {len(SUITE['seeds'])} runs of {runs / len(SUITE['seeds']):.0f} s each",
        ("", "measured", "limit"),
        rows,
    )


def _recipe(folder: Path) -> str:
    path = folder / "student.yaml"
    path.write_text(json.dumps(STUDENT))
    return str(path)


if __name__ == "__main__":
    main()
