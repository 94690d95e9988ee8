"""How the peak memory of an evaluation grows with the number of outfits that are ranked."""

import os
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.timing import table

ITEMS, USERS, DIM, SLOTS = 4500, 500, 128, 3
# Bytes of a row: a user, items and categories of an outfit (8 each), a score, and whether it is relevant.
ROW = 8 * (1 + 2 * SLOTS) + 4 + 1


def peak(rows: int) -> int:
    """Peak memory in bytes of a process that evaluates so many rows."""
    command = [sys.executable, "-m", "benchmarks.bench_evaluation", str(rows)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


def most_memory() -> int:
    """Peak memory of this process in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        # getrusage counts from the parent's memory at the fork; this, from the start of the program.
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def evaluate(rows: int) -> int:
    """Evaluate so many rows here; peak memory in bytes."""
    import torch
    from torch import Generator, nn

    from outfitrec.core.data import Catalog, Dataset, Rows, Split
    from outfitrec.core.drawn import Drawn
    from outfitrec.core.evaluation import Evaluator
    from outfitrec.core.items import TableItems
    from outfitrec.core.progress import QUIET
    from outfitrec.core.recommender import Recommender
    from outfitrec.plugins.aggregators.set_transformer import SetTransformer
    from outfitrec.plugins.encoders.features import Features
    from outfitrec.plugins.heads.item_encoder import ItemEncoder
    from outfitrec.plugins.metrics.auc import AUC
    from outfitrec.plugins.metrics.ndcg import NDCG
    from outfitrec.plugins.preferences.cosine import Cosine

    draws = torch.Generator().manual_seed(0)
    features = torch.randn(ITEMS, DIM, generator=draws)
    catalog = Catalog([str(k) for k in range(ITEMS)], torch.arange(ITEMS) % 3, ("a", "b", "c"), features=features)

    def outfits(count: int) -> Rows:
        items = torch.randint(0, ITEMS // 3, (count, SLOTS), generator=draws) * 3 + torch.arange(SLOTS)
        return Rows(torch.arange(count) % USERS, catalog.outfits(items))

    class Fixed:
        def draw(self, pairs: Rows, generator: Generator) -> Drawn:
            return Drawn(outfits(10 * len(pairs)).outfits, shared=False)

    split = Split(outfits(rows // 11))
    dataset = Dataset(catalog, USERS, {"test": split}, "none")
    encoder: nn.Module = Features(size=DIM, head=ItemEncoder(dim=DIM))
    model = Recommender(encoder, SetTransformer(dim=DIM), Cosine(dim=DIM, users=USERS)).eval()  # type: ignore[arg-type]  # a Module that is an Encoder
    evaluator = Evaluator(dataset, split, "test", Fixed(), [AUC(), NDCG()], seed=0, chunk=4096, photos=256)
    evaluator.evaluate(model, TableItems(features), torch.device("cpu"), QUIET)
    return most_memory()


def main() -> None:
    """Print the growth."""
    sizes = (110_000, 1_100_000)
    few, many = (peak(rows) for rows in sizes)
    grown = (many - few) / (sizes[1] - sizes[0])
    table(
        "peak memory of evaluation",
        ("outfits ranked", "peak, MB", "growth, bytes an outfit", "of which ids and scores"),
        [
            (f"{sizes[0]:,}", f"{few / 1e6:.0f}", "", ""),
            (f"{sizes[1]:,}", f"{many / 1e6:.0f}", f"{grown:.0f}", str(ROW)),
        ],
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(evaluate(int(sys.argv[1])))
    else:
        main()
