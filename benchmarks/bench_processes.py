"""What two processes on two cores gain over one that is held to one thread."""

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import table
from outfitrec import run

RECIPE: dict[str, Any] = {
    "name": "processes",
    "dataset": {"name": "synthetic", "users": 12, "items": 1500, "pixels": 64, "train": 80, "valid": 4, "test": 4},
    "image": {"size": 64},
    "model": {"encoder": {"name": "alexnet", "size": "xs", "weights": "none"}},
    "train": {"epochs": 2, "batch": 64, "optimizer": {"name": "sgd", "lr": 0.01}, "accelerator": "cpu", "select": None},
    "evaluate": {"metrics": []},
}
REPEATS = 3


def pairs_per_second(devices: int, out: Path) -> float:
    """Pairs a second of the last epoch."""
    found = run(RECIPE, [f"train.devices={devices}"], out=out, force=True)
    return float(json.loads((found.directory / "metrics.jsonl").read_text().splitlines()[-1])["pairs_per_second"])


def main() -> None:
    """Print the ratio."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            speeds = [[pairs_per_second(devices, Path(folder)) for devices in (1, 2)] for _ in range(REPEATS)]
    finally:
        torch.set_num_threads(threads)
    table(
        "training on photos of 64 px, batch 64, alexnet xs, each process with one thread",
        ("ratio", "measured", "limit"),
        [("pairs/s of two processes ÷ of one", f"{statistics.median(two / one for one, two in speeds):.2f}", "≥ 1.5")],
    )


if __name__ == "__main__":
    main()
