"""Every method of the paper's comparison on a small folder of real photos, over seeds, each with its best settings.

The short recipes (closet-…): frozen SqueezeNet features of 64-px photos. For each method the learning rate, then the
temperature (of methods with triplets: the margin), is the one of the best AUC on the student's half of the validation
split with seed 0, of as many values for each. Users whom the model does not know are served as each method can.
Finished runs are kept. Run by hand, since it takes hours:

    python -m benchmarks.baselines DATA WEIGHTS

DATA is the folder in the Polyvore-U layout, WEIGHTS the file of SqueezeNet's ImageNet weights.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

import attrs

from benchmarks.closet import CONTRASTIVE, FND, Bench, Method, row, spread, taught
from benchmarks.timing import table
from outfitrec import Run
from outfitrec.core.reevaluate import evaluate

RATE = "train.optimizer.lr"
RATES = [0.01, 0.003, 0.03, 0.1]
TEMPERATURES = [0.1, 0.05, 0.2]
# Of a score that is a sum of cosines, one an anchor.
SUMS = [1.0, 0.3, 0.1]
MARGINS = [0.3, 0.1, 0.5]
RANKING = "objectives.ranking.loss.temperature"
KNOWN = ("average", "weighted_average")
ANCHORS = ("anchor_search", "user_search", "anchor_optimization")


@attrs.frozen
class Compared:
    """A method, the key that is searched besides the learning rate, and how it serves unknown users."""

    recipe: dict[str, Any]
    key: str = RANKING
    values: list[float] = attrs.field(factory=lambda: TEMPERATURES)
    strategies: tuple[str, ...] = KNOWN
    rate: str = RATE
    rates: list[float] = attrs.field(factory=lambda: RATES)

    def method(self) -> Method:
        """What is to be chosen, key by key."""
        return Method(self.recipe, {self.rate: self.rates, self.key: self.values})


def short(name: str, key: str = RANKING, *, values: list[float] | None = None, strategies: Any = KNOWN) -> Compared:
    """A shipped short recipe."""
    recipe = {"extends": f"closet-{name}", "name": name}
    return Compared(recipe, key, values or TEMPERATURES, strategies)


IMPERSONAL = ("impersonal",)
METHODS = {
    "Type-Aware": short("type-aware", "objectives.triplet.margin", values=MARGINS, strategies=IMPERSONAL),
    "SCE-Net": short("sce-net", "objectives.triplet.margin", values=MARGINS, strategies=IMPERSONAL),
    "Bi-LSTM": short("bi-lstm", "model.aggregator.temperature", strategies=IMPERSONAL),
    "OutfitNet": Compared({"extends": "closet-outfitnet", "name": "outfitnet", "start": "closet-outfitnet-relevancy"}),
    # Its users learn by a rate of their own, a hundred times and more that of its items.
    "FHN": attrs.evolve(short("fhn"), rate="train.groups.preference.user.lr", rates=[1.0, 0.3, 3.0, 10.0]),
    "LPAE-u": short("lpae-u", values=SUMS, strategies=ANCHORS),
    "LPAE-g": short("lpae-g", values=SUMS, strategies=ANCHORS),
    "BPR": short("bpr"),
    "N-pair": short("npair"),
    "FND": Compared(taught(FND)),
    "FND-CL": Compared(taught(FND, {**CONTRASTIVE, "views": ["identity", "erase"]})),
}


def cold(one: Run, strategies: tuple[str, ...], data: Path) -> dict[str, float]:
    """AUC of the users whom the model does not know, by strategy and number of liked outfits."""
    dataset = {"name": "polyvore_u", "root": str(data), "users": 12}
    asked = {"evaluate.cold_start": {"dataset": dataset, "strategies": list(strategies)}}
    found = evaluate(one, asked)["cold_start"]["strategies"]
    return {f"{name}, {size}": one["auc"]["mean"] for name, sizes in found.items() for size, one in sizes.items()}


def main() -> None:
    """Run everything that was not run before, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS), help="methods; by default all")
    options = parser.parse_args()
    bench = Bench(options.data, options.weights, options.out)
    rows, served = [], []
    for name in options.only:
        compared = METHODS[name]
        method = compared.method()
        chosen = bench.choose(name, method)
        runs = [bench.run(method.recipe, chosen, seed) for seed in range(options.seeds)]
        results = [one.result for one in runs]
        epoch = statistics.mean(one.training["seconds"] / one.training["epochs"] for one in results)
        size = f"{results[0].parameters['total'] / 1e6:.2f} M"
        rows.append((*row(name, runs), size, f"{epoch:.2f} s"))
        found = [cold(one, compared.strategies, options.data) for one in runs]
        for strategy in compared.strategies:
            by_size = [spread([one[f"{strategy}, {size}"] for one in found]) for size in (1, 5)]
            served.append((name, strategy, *by_size))
    heads = ("method", "seeds", "valid auc", "auc", "ndcg", "fitb", "parameters", "epoch")
    table("real photos, simulated users, random negatives: per cent, mean ± deviation over seeds", heads, rows)
    title = "users unknown to the model, by strategy and number of liked outfits: test AUC"
    table(title, ("method", "strategy", "1", "5"), served)


if __name__ == "__main__":
    main()
