"""Reports made by hand: of many methods, of sweeps, with failures, paper figures and names that break pages."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import attrs
import numpy as np
from scipy.stats import t as student

from outfitrec.benchmark.entries import Cell, Entry
from outfitrec.benchmark.measures import Figure, metric
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.settings import ColumnSettings, PaperSettings, RowSettings, Suite
from outfitrec.benchmark.tables import Choice, Comparison, Line, Order, Spread, Table, Value
from outfitrec.core.settings import changed

NASTY = "<script>alert('x')</script> & a name of $5 that is longer than any column likes"
METHODS = {
    "Type-Aware": (75.87, 57.06, 78.03, 60.33),
    "SCE-Net": (77.76, 59.83, 78.86, 61.37),
    "Bi-LSTM": (78.30, 62.30, 80.25, 65.54),
    "OutfitNet": (85.03, 72.87, 85.04, 71.96),
    "FHN": (87.15, 76.33, 87.89, 77.07),
    "LPAE-u": (87.82, 77.49, 89.19, 79.23),
    "LPAE-g": (87.05, 76.33, 89.59, 81.05),
    "BPR": (86.10, 75.10, 87.20, 76.40),
    "N-pair": (88.90, 80.10, 90.30, 82.20),
    "FND": (89.91, 82.18, 91.86, 84.74),
    "FND-CL": (90.28, 82.47, 92.30, 85.51),
}
SIZES = (3.0, 3.1, 5.2, 61.0, 2.9, 2.95, 3.2, 2.85, 2.86, 2.87, 2.88)
FIGURES = (metric("auc"), metric("ndcg"))
COLUMNS = {"630": "Polyvore-630", "519": "Polyvore-519"}
SEEDS = (0, 1, 2)
ALPHAS = (0.5, 1.0, 2.0, 4.0, 8.0)


def spread(values: Sequence[float]) -> Spread:
    mean, count = fmean(values), len(values)
    if count == 1:
        return Spread(tuple(values), mean, None, None, None)
    half = float(student.ppf(0.975, count - 1)) * stdev(values) / math.sqrt(count)
    return Spread(tuple(values), mean, stdev(values), mean - half, mean + half)


def comparison(other: str, difference: float, p: float) -> Comparison:
    return Comparison(other, 630, difference, difference - 0.004, difference + 0.004, p, min(1.0, 3 * p))


def value(
    draws: np.random.Generator, mean: float, paper: float | None = None, *, theirs: bool = False, **more: Any
) -> Value:
    """A value about a mean in per cent, over three seeds; ``theirs``: of the paper's own data."""
    found = spread([draws.normal(mean, 0.25) / 100 for _ in SEEDS])
    difference = found.mean * 100 - paper if theirs and paper is not None else None
    return Value(found, paper=paper, difference=difference, **more)


