"""Learning curves: what validation said after each epoch of the runs."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from outfitrec.benchmark.entries import Entry
from outfitrec.benchmark.measures import metric
from outfitrec.benchmark.report.charts import BAND, FAINT
from outfitrec.benchmark.report.looks import Look
from outfitrec.benchmark.report.svg import INK, WIDTH, Chart, inline, style
from outfitrec.core.errors import RunError
from outfitrec.core.runs import METRICS

HEIGHT = 3.0
MARKS = 5  # marks of a line, so that its shape tells it where colours do not

Curve = list[float]


def learned(directory: Path) -> list[dict[str, float | None]]:
    """The validation metrics of a run by epoch; none where it has validated nothing.

    Raises:
        RunError: The file cannot be read, or is damaged.
    """
    path = directory / METRICS
    if not path.is_file():
        return []
    try:
        lines = [json.loads(line)["valid"] for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} cannot be read: {error}", hint="the run directory is damaged") from error
    return [line for line in lines if line]


def gather(entries: Iterable[Entry], wanted: str) -> tuple[str, dict[str, list[Curve]], list[str]]:
    """The curves of all seeds of each row.

    Args:
        entries: What runs found, of one column and one point a row.
        wanted: The metric; where the runs have not validated it, the first that they have.

    Returns:
        The metric, of each row a curve a seed (a value that is undefined is NaN), and what is wrong with damaged runs.
    """
    runs, problems = [], []
    for entry in entries:
        if entry.directory is not None and not entry.error:
            try:
                runs.append((entry.cell.row, learned(entry.directory)))
            except RunError as error:
                problems.append(error.problems[0].message)
    runs = [(row, epochs) for row, epochs in runs if epochs]
    labels = list(dict.fromkeys(label for _, epochs in runs for label in epochs[0]))
    label = wanted if wanted in labels or not labels else labels[0]
    found: dict[str, list[Curve]] = {}
    for row, epochs in runs:
        if all(label in epoch for epoch in epochs):
            values = [epoch[label] for epoch in epochs]
            found.setdefault(row, []).append([math.nan if value is None else value for value in values])
    return label, found, problems


def curves(
    label: str, found: Mapping[str, Sequence[Curve]], looks: Mapping[str, Look], column: str, name: str
) -> Chart:
    """A line for each row, mean over seeds, in a band from their least to their most; as far as all seeds went.

    Args:
        label: The metric.
        found: Of each row a curve a seed.
        looks: What rows look like.
        column: Title of the column; empty where there is one alone.
        name: Of the chart, unlike all others of the page.
    """
    figure = metric(label)
    with style():
        drawing = Drawing(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = drawing.add_subplot()
        tips = {}
        for number, (row, seeds) in enumerate(found.items()):
            columns = [[value * figure.scale for value in epoch] for epoch in zip(*seeds, strict=False)]
            epochs = range(1, len(columns) + 1)
            look = looks[row]
            if len(seeds) > 1:
                low, high = [min(one) for one in columns], [max(one) for one in columns]
                axes.fill_between(epochs, low, high, color=look.colour, alpha=BAND, linewidth=0)
            step = max(1, -(-len(columns) // MARKS))
            every = (number % step, step)
            means = [fmean(one) for one in columns]
            tips[f"tip-{number}"] = f"{row}: {means[-1]:.{figure.digits}f} after epoch {len(means)}"
            axes.plot(epochs, means, **look.line(markevery=every, markersize=4, gid=f"tip-{number}"))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.margins(x=0.02)
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{figure.title} of validation")
        axes.grid(axis="y", color=INK, alpha=FAINT, linewidth=0.6)
        title = f"{figure.title} of validation by epoch{f', {column}' if column else ''}"
        return Chart(title, inline(drawing, name, title, tips))
