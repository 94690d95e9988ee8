"""The report as one page of HTML that needs nothing else: no network, no scripts."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs

from outfitrec.benchmark.entries import ABSENT, Entry
from outfitrec.benchmark.measures import Figure
from outfitrec.benchmark.report import Report, parts, words
from outfitrec.benchmark.tables import Comparison, Line, Order, Spread, Table, Value
from outfitrec.core.errors import OutfitrecError
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.runs import Run

TEMPLATE = "page.html"
UPRIGHT = 7  # columns of numbers that an upright sheet of paper has room for


def html(report: Report, progress: Progress = QUIET) -> str:
    """The page.

    What a picture needs (a run's model, data, photos) may be gone: its section then says so.

    Args:
        report: What was found.
        progress: Told how it goes.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("outfitrec.benchmark.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        suite=report.suite,
        facts=_told(report),
        tables=[_table(table, number, report.facts) for number, table in enumerate(report.tables)],
        charts=_charts(report),
        sections=_sections(report, progress),
        chosen=parts.chosen(report),
        warnings=parts.warnings(report),
    )


@attrs.frozen
class Place:
    """A place of a table, in words.

    Attributes:
        mean: The mean; or why there is none.
        deviation: Its deviation over seeds; empty of a single one.
        marks: Its marks, which the legend explains.
        best: Whether it is the best.
        tip: The rest.
        paper: The paper's figure.
        difference: Ours less the paper's.
        failed: How many runs failed, in words.
    """

    mean: str
    deviation: str = ""
    marks: str = ""
    best: bool = False
    tip: str = ""
    paper: str = ""
    difference: str = ""
    failed: str = ""


def _table(table: Table, number: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    heads = [(column, figure) for column in table.columns for figure in table.figures]
    lines = [
        (words.line_title(line), [_place(figure, line.values.get((column, figure.name))) for column, figure in heads])
        for line in table.lines
    ]
    return {
        "id": f"table-{number}",
        "title": table.title,
        "columns": list(table.columns.values()),
        "wide": len(heads) > UPRIGHT,
        "figures": [(figure.title, {True: "↑", False: "↓", None: ""}[figure.higher]) for figure in table.figures],
        "lines": lines,
        "marks": max((len(place.marks) for _, places in lines for place in places), default=0),
        "legend": words.legend(table, facts),
        "protocols": _protocols(table),
        "failures": parts.failures(table),
        "absent": parts.absent(table),
        "spreads": list(_values(table, heads)),
        "comparisons": list(_comparisons(table, heads)),
        "orders": [_order(table, order, f"order-{number}-{place}") for place, order in enumerate(table.orders)],
    }


def _place(figure: Figure, value: Value | None) -> Place:
    if value is None:
        return Place(words.NONE)
    paper, difference = words.paper_text(figure, value), words.difference_text(figure, value)
    if value.spread is None:
        mean = "" if value.failed else words.NONE
        return Place(mean, paper=paper, failed=words.FAILED if value.failed else "", tip="\n".join(value.failed))
    spread, tips = value.spread, []
    if interval := _interval(figure, spread):
        tips.append(f"95 % interval of the mean: {interval}")
    if len(spread.values) > 1:
        tips.append(f"values: {', '.join(map(figure.text, spread.values))}")
    tips += [words.comparison_text(figure, one) for one in (value.best_test, value.reference_test) if one]
    tips += [f"failed: {reason}" for reason in value.failed]
    return Place(
        mean=figure.text(spread.mean),
        deviation="" if spread.deviation is None else f"± {figure.text(spread.deviation)}",
        marks=words.marks(value),
        best=value.best,
        tip="\n".join(tips),
        paper=paper,
        difference=difference,
        failed=f"{value.missing - value.absent} failed" if value.failed else "",
    )


def _protocols(table: Table) -> list[tuple[str, str]]:
    """Titles of columns with their protocol; one for all where it is the same."""
    found = {column: words.protocol_text(one) for column, one in table.protocols.items() if one}
    if len(set(found.values())) == 1:
        return [("", next(iter(found.values())))]
    return [(table.columns[column], one) for column, one in found.items()]


def _values(table: Table, heads: list[tuple[str, Figure]]) -> Iterator[dict[str, str]]:
    for column, figure in heads:
        for line in table.lines:
            value = line.values.get((column, figure.name))
            if value and value.spread:
                spread = value.spread
                yield {
                    "line": words.line_title(line),
                    "figure": words.heading(table.columns[column], figure),
                    "mean": figure.text(spread.mean),
                    "deviation": "" if spread.deviation is None else figure.text(spread.deviation),
                    "interval": _interval(figure, spread),
                    "each": ", ".join(map(figure.text, spread.values)),
                }


def _interval(figure: Figure, spread: Spread) -> str:
    if spread.low is None or spread.high is None:
        return ""
    return f"{figure.text(spread.low)} to {figure.text(spread.high)}"


def _comparisons(table: Table, heads: list[tuple[str, Figure]]) -> Iterator[dict[str, Any]]:
    for column, figure in heads:
        for line in table.lines:
            value = line.values.get((column, figure.name))
            for one in (value.best_test, value.reference_test) if value else ():
                if one:
                    yield _compared(line, words.heading(table.columns[column], figure), figure, one)


def _compared(line: Line, what: str, figure: Figure, one: Comparison) -> dict[str, Any]:
    difference, low, high = (
        words.signed(number * figure.scale, figure.digits) for number in (one.difference, one.low, one.high)
    )
    return {
        "figure": what,
        "line": words.line_title(line),
        "other": one.other,
        "users": f"{one.users:,}",
        "difference": difference,
        "interval": f"{low} to {high}",
        "p": _p(one.p),
        "holm": _p(one.holm),
        "significant": one.significant,
    }


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _order(table: Table, order: Order, name: str) -> dict[str, Any]:
    from outfitrec.benchmark.report.charts import slopes

    figure = next(one for one in table.figures if one.name == order.figure)
    count = len(order.paper)
    return {
        "chart": slopes(table, order, figure, name),
        "agreement": "" if order.agreement is None else f"{order.agreement:.2f}".replace("-", "−"),
        "swapped": order.swapped,
        "pairs": count * (count - 1) // 2,
    }


def _charts(report: Report) -> list[dict[str, Any]]:
    """Groups of charts: title, explanation, legend and charts."""
    from outfitrec.benchmark.report import overview

    return [group for group in overview.groups(report) if group["charts"] or group["problems"]]


def _sections(report: Report, progress: Progress) -> dict[str, Any]:
    """The parts that open runs: what there is to show, and what is missing."""
    from outfitrec.benchmark.report.pictures import false_negatives, recommended
    from outfitrec.benchmark.report.space import space

    suite = report.suite
    wanted: list[tuple[str, str, Callable[[Run, Progress], dict[str, Any]]]] = []
    if suite.space:
        wanted.append(("space", suite.space, space))
    wanted += [("pictures", row, recommended) for row in suite.pictures]
    if suite.false_negatives:
        wanted.append(("false_negatives", suite.false_negatives, false_negatives))
    found: dict[str, Any] = {"space": [], "pictures": [], "false_negatives": []}
    with progress.task("opening runs for pictures", len(wanted), "pictures") as advance:
        for section, row, make in wanted:
            entry = _first(report, row)
            title = words.line_title(entry.cell) if entry else row
            found[section].append({"row": title, **_attempt(entry, make, progress)})
            advance(1)
    return {**found, "people": _people(found["pictures"])}


def _attempt(
    entry: Entry | None, make: Callable[[Run, Progress], dict[str, Any]], progress: Progress
) -> dict[str, Any]:
    """What is made of an entry's run, with that run's data; or the problem."""
    if entry is None:
        return {"problem": "none of its runs is finished"}
    title = words.line_title(entry.cell)
    try:
        run = entry.run
        if run is None:
            return {"problem": entry.error}
        return {
            "problem": "",
            "data": run.manifest["data"],
            "seed": entry.cell.seed,
            "asked": f"the teacher of {title}" if run.teacher else title,
            **make(run, progress),
        }
    except OutfitrecError as error:
        return {"problem": "; ".join(problem.message for problem in error.problems)}
    except Exception as error:
        # A run's components may raise anything, and the rest of the page is none of their business.
        return {"problem": f"{type(error).__name__}: {error}"}


def _first(report: Report, row: str) -> Entry | None:
    """A row's finished run of the first column, the point by which it counts, and the first seed that there are."""
    columns = list(report.suite.columns)
    seeds = report.suite.seeds
    found = [one for one in report.entries if one.cell.row == row and not one.error and one.directory is not None]
    points = {column: parts.counted(report, column).get(row) for column in columns}

    def rank(entry: Entry) -> tuple[int, bool, int]:
        cell = entry.cell
        column = columns.index(cell.column) if cell.column in columns else len(columns)
        apart = points.get(cell.column) not in (None, cell.point)
        return column, apart, seeds.index(cell.seed) if cell.seed in seeds else len(seeds)

    return min(found, key=rank, default=None)


def _people(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pictures of several rows by user; rows of other data than the first are left out, and say so."""
    people: dict[int, dict[str, Any]] = {}
    first = next((one for one in shown if not one["problem"]), None)
    for one in shown:
        if first and not one["problem"] and one["data"] != first["data"]:
            one["problem"] = f"its data are others than those of {first['row']}"
        for person in () if one["problem"] else one["people"]:
            known = people.setdefault(person["user"], {**person, "rows": []})
            right = sum(picture["right"] for picture in person["first"])
            known["rows"].append({"row": one["row"], "pictures": person["first"], "right": right})
    return list(people.values())


def _told(report: Report) -> dict[str, Any]:
    """What stands in the head: counts, and the rest of how the report came about."""
    facts, rest = report.facts, parts.facts(report)
    made = facts.get("made")
    runs = [rest.pop(name, "") for name in ("made", "runs")]
    return {
        "command": facts.get("command", ""),
        "made": datetime.fromisoformat(made).strftime("%Y-%m-%d, %H:%M UTC") if made else runs[0],
        "seconds": rest.pop("time of all runs", ""),
        "finished": facts.get("finished", sum(not one.error for one in report.entries)),
        "failed": facts.get("failed", sum(one.error not in ("", ABSENT) for one in report.entries)),
        "missing": facts.get("missing", sum(one.error == ABSENT for one in report.entries)),
        "partial": words.partial_text(facts),
        "rest": rest,
    }
