"""Metrics of all users at once beside a loop over users with scikit-learn."""

import math
import statistics

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import ndcg_score, roc_auc_score
from torch import Tensor

from benchmarks.timing import in_turn, ratio, table
from outfitrec.plugins.metrics.auc import AUC
from outfitrec.plugins.metrics.ndcg import NDCG
from outfitrec.plugins.metrics.ndcg_at import NDCGAt

USERS, OUTFITS, K = 500, 400, 10
Rows = list[tuple[NDArray[np.float32], NDArray[np.bool_]]]


def auc_loop(rows: Rows) -> list[float]:
    return [roc_auc_score(relevant, scores) for scores, relevant in rows]


def ndcg_at_loop(rows: Rows) -> list[float]:
    return [ndcg_score(relevant[None], scores[None], k=K) for scores, relevant in rows]


def ndcg_loop(rows: Rows) -> list[float]:
    """The mean over ranks, as its definition reads."""
    values = []
    for scores, relevant in rows:
        ranked, best = relevant[np.argsort(-scores)].tolist(), sorted(relevant.tolist(), reverse=True)
        dcg = ideal = 0.0
        shares = []
        for k in range(1, len(ranked) + 1):
            dcg += ranked[k - 1] / math.log2(max(k, 2))
            ideal += best[k - 1] / math.log2(max(k, 2))
            shares.append(dcg / ideal)
        values.append(statistics.fmean(shares))
    return values


def difference(values: Tensor, expected: list[float]) -> float:
    """The largest one."""
    return (values - torch.tensor(expected, dtype=torch.float64)).abs().max().item()


def main() -> None:
    """Print ratios and differences."""
    # As many as scikit-learn's loop uses.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _measure()
    finally:
        torch.set_num_threads(threads)


def _measure() -> None:
    draws = torch.Generator().manual_seed(0)
    scores = torch.rand(USERS * OUTFITS, generator=draws)
    relevant = torch.arange(USERS * OUTFITS) % OUTFITS < OUTFITS // 11
    user = torch.arange(USERS).repeat_interleave(OUTFITS)
    # The loops are given the rows of each user, which the metrics have to find.
    rows = list(zip(scores.view(USERS, -1).numpy(), relevant.view(USERS, -1).numpy(), strict=True))
    lines: list[tuple[str, ...]] = []
    for metric, loop in ((AUC(), auc_loop), (NDCGAt(k=K), ndcg_at_loop)):
        seconds = in_turn({"metric": lambda: metric(scores, relevant, user), "loop": lambda: loop(rows)}, repeats=9)  # noqa: B023  # called before the next metric's turn
        drift = difference(metric(scores, relevant, user), loop(rows))
        lines.append(
            (metric.label, f"{ratio(seconds['loop'], seconds['metric']):.1f}", "≥ 15", f"{drift:.0e}", "1e-09")
        )
    drift = difference(NDCG()(scores, relevant, user), ndcg_loop(rows))
    lines.append((NDCG.label, "", "", f"{drift:.0e}", "1e-09"))
    table(
        f"metrics of {USERS} users × {OUTFITS} outfits, one thread",
        ("metric", "loop ÷ metric", "limit", "largest difference", "limit"),
        lines,
    )


if __name__ == "__main__":
    main()
