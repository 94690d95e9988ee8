"""Which charts a page has, and what explains them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from outfitrec.benchmark.entries import Entry
from outfitrec.benchmark.measures import Figure
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.charts import dots, sizes, sweeps, swept
from outfitrec.benchmark.report.curves import curves, gather
from outfitrec.benchmark.report.looks import Look, keys, looks
from outfitrec.benchmark.report.parts import counted
from outfitrec.benchmark.report.svg import Chart
from outfitrec.benchmark.tables import Table

DOTS = (
    "A mark is a mean, the small dots below it are the values that it is of, and the bar is its 95 % interval. Scales "
    "do not begin at zero."
)
PAPER = " An upright stroke is the paper's figure, where the data are its own."
SWEEPS = "Means over seeds, in bands of their 95 % intervals. Dashed: rows that sweep nothing."
SIZES = "The mean over seeds with its 95 % interval, against the number of parameters."
CURVES = "The mean over seeds, in a band from the least to the most of them, as far as all seeds went."

Group = dict[str, Any]


def groups(report: Report) -> Iterator[Group]:
    """The charts of each table, and the learning curves.

    Each has a ``title``, a ``text`` that explains it, the ``keys`` of a legend, ``charts``, and ``problems``.
    """
    known = looks(report.suite.rows)
    for number, table in enumerate(report.tables):
        where = f": {table.title}" if len(report.tables) > 1 else ""
        sweeping = swept(table)
        for place, key in enumerate(sweeping):
            yield _sweeps(table, key, known, f"sweep-{number}-{place}", where)
        if not sweeping:
            yield _dots(table, known, f"dots-{number}", where)
        if report.suite.measure != "efficiency":
            yield _sizes(table, report.entries, known, f"size-{number}", where)
    yield _curves(report, known)


def _group(title: str, text: str, charts: Iterable[Chart | None], legend: list[tuple[str, str]]) -> Group:
    return {"title": title, "text": text, "keys": legend, "charts": [one for one in charts if one], "problems": []}


def _dots(table: Table, known: dict[str, Look], name: str, where: str) -> Group:
    # The first figure, and those that have intervals: the rest is read in the table.
    figures = [one for one in table.figures if one == table.figures[0] or _spread(table, one)]
    places = [(column, figure) for figure in figures for column in table.columns]
    charts = [dots(table, figure, column, known, f"{name}-{index}") for index, (column, figure) in enumerate(places)]
    compared = any(value.difference is not None for line in table.lines for value in line.values.values())
    return _group(f"Values and their intervals{where}", DOTS + (PAPER if compared else ""), charts, [])


def _spread(table: Table, figure: Figure) -> bool:
    """Whether a figure has an interval anywhere."""
    values = [value for line in table.lines for (_, name), value in line.values.items() if name == figure.name]
    return any(value.spread and value.spread.low is not None for value in values)


def _sweeps(table: Table, key: str, known: dict[str, Look], name: str, where: str) -> Group:
    shown: dict[str, Look] = {}
    charts = []
    for index, (figure, column) in enumerate((figure, column) for figure in table.figures for column in table.columns):
        found = sweeps(table, figure, column, key, known, f"{name}-{index}")
        if found:
            charts.append(found[0])
            shown |= found[1]
    return _group(f"By {key.rpartition('.')[2]}{where}", SWEEPS, charts, keys(shown, f"{name}-key"))


def _sizes(table: Table, entries: Iterable[Entry], known: dict[str, Look], name: str, where: str) -> Group:
    entries = tuple(entries)
    charts = [
        sizes(table, entries, table.figures[0], column, known, f"{name}-{index}")
        for index, column in enumerate(table.columns)
    ]
    return _group(f"Quality by size{where}", SIZES, charts, [])


def _curves(report: Report, known: dict[str, Look]) -> Group:
    charts: list[Chart] = []
    problems: list[str] = []
    shown: dict[str, Look] = {}
    told: set[frozenset[Path]] = set()
    first = report.tables[0].figures[0].name if report.tables else ""
    swept_rows: set[str] = set()
    columns = list(dict.fromkeys(entry.cell.column for entry in report.entries))
    for index, column in enumerate(columns):
        points = counted(report, column)
        swept_rows |= set(points)
        here = [one for one in report.entries if one.cell.column == column]
        entries = [one for one in here if one.cell.point == points.get(one.cell.row, one.cell.point)]
        directories = frozenset(one.directory for one in entries if isinstance(one.directory, Path))
        # Columns that look at the same runs learned the same.
        if directories in told:
            continue
        told.add(directories)
        label, found, damaged = gather(entries, first.partition("/")[0])
        problems += damaged
        if any(len(curve) > 1 for seeds in found.values() for curve in seeds):
            settings = report.suite.columns.get(column)
            title = (settings.title if settings else None) or column
            charts.append(curves(label, found, known, title if len(columns) > 1 else "", f"curves-{index}"))
            shown |= {row: known[row] for row in found}
    text = CURVES
    if swept_rows:
        text += f" Of {', '.join(sorted(swept_rows))}: at the best point of the sweep."
    return {**_group("Learning curves", text, charts, keys(shown, "curves-key")), "problems": problems}
