"""Entries made by hand, and the suites that they are of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from outfitrec.benchmark.compare import tables
from outfitrec.benchmark.entries import Cell, Entry
from outfitrec.benchmark.measures import Figure, metric
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.settings import ColumnSettings, PaperSettings, RowSettings, Suite
from outfitrec.benchmark.tables import Table, Value
from outfitrec.core.settings import changed

AUC, NDCG = metric("auc"), metric("ndcg")
ALPHA = "objectives.ranking.distiller.alpha"
NASTY = r"a_b & 50 % {x} #1 τ ~^$ <|> [2] *2* `q` \d -- 'é' 中"
FACTS = {
    "command": "outfitrec bench made --jobs 2",
    "overrides": ["dataset.users=40"],
    "made": "2026-01-02T03:04:05+00:00",
    "seconds": 4500.0,
    "wall": 61.2,
    "versions": {"torch": "2.8.0"},
    "hardware": {"device": "cpu", "cores": 2},
    "finished": 17,
    "failed": 3,
}


def suite(rows: Iterable[str], columns: Iterable[str] = ("all",), **more: Any) -> Suite:
    return Suite(
        name="made",
        rows={row: RowSettings(recipe="fnd") for row in rows},
        columns={column: ColumnSettings() for column in columns},
        **more,
    )


def entry(row: str, auc: float | Sequence[float] | None = None, **more: Any) -> Entry:
    """What a cell found; ``users`` are the values of its users in place of their mean."""
    cell = Cell(row, more.pop("column", "all"), more.pop("point", ()), more.pop("seed", 0))
    users: Sequence[float] | None = more.pop("users", None)
    if users is not None:
        more["per_user"] = {"auc": dict(enumerate(users))}
        auc = sum(users) / len(users)
    if auc is not None:
        more.setdefault("values", {"auc": tuple(auc) if isinstance(auc, Sequence) else (auc,)})
    return Entry(cell=cell, **{"protocol": "" if "error" in more else "one", **more})


def table_of(suite: Suite, entries: Sequence[Entry], figures: Sequence[Figure] = (AUC,)) -> Table:
    """The only table."""
    (found,) = tables(suite, entries, figures)
    return found


def report_of(
    suite: Suite, entries: Sequence[Entry], figures: Sequence[Figure] = (AUC,), facts: Mapping[str, Any] | None = None
) -> Report:
    return Report(suite, tables(suite, entries, figures), tuple(entries), facts or {})


def values_of(table: Table, figure: str = "auc", column: str = "all") -> dict[str, Value]:
    """The values of a column, by row; of a row with a sweep, by row and point."""
    return {
        " ".join([line.row, *(str(value) for _, value in line.point)]): line.values[column, figure]
        for line in table.lines
        if (column, figure) in line.values
    }


def users(shift: float, doubt: float = 0.0) -> list[float]:
    """Values of twelve users; in doubt one is above what the other is below."""
    return [0.5 + shift + (user % 5) / 100 + doubt * (-1) ** user for user in range(12)]


def everything() -> Report:
    """A report with all that there can be: two columns, a sweep, failures, the paper, tests, and another protocol."""
    rows = {"base": 0.0, NASTY: 0.1, "best": 0.3, "broken": 0.0, "FND": 0.0}
    made = changed(
        suite(rows, ["x", "y"], reference="base", title="Everything & all", description="It *compares*."),
        columns={"x": ColumnSettings(title="Set X"), "y": ColumnSettings()},
        paper=PaperSettings(
            where="Table 2",
            figures={row: {"x": {"auc": 60.0 + place}} for place, row in enumerate(("base", "best", "FND"))},
        ),
    )
    entries: list[Entry] = []
    for row, shift in rows.items():
        points: list[Any] = [((ALPHA, 1.5),), ((ALPHA, 2),)] if row == "FND" else [()]
        for point in points:
            for column in "xy":
                for seed in range(3):
                    at: dict[str, Any] = {"column": column, "point": point, "seed": seed}
                    if row == "broken" or (row == "FND" and column == "y" and seed == 2):
                        entries.append(entry(row, error="killed by\nsignal 9", **at))
                        continue
                    here = users(shift + seed / 100)
                    if row == "FND":
                        here = users(0.299 + seed / 100, doubt=0.02) if point[0][1] == 2 else users(0.2 + seed / 100)
                    entries.append(entry(row, users=here, papers=True, warnings=("the *teacher* is weak",), **at))
    entries.append(entry("FND", 0.9, column="y", point=((ALPHA, 3),), protocol="other", chosen={"lr": 0.1}))
    return report_of(made, entries, facts=FACTS)
