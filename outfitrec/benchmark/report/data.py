"""A report for programs: CSV, a line for each value, and JSON, with everything."""

import csv as csv_files
import json as json_texts
import math
from collections.abc import Mapping
from io import StringIO
from typing import Any

import attrs

from outfitrec.benchmark.entries import Cell
from outfitrec.benchmark.measures import Figure
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.words import point_text
from outfitrec.benchmark.tables import Choice, Comparison, Line, Table, Value

TESTS = ("other", "users", "difference", "low", "high", "p", "holm")
FIELDS = (
    *("table", "row", "point", "column", "figure", "title"),
    *("mean", "deviation", "low", "high", "n", "missing", "absent", "failed", "elsewhere", "best"),
    *(f"best_{name}" for name in TESTS),
    *(f"reference_{name}" for name in TESTS),
    *("paper", "paper_difference", "protocol"),
)
"""The columns of the CSV: numbers in the unit of the table, ``low`` and ``high`` the ends of 95 % intervals."""
FORMULAS = ("=", "+", "-", "@", "\t", "\n")
# Digits that a number in another unit keeps: those after them are of the change.
DIGITS = 12


def csv(report: Report) -> str:
    """The tables, a line for each row, point, column and figure.

    A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or the end of a line has an apostrophe before it, since
    spreadsheets would take it for a formula; a carriage return in it, at which some end the line, is a line feed.
    """
    file = StringIO()
    writer = csv_files.DictWriter(file, FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    for number, table in enumerate(report.tables, start=1):
        figures = {figure.name: figure for figure in table.figures}
        for line in table.lines:
            for (column, name), value in line.values.items():
                at = {"table": number, "row": line.row, "point": point_text(line.point), "column": column}
                told = at | _fields(table, column, figures[name], value)
                writer.writerow({field: _text(one) if isinstance(one, str) else one for field, one in told.items()})
    return file.getvalue()


def _text(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(FORMULAS) else text


def _fields(table: Table, column: str, figure: Figure, value: Value) -> dict[str, Any]:
    found = value.spread

    def number(raw: float | None) -> float | str:
        return "" if raw is None else float(f"{raw * figure.scale:.{DIGITS}g}")

    def test(kind: str, comparison: Comparison | None) -> dict[str, Any]:
        if comparison is None:
            return {}
        facts = attrs.asdict(comparison)
        return {f"{kind}_{name}": facts[name] for name in TESTS} | {
            f"{kind}_{name}": number(facts[name]) for name in ("difference", "low", "high")
        }

    return {
        "figure": figure.name,
        "title": figure.title,
        "mean": number(found.mean if found else None),
        "deviation": number(found.deviation if found else None),
        "low": number(found.low if found else None),
        "high": number(found.high if found else None),
        "n": len(found.values) if found else 0,
        "missing": value.missing,
        "absent": value.absent,
        "failed": "; ".join(value.failed),
        "elsewhere": " ".join(map(str, value.elsewhere)),
        "best": str(value.best).lower(),
        **test("best", value.best_test),
        **test("reference", value.reference_test),
        "paper": "" if value.paper is None else value.paper,
        "paper_difference": "" if value.difference is None else float(f"{value.difference:.{DIGITS}g}"),
        "protocol": table.protocols.get(column, ""),
    }


def json(report: Report) -> str:
    """Everything: the suite, how it was run, the tables, and the entries with their values by user.

    Numbers are as they were measured: a table's are ``scale`` times them, but for ``paper`` and its ``difference``,
    which are in the table's unit. What is not finite is null.
    """
    return json_texts.dumps(_plain(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: object) -> Any:
    """A value in JSON's types."""
    if isinstance(value, (Cell, Choice, Line)):
        told = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
        told["point"] = dict(value.point)
        return _plain(told | ({"values": _values(value)} if isinstance(value, Line) else {}))
    if isinstance(value, Comparison):
        return _plain(attrs.asdict(value) | {"significant": value.significant})
    kind = type(value)
    if attrs.has(kind):
        return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(kind)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _values(line: Line) -> list[Any]:
    return [{"column": column, "figure": name, **_plain(value)} for (column, name), value in line.values.items()]
