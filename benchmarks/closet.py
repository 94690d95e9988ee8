"""Every method on a small folder of real photos in the Polyvore-U layout, among random and hard negatives, over seeds.

The short recipes (closet-…): frozen SqueezeNet features of 64-px photos, a teacher of 192-px photos. What a method
needs to be told (weight, views) is chosen one key after the other on the student's half of the validation
split, with seed 0 and random negatives. Finished runs are kept. Run by hand, since it takes more than an hour:

    python -m benchmarks.closet DATA WEIGHTS

DATA is the folder, WEIGHTS the file of SqueezeNet's ImageNet weights.
"""

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

import attrs

from benchmarks.timing import table
from outfitrec import Run, run
from outfitrec.core.reevaluate import evaluate

METRICS = ("auc", "ndcg", "fitb")
COLD = ("N-pair", "FND", "FND-CL")
RANKING = {"name": "ranking", "loss": {"name": "npair", "temperature": 0.1}}
# The best of 1 to 6 on the same half, with the same seed.
FND = {**RANKING, "distiller": {"name": "fnd", "alpha": 4.0}}
CONTRASTIVE = {"name": "contrastive", "weight": 0.2, "views": ["erase", "replace"]}
VIEWS = [["erase", "erase"], ["replace", "replace"], ["identity", "erase"], ["identity", "replace"]]


@attrs.frozen
class Method:
    """A recipe, and the values of its keys to choose from, key by key."""

    recipe: dict[str, Any]
    search: dict[str, list[Any]] = attrs.field(factory=dict)
    share: str = "step"

    def hard(self) -> dict[str, Any]:
        """Keys of hard negatives: half of those in training, all in evaluation."""
        negatives = {"name": "mixed", "share": self.share, "count": 1}
        return {"negatives": negatives, "evaluate.negatives": {"name": "stored", "set": "hard"}}


def taught(*objectives: dict[str, Any]) -> dict[str, Any]:
    """A student with a teacher and these objectives."""
    return {"extends": "closet-npair", "name": "student", "teacher": "closet-teacher", "objectives": list(objectives)}


def weighted(name: str, *weights: float) -> Method:
    """The N-pair loss beside another objective that sees the teacher."""
    return Method(taught(RANKING, {"name": name}), {f"objectives.{name}.weight": list(weights)})


METHODS = {
    "BPR": Method({"extends": "closet-bpr", "name": "bpr"}, share="pair"),
    "N-pair": Method({"extends": "closet-npair", "name": "npair"}),
    "FND": Method(taught(FND)),
    "FND-CL": Method(
        {**taught(FND, CONTRASTIVE), "neighbours": "autoencoder"},
        {
            "objectives.contrastive.views": [CONTRASTIVE["views"], *VIEWS],
            "objectives.contrastive.weight": [0.2, 0.05],
            "objectives.contrastive.loss.temperature": [0.1, 0.05, 0.2, 0.5],
        },
    ),
    "FND, supervised contrast": Method(
        taught(FND, {**CONTRASTIVE, "loss": {"name": "supervised"}, "views": ["erase", "erase"]}),
        {"objectives.contrastive.weight": [0.2, 0.05]},
    ),
    "rank distillation": weighted("rank_distillation", 0.1, 1.0, 10.0),
    "score regression": weighted("score_regression", 1.0, 10.0, 100.0),
    "hint": weighted("hint", 0.1, 1.0, 10.0),
    "relational": weighted("relational", 1.0, 10.0, 100.0),
}


class Bench:
    """Runs that are made once."""

    def __init__(self, data: Path, weights: Path, out: Path) -> None:
        self._data = data
        self._weights = str(weights)
        self._out = out

    def run(self, recipe: dict[str, Any], keys: dict[str, Any], seed: int) -> Run:
        """A run of a recipe with some keys set."""
        keys = {"dataset.root": str(self._data), "model.encoder.weights": self._weights, **keys}
        for key in {"teacher", "start"} & recipe.keys():
            keys[f"{key}.model.encoder.weights"] = self._weights
        found = run(recipe, keys, seed=seed, out=self._out, resume=True)
        figures = {label: round(found.result.test[label], 4) for label in METRICS}
        sys.stderr.write(f"{keys} seed {seed}: valid {found.result.valid['auc']:.4f}, test {figures}\n")
        return found

    def choose(self, name: str, method: Method) -> dict[str, Any]:
        """The best value of each key, one key after the other; what was tried is printed."""
        chosen: dict[str, Any] = {}
        for key, values in method.search.items():
            found = [self.run(method.recipe, {**chosen, key: value}, 0).result for value in values]
            best = max(range(len(values)), key=lambda index: found[index].valid["auc"])
            chosen[key] = values[best]
            rows = [
                (str(value), f"{100 * one.valid['auc']:.2f}", *[f"{100 * one.test[label]:.2f}" for label in METRICS])
                for value, one in zip(values, found, strict=True)
            ]
            table(f"{name}: {key}, seed 0, chosen {values[best]}", ("value", "valid auc", *METRICS), rows)
        return chosen

    def cold(self, one: Run) -> dict[str, float]:
        """AUC of the 12 users whom the model does not know, by strategy and number of liked outfits."""
        dataset = {"name": "polyvore_u", "root": str(self._data), "users": 12}
        found = evaluate(one, {"evaluate.cold_start": {"dataset": dataset}})["cold_start"]["strategies"]
        return {
            f"{strategy}, {size}": metrics["auc"]["mean"]
            for strategy, sizes in found.items()
            for size, metrics in sizes.items()
        }


def spread(values: list[float]) -> str:
    """Mean and standard deviation, in per cent."""
    deviation = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.2f}{deviation}"


def row(name: str, runs: list[Run]) -> tuple[str, ...]:
    """Means and standard deviations over seeds, in per cent."""
    valid = spread([one.result.valid["auc"] for one in runs])
    return (name, str(len(runs)), valid, *[spread([one.result.test[metric] for one in runs]) for metric in METRICS])


def main() -> None:
    """Run everything that was not run before, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    options = parser.parse_args()
    bench = Bench(options.data, options.weights, options.out)
    chosen = {name: bench.choose(name, method) for name, method in METHODS.items()}
    served: list[tuple[str, list[dict[str, float]]]] = []
    for title in ("random", "hard"):
        rows, teacher = [], None
        for name, method in METHODS.items():
            keys = method.hard() if title == "hard" else {}
            runs = [bench.run(method.recipe, {**chosen[name], **keys}, seed) for seed in range(options.seeds)]
            teacher = teacher or runs[0].teacher
            if title == "random" and name in COLD:
                served.append((name, [bench.cold(one) for one in runs]))
            rows.append(row(name, runs))
        if teacher is not None and title == "random":
            rows.insert(0, row("teacher", [teacher]))
        heads = ("method", "seeds", "valid auc", *METRICS)
        table(f"real photos, simulated users, {title} negatives: per cent, mean ± deviation over seeds", heads, rows)
    asked = list(served[0][1][0])
    rows = [(name, *[spread([one[key] for one in found]) for key in asked]) for name, found in served]
    table("users unknown to the model, by strategy and number of liked outfits: test AUC", ("method", *asked), rows)


if __name__ == "__main__":
    main()