def epochs(directory: Path, draws: np.random.Generator, end: float, count: int = 30) -> Path:
    """A run directory with nothing but the metrics of its epochs."""
    directory.mkdir(parents=True)
    lines = []
    for epoch in range(1, count + 1):
        auc = end - (end - 0.5) * math.exp(-epoch / 6) + draws.normal(0, 0.004)
        lines.append(
            json.dumps({"epoch": epoch, "train": {"loss": 1 / epoch}, "valid": {"auc": auc, "ndcg": auc - 0.1}})
        )
    (directory / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return directory


def methods(folder: Path) -> Report:
    """Eleven methods on two sets of users, beside the paper; one has failed, another with one seed."""
    draws = np.random.default_rng(0)
    lines, entries = [], []
    names = dict.fromkeys(METHODS)
    for index, row in enumerate(names):
        values = {}
        for place, column in enumerate(COLUMNS):
            for one, figure in enumerate(FIGURES):
                paper = METHODS[row][2 * place + one]
                more: dict[str, Any] = {"best": row == "FND-CL"}
                if row != "FND-CL":
                    p = 0.4 if row == "FND" else 0.0001
                    more["best_test"] = comparison("FND-CL", paper / 100 - 0.9028, p)
                if row not in ("N-pair", "Type-Aware"):
                    above = 0.013 if row.startswith("FND") else -0.02
                    more["reference_test"] = comparison("N-pair", above, 0.001)
                if row == "OutfitNet" and column == "519":
                    values[column, figure.name] = Value(
                        None, failed=("CUDA out of memory: tried to allocate 2.00 GiB",), missing=3, paper=paper
                    )
                    continue
                if row == "FHN":
                    more |= {"failed": ("killed by signal 9",), "missing": 1}
                here = 87.9 if (row, column) == ("FHN", "630") and one == 0 else paper + draws.normal(0, 0.3)
                values[column, figure.name] = value(draws, here, paper, theirs=column == "630", **more)
            for seed in SEEDS:
                failed = row == "OutfitNet" and column == "519"
                directory = folder / f"{index}-{column}-{seed}"
                if not failed:
                    epochs(directory, draws, METHODS[row][2 * place] / 100)
                entries.append(
                    Entry(
                        cell=Cell(row, column, (), seed),
                        directory=None if failed else directory,
                        error="CUDA out of memory: tried to allocate 2.00 GiB" if failed else "",
                        values={} if failed else {"auc": (METHODS[row][2 * place] / 100,)},
                        parameters=round(SIZES[index] * 1e6),
                        warnings=("no negative had a weight below 0 in 3 epochs",) if row == "FND" else (),
                        chosen={"train.optimizer.lr": 0.0123} if row == "LPAE-u" else {},
                    )
                )
        lines.append(Line(row, (), values))
    ordered = sorted(METHODS, key=lambda row: -METHODS[row][0])
    found = list(ordered)
    at = found.index("FHN")
    found[at - 1], found[at] = found[at], found[at - 1]
    order = Order("630", "auc", tuple(ordered), tuple(found), 0.96, ((ordered[at - 1], "FHN"),))
    table = Table(
        title="Test split",
        columns=COLUMNS,
        figures=FIGURES,
        lines=tuple(lines),
        protocols={"630": "3f2a9c0d1e2b4c5d", "519": "a81c77d2e9f04b6a"},
        seeds=SEEDS,
        orders=(order,),
    )
    suite = Suite(
        name="table2",
        title="Personalised outfit recommendation: eleven methods",
        description="Each method is trained on the same outfits and ranks every user's test outfits among ten random "
        "negatives each. Hyper-parameters are those of the recipes; the teacher of FND is the same for all students.",
        seeds=SEEDS,
        reference="N-pair",
        columns={key: ColumnSettings(title=title) for key, title in COLUMNS.items()},
        rows={row: RowSettings(recipe="fnd") for row in names},
        paper=PaperSettings(where="Table 2"),
    )
    return Report(suite, (table,), tuple(entries), facts())


def swept(folder: Path) -> Report:
    """Two rows over five values of alpha, and two that sweep nothing, one of them with a name that breaks pages."""
    draws = np.random.default_rng(1)
    key = "objectives.ranking.distiller.alpha"
    lines, entries = [], []
    for row, base in (("FND", 88.5), ("FND-CL", 89.1)):
        for alpha in ALPHAS:
            mean = base + 1.5 - 0.5 * (math.log2(alpha) - 1) ** 2
            lines.append(Line(row, ((key, alpha),), _cells(draws, mean)))
            for seed in SEEDS:
                directory = epochs(folder / f"{row}-{alpha}-{seed}", draws, mean / 100, 12)
                entries.append(Entry(cell=Cell(row, "all", ((key, alpha),), seed), directory=directory))
    for row, mean in (("N-pair", 89.0), (NASTY, 87.0)):
        lines.append(Line(row, (), _cells(draws, mean)))
        entries += [Entry(cell=Cell(row, "all", (), seed), error=f"{NASTY} failed") for seed in SEEDS]
    # Of FND not the point of the best test value.
    choices = [Choice(row, "all", ((key, alpha),), "auc", "valid") for row, alpha in (("FND", 4.0), ("FND-CL", 2.0))]
    table = Table("", {"all": ""}, FIGURES, tuple(lines), {"all": "77ab"}, SEEDS, choices=tuple(choices))
    rows = {row: RowSettings(recipe="fnd") for row in ("FND", "FND-CL", "N-pair", NASTY)}
    suite = Suite(name="figure4", title=f"Quality by alpha {NASTY}", columns={"all": ColumnSettings()}, rows=rows)
    return Report(suite, (table,), tuple(entries), {})


def costs() -> Report:
    """What models cost, in seven figures of two columns: a wide table, with no seed that differs from another."""
    from outfitrec.benchmark.measures import EFFICIENCY

    draws = np.random.default_rng(2)
    lines = []
    for row, size in (("teacher", 65.99e6), ("student M", 28.1e6), ("student S", 13.88e6), ("student XS", 2.85e6)):
        values = {}
        for column in COLUMNS:
            for figure in EFFICIENCY:
                worth = size if figure.name == "parameters" else draws.uniform(0.5, 0.9) / figure.scale * 30
                repeated = figure.name.endswith("seconds")
                draw = [worth * draws.uniform(0.98, 1.02) for _ in range(3 if repeated else 1)]
                values[column, figure.name] = Value(spread(draw), best=row == "student XS")
        lines.append(Line(row, (), values))
    table = Table("", COLUMNS, EFFICIENCY, tuple(lines), dict.fromkeys(COLUMNS, ""), (0,), efficiency=True)
    rows = {line.row: RowSettings(recipe="fnd") for line in lines}
    columns = {key: ColumnSettings(title=title) for key, title in COLUMNS.items()}
    suite = Suite(name="table5", title="What models cost", measure="efficiency", seeds=(0,), columns=columns, rows=rows)
    return Report(suite, (table,), (), facts())


def with_runs(report: Report, runs: Mapping[str, Path], **changes: Any) -> Report:
    """A report whose entries are finished runs in these directories, by row; ``changes`` are of its suite."""
    column = next(iter(report.suite.columns))
    entries = tuple(Entry(cell=Cell(row, column, (), 0), directory=path) for row, path in runs.items())
    rows = {**report.suite.rows, **{row: RowSettings(recipe="quickstart") for row in runs}}
    return attrs.evolve(report, suite=changed(report.suite, rows=rows, **changes), entries=entries)


def facts() -> dict[str, Any]:
    return {
        "command": "outfitrec bench table2 dataset.root=/data/polyvore --jobs 2",
        "overrides": ["dataset.root=/data/polyvore"],
        "made": "2026-11-21T15:23:41+00:00",
        "seconds": 43_512.4,
        "wall": 21_870.0,
        "versions": {"outfitrec": "0.1.0", "python": "3.11.7", "torch": "2.8.0"},
        "hardware": {"device": "cuda", "name": "NVIDIA H100", "cores": 16, "threads": 8, "precision": 32},
        "finished": 63,
        "failed": 3,
    }


def _cells(draws: np.random.Generator, mean: float) -> dict[tuple[str, str], Value]:
    return {("all", figure.name): value(draws, mean - 8 * place) for place, figure in enumerate(FIGURES)}


def figures(reports: Iterable[Report]) -> list[Figure]:
    return [figure for report in reports for table in report.tables for figure in table.figures]
