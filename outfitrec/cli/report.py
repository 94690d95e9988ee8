"""The report of a suite, for people and programs."""

import json
from pathlib import Path
from typing import Any

from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.text import json as as_json
from outfitrec.benchmark.report.words import legend, line_title, marks, value_text
from outfitrec.benchmark.tables import Table
from outfitrec.cli.output import show, show_table
from outfitrec.core.progress import duration


def document(report: Report) -> dict[str, Any]:
    """What ``--json`` prints: the whole report; with ``error`` where a run failed."""
    found: dict[str, Any] = json.loads(as_json(report))
    problems = [
        {
            "message": f"{entry.cell.row}, {entry.cell.column}, seed {entry.cell.seed}: {entry.error}",
            "where": "",
            "hint": "",
        }
        for entry in report.entries
        if entry.error
    ]
    return {**found, "error": {"exit_code": 1, "problems": problems}} if problems else found


def show_report(report: Report, folder: Path) -> None:
    """Print the tables, and where the page is."""
    for table in report.tables:
        show(table.title, style="bold")
        show()
        _show_table(table)
        show()
    failed = {f"{entry.cell.row}: {entry.error.splitlines()[0]}": None for entry in report.entries if entry.error}
    for text in failed:
        show(f"failed: {text}")
    facts = report.facts
    show(
        f"{facts['finished']} runs, {duration(facts['seconds'])} in all, this call {duration(facts['wall'])}: "
        f"{folder / 'report.html'}"
    )


def _show_table(table: Table) -> None:
    single = len(table.columns) == 1
    heads = [
        figure.title if single else f"{title}: {figure.title}"
        for title in table.columns.values()
        for figure in table.figures
    ]
    rows = []
    for line in table.lines:
        cells = []
        for column in table.columns:
            for figure in table.figures:
                value = line.values.get((column, figure.name))
                cells.append(f"{value_text(figure, value)}{marks(value)}" if value is not None else "")
        rows.append((line_title(line), *cells))
    show_table(("", *heads), rows, numbers=heads)
    for text in legend(table):
        show(text)
