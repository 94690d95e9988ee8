"""The parts of a report that read the same whatever is written: heads, failures, orders, and how it came about."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

from outfitrec.benchmark.measures import Figure
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.words import (
    difference_text,
    line_title,
    marks,
    paper_text,
    place,
    setting_text,
    value_text,
)
from outfitrec.benchmark.tables import Order, Table, Value
from outfitrec.core.progress import duration


@attrs.frozen
class Head:
    """What stands above one column of numbers.

    Attributes:
        column: The suite's column.
        figure: The figure.
        shows: Our values, the paper's, or the difference of the two.
    """

    column: str
    figure: Figure
    shows: Literal["value", "paper", "difference"] = "value"

    @property
    def title(self) -> str:
        """What it is called beside the others of its column."""
        return self.figure.title if self.shows == "value" else self.shows

    def text(self, values: Mapping[tuple[str, str], Value]) -> str:
        """The number of a line, without marks; empty where there is none."""
        value = values.get((self.column, self.figure.name))
        if value is None:
            return ""
        return {"value": value_text, "paper": paper_text, "difference": difference_text}[self.shows](self.figure, value)

    def best(self, values: Mapping[tuple[str, str], Value]) -> bool:
        """Whether a line is the best here."""
        value = values.get((self.column, self.figure.name))
        return self.shows == "value" and value is not None and value.best

    def marks(self, values: Mapping[tuple[str, str], Value]) -> str:
        """The marks of a line."""
        value = values.get((self.column, self.figure.name))
        return marks(value) if self.shows == "value" and value is not None else ""


def heads(table: Table) -> list[Head]:
    """The columns of numbers; the paper's figures and differences only where there are any."""
    found = []
    for column in table.columns:
        for figure in table.figures:
            values = [line.values[column, figure.name] for line in table.lines if (column, figure.name) in line.values]
            found.append(Head(column, figure))
            if any(value.paper is not None for value in values):
                found.append(Head(column, figure, "paper"))
            if any(value.difference is not None for value in values):
                found.append(Head(column, figure, "difference"))
    return found


def failures(table: Table) -> list[str]:
    """Where runs of a table have no value, and why."""
    return list(_failures(table))


def _failures(table: Table) -> Iterator[str]:
    for line in table.lines:
        for column, title in table.columns.items():
            here = [(figure, line.values.get((column, figure.name))) for figure in table.figures]
            lacking = {figure.title: value for figure, value in here if value and value.missing > value.absent}
            where = place(line_title(line), title)
            if lacking:
                most = max(value.missing - value.absent for value in lacking.values())
                of = "" if len(lacking) == len(here) else f" of {', '.join(lacking)}"
                reasons = dict.fromkeys(flat(one) for value in lacking.values() for one in value.failed)
                text = f"{where}: {most} {'run has' if most == 1 else 'runs have'} no value{of}"
                yield f"{text}: {'; '.join(reasons).rstrip('.')}." if reasons else f"{text}."
            for seed in dict.fromkeys(seed for _, value in here if value for seed in value.elsewhere):
                yield f"{where}: seed {seed} was evaluated by another protocol, and is in another table."


def absent(table: Table) -> str:
    """Which runs of a table are still to be made; empty where none is."""
    found = [
        f"{place(line_title(line), title)} ({most} {'run' if most == 1 else 'runs'})"
        for line in table.lines
        for column, title in table.columns.items()
        if (most := max((value.absent for (name, _), value in line.values.items() if name == column), default=0))
    ]
    return f"Not run yet: {'; '.join(found)}." if found else ""


def counted(report: Report, column: str) -> dict[str, tuple[tuple[str, Any], ...]]:
    """Of each row with a sweep the point by which it counts in a column: that of the first table that has one."""
    # The first overwrites those after it.
    return {one.row: one.point for table in reversed(report.tables) for one in table.choices if one.column == column}


def agreement_text(order: Order) -> str:
    """How far our order is the paper's."""
    agreement = "" if order.agreement is None else f"Kendall's τ {order.agreement:.2f}. "
    if not order.swapped:
        return f"{agreement}No pair stands the other way round."
    pairs = ", ".join(f"{one} > {other}" for one, other in order.swapped)
    return f"{agreement}The other way round than in the paper, which has {pairs}."


def warnings(report: Report) -> list[str]:
    """What the user should know of, each thing once, with the lines that it is about."""
    found: dict[str, dict[str, None]] = {}
    for entry in report.entries:
        for text in entry.warnings:
            found.setdefault(flat(text), {})[line_title(entry.cell)] = None
    return [f"{', '.join(lines)}: {text}" for text, lines in found.items()]


def chosen(report: Report) -> list[str]:
    """The keys that a search chose, by line and column."""
    titles = {name: title for table in report.tables for name, title in table.columns.items()}
    found = {
        f"{place(line_title(entry.cell), titles.get(entry.cell.column, ''))}: {_settings(entry.chosen)}": None
        for entry in report.entries
        if entry.chosen
    }
    return list(found)


def facts(report: Report) -> dict[str, str]:
    """How the report came about, by what is told."""
    known = report.facts
    runs = f"{known.get('finished', 0):,} finished, {known.get('failed', 0):,} failed"
    if known.get("missing"):
        runs += f", {known['missing']:,} not run yet"
    found = {
        "made": str(known.get("made", "")),
        "runs": runs if "finished" in known or "failed" in known else "",
        "time of all runs": duration(known["seconds"]) if "seconds" in known else "",
        "time of this call": duration(known["wall"]) if "wall" in known else "",
        "overrides": _listed(known.get("overrides")),
        "versions": _listed(known.get("versions"), between=" "),
        "hardware": _listed(known.get("hardware"), between=" "),
    }
    return {name: text for name, text in found.items() if text}


def flat(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())


def _settings(values: Mapping[str, Any], between: str = " = ") -> str:
    return ", ".join(f"{key}{between}{setting_text(value)}" for key, value in values.items())


def _listed(values: object, between: str = "=") -> str:
    if isinstance(values, Mapping):
        return _settings(values, between)
    return ", ".join(map(str, values)) if isinstance(values, (list, tuple)) else ""
