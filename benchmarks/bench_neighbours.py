"""Time and memory of finding similar items, by faiss and by torch, on one thread and on two.

Of a part of the items; of as many as the paper's larger dataset has:

    python -m benchmarks.bench_neighbours 200000
"""

import os
import subprocess
import sys
import time

from benchmarks.bench_evaluation import most_memory
from benchmarks.timing import table

ITEMS, SIZE, CATEGORIES, COUNT = 20_000, 128, 3, 10
SEARCHES = ("by_faiss", "by_products")


def measured(items: int, search: str, threads: int) -> tuple[float, int]:
    """Seconds and bytes of a process that finds similar items."""
    command = [sys.executable, "-m", "benchmarks.bench_neighbours", str(items), search]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()
    return float(seconds), int(memory)


def find(items: int, search: str) -> tuple[float, int]:
    """Find similar items here; seconds, and what it added to the peak memory, in bytes."""
    import torch

    from outfitrec.core import nearest

    features = torch.randn(items, SIZE, generator=torch.Generator().manual_seed(0))
    category = torch.arange(items) % CATEGORIES
    how = getattr(nearest, search)
    # What is loaded and started once, such as the threads of a product.
    nearest.nearest(features, category, torch.arange(1000), COUNT, search=how)
    before, began = most_memory(), time.perf_counter()
    nearest.nearest(features, category, torch.arange(items), COUNT, search=how)
    return time.perf_counter() - began, most_memory() - before


def main(items: int = ITEMS) -> None:
    """Print times and memory."""
    from outfitrec.core.nearest import has_faiss

    rows: list[tuple[str, ...]] = []
    for search in SEARCHES:
        if search == "by_faiss" and not has_faiss():
            rows.append((search, "", "", "not installed"))
            continue
        for threads in (1, 2):
            seconds, memory = measured(items, search, threads)
            rows.append((search, str(threads), f"{seconds:.1f}", f"{memory / 1e6:.0f}"))
    table(
        f"{COUNT} nearest of {items:,} items, {SIZE} features, {CATEGORIES} categories",
        ("search", "threads", "seconds", "added to the peak, MB"),
        rows,
    )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(*find(int(sys.argv[1]), sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
