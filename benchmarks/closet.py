"""BPR, N-pair and FND on a folder of real photos in the Polyvore-U layout, over seeds.

Frozen SqueezeNet features of 64-px photos, a teacher of 192-px photos; alpha is chosen on the student's half of the
validation split. Run by hand, since it takes a while:

    python -m benchmarks.closet DATA WEIGHTS

DATA is the folder, WEIGHTS the file of SqueezeNet's ImageNet weights.
"""

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.timing import table
from outfitrec import Run, run

ALPHAS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
METRICS = ("auc", "ndcg", "fitb")


def recipe(name: str, data: Path, weights: Path, users: int, pixels: int) -> dict[str, Any]:
    """A recipe with the N-pair loss."""
    encoder = {"name": "torchvision", "architecture": "squeezenet1_1", "frozen": True, "weights": str(weights)}
    return {
        "name": name,
        "dataset": {"name": "polyvore_u", "root": str(data), "users": users},
        "image": {"size": pixels},
        "model": {"encoder": encoder},
        "objectives": [{"name": "ranking", "loss": {"name": "npair", "temperature": 0.1}}],
        "train": {
            "epochs": 20,
            "optimizer": {"name": "sgd", "lr": 0.01, "momentum": 0.9},
            "schedule": "cosine",
        },
    }


def methods(data: Path, weights: Path, users: int) -> dict[str, dict[str, Any]]:
    """The students by name; those of FND with their alpha."""
    npair = recipe("npair", data, weights, users, 64)
    teacher = recipe("teacher", data, weights, users, 192)
    del teacher["dataset"]
    bpr = {
        **npair,
        "name": "bpr",
        "negatives": {"name": "random_mix", "share": "pair", "count": 1},
        "objectives": [{"name": "ranking", "loss": {"name": "bpr", "temperature": 0.1}}],
    }
    found = {"BPR": bpr, "N-pair": npair}
    for alpha in ALPHAS:
        ranking = {**npair["objectives"][0], "distiller": {"name": "fnd", "alpha": alpha}}
        found[f"FND {alpha:g}"] = {**npair, "name": "fnd", "teacher": teacher, "objectives": [ranking]}
    return found


def row(name: str, runs: list[Run]) -> tuple[str, ...]:
    """Means and standard deviations over seeds, in per cent."""

    def spread(values: list[float]) -> str:
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        return f"{100 * statistics.mean(values):.2f} ± {100 * deviation:.2f}"

    valid = spread([one.result.valid["auc"] for one in runs])
    return (name, valid, *[spread([one.result.test[metric] for one in runs]) for metric in METRICS])


def main() -> None:
    """Run everything that was not run before, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--users", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    options = parser.parse_args()
    found: dict[str, list[Run]] = {}
    for name, one in methods(options.data, options.weights, options.users).items():
        for seed in range(options.seeds):
            found.setdefault(name, []).append(run(one, seed=seed, out=options.out, resume=True))
            sys.stderr.write(f"{name}, seed {seed}: {found[name][-1].result.test}\n")
    teacher = [Run(path) for path in sorted(options.out.glob("teacher-*")) if (path / "result.json").is_file()]
    best = max(
        (name for name in found if name.startswith("FND")),
        key=lambda name: statistics.mean(one.result.valid["auc"] for one in found[name]),
    )
    rows = [row("teacher (one seed)", teacher[:1]), *[row(name, runs) for name, runs in found.items()]]
    table(
        "real photos, simulated users: per cent, mean ± deviation over seeds", ("method", "valid auc", *METRICS), rows
    )
    print(f"\nalpha chosen on validation: {best}")


if __name__ == "__main__":
    main()
