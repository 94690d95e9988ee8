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

ALPHAS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
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


def fnd(npair: dict[str, Any], teacher: dict[str, Any], alpha: float) -> dict[str, Any]:
    """The student with false negative distillation."""
    ranking = {**npair["objectives"][0], "distiller": {"name": "fnd", "alpha": alpha}}
    return {**npair, "name": "fnd", "teacher": teacher, "objectives": [ranking]}


def bpr(npair: dict[str, Any]) -> dict[str, Any]:
    """The student with BPR, one negative of its own for each pair."""
    return {
        **npair,
        "name": "bpr",
        "negatives": {"name": "random_mix", "share": "pair", "count": 1},
        "objectives": [{"name": "ranking", "loss": {"name": "bpr", "temperature": 0.1}}],
    }


def row(name: str, runs: list[Run]) -> tuple[str, ...]:
    """Means and standard deviations over seeds, in per cent."""

    def spread(values: list[float]) -> str:
        deviation = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
        return f"{100 * statistics.mean(values):.2f}{deviation}"

    valid = spread([one.result.valid["auc"] for one in runs])
    return (name, str(len(runs)), valid, *[spread([one.result.test[metric] for one in runs]) for metric in METRICS])


def main() -> None:
    """Run everything that was not run before, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--users", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    options = parser.parse_args()
    npair = recipe("npair", options.data, options.weights, options.users, 64)
    teacher = recipe("teacher", options.data, options.weights, options.users, 192)
    del teacher["dataset"]
    found: dict[str, list[Run]] = {}

    def seeded(name: str, one: dict[str, Any], seeds: int) -> None:
        found[name] = []
        for seed in range(seeds):
            found[name].append(run(one, seed=seed, out=options.out, resume=True))
            sys.stderr.write(f"{name}, seed {seed}: {found[name][-1].result.test}\n")

    for alpha in ALPHAS:
        seeded(f"FND {alpha:g}", fnd(npair, teacher, alpha), 1)
    best = max(ALPHAS, key=lambda alpha: found[f"FND {alpha:g}"][0].result.valid["auc"])
    seeded(f"FND {best:g}", fnd(npair, teacher, best), options.seeds)
    seeded("BPR", bpr(npair), options.seeds)
    seeded("N-pair", npair, options.seeds)
    taught = found[f"FND {best:g}"][0].teacher
    assert taught is not None
    rows = [row("teacher", [taught]), *[row(name, runs) for name, runs in found.items()]]
    table(
        "real photos, simulated users: per cent, mean ± deviation over seeds",
        ("method", "seeds", "valid auc", *METRICS),
        rows,
    )
    print(f"\nalpha chosen on the validation half of seed 0: {best:g}")


if __name__ == "__main__":
    main()
