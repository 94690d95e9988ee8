"""How what a table holds reads as text, whatever is written: values, marks, points of a sweep, protocols, times."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from outfitrec.benchmark.entries import Cell
from outfitrec.benchmark.measures import Figure
from outfitrec.benchmark.tables import Choice, Comparison, Line, Table, Value

NONE = "–"
FAILED = "failed"
UNDECIDED = "†"
PARTIAL = "‡"
SHARED = "§"
ABOVE = "▲"
BELOW = "▼"
SHOWN = 12


def value_text(figure: Figure, value: Value) -> str:
    """A value in the table's unit: ``89.91 ± 0.12``, of a single run ``89.91``, of failed runs ``failed``."""
    if value.spread is None:
        return FAILED if value.failed else NONE
    mean, deviation = value.spread.mean, value.spread.deviation
    return figure.text(mean) if deviation is None else f"{figure.text(mean)} ± {figure.text(deviation)}"


def paper_text(figure: Figure, value: Value) -> str:
    """The paper's figure; empty where it has none."""
    return "" if value.paper is None else f"{value.paper:,.{figure.digits}f}"


def difference_text(figure: Figure, value: Value) -> str:
    """Ours less the paper's, ``+0.37``; empty where the data are not the paper's."""
    return "" if value.difference is None else signed(value.difference, figure.digits)


def signed(number: float, digits: int) -> str:
    """A number with its sign: ``+0.37``, ``−0.37``."""
    return f"{number:+,.{digits}f}".replace("-", "−")


def marks(value: Value) -> str:
    """The marks of a value, as `legend` explains them."""
    found = ""
    if value.best_test and not value.best_test.significant:
        found += UNDECIDED
    if value.reference_test and value.reference_test.significant and value.reference_test.difference:
        found += ABOVE if value.reference_test.difference > 0 else BELOW
    if value.spread and (value.missing or value.elsewhere):
        found += PARTIAL
    if value.spread and value.shared:
        found += SHARED
    return found


def comparison_text(figure: Figure, comparison: Comparison) -> str:
    """A comparison in a line, in the table's unit."""
    difference, low, high = (
        signed(number * figure.scale, figure.digits)
        for number in (comparison.difference, comparison.low, comparison.high)
    )
    return (
        f"against {comparison.other}: {difference} [{low}, {high}], {p_text(comparison.p)}, "
        f"corrected {p_text(comparison.holm)}, {comparison.users} {'user' if comparison.users == 1 else 'users'}"
    )


def p_text(p: float) -> str:
    """``p = 0.034``, or ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def point_text(point: Iterable[tuple[str, Any]]) -> str:
    """A point of a sweep by the last words of its keys, ``alpha = 2``; by whole keys where these end alike."""
    point = tuple(point)
    last = [key.rpartition(".")[2] for key, _ in point]
    words = last if len(set(last)) == len(last) else [key for key, _ in point]
    return ", ".join(f"{word} = {setting_text(value)}" for word, (_, value) in zip(words, point, strict=True))


def setting_text(value: object) -> str:
    """A value of a key, as YAML has it: ``2``, ``null``, ``[erase, replace]``, ``{name: hint, weight: 10}``."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {setting_text(one)}' for key, one in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(setting_text, value))}]"
    return str(value)


def line_title(line: Line | Cell | Choice) -> str:
    """The row, and the point of its sweep where it has one: ``FND (alpha = 2)``."""
    point = point_text(line.point)
    return f"{line.row} ({point})" if point else line.row


def place(line: str, column: str) -> str:
    """A line in a column, which may have no title."""
    return f"{line}, {column}" if column else line


def heading(title: str, figure: Figure) -> str:
    """What stands above the values of a figure in a column of that title."""
    return f"{title} {figure.title}".lstrip()


def partial_text(facts: Mapping[str, Any]) -> str:
    """What a report of a part of its suite says first; empty where it has all that the suite has."""
    partial = facts.get("partial", "")
    return f"Part of the suite only ({partial}): comparisons are among these." if partial else ""


def protocol_text(protocol: str) -> str:
    """The first digits of a protocol's hash, which tell it from others."""
    return protocol[:SHOWN]


def legend(table: Table, facts: Mapping[str, Any] | None = None) -> list[str]:
    """What explains a table: its units, seeds and deviations, and the marks that occur in it.

    Args:
        table: The table.
        facts: Those of its report: what it says of all tables alike comes first.
    """
    first = partial_text(facts or {})
    values = [value for line in table.lines for value in line.values.values()]
    return [*([first] if first else []), *_legend(table, values)]


def _legend(table: Table, values: Sequence[Value]) -> Iterator[str]:
    shares = [figure.title for figure in table.figures if figure.scale == 100 and "%" not in figure.title]
    if shares:
        yield f"{', '.join(shares)}: per cent."
    if any(value.spread for value in values):
        yield _seeds(table.seeds, values)
    if any(value.best for value in values):
        yield "Bold: the best of its column."
    occurring = "".join(map(marks, values))
    against = [value.best_test for value in values if value.best_test]
    tested = [*against, *(value.reference_test for value in values if value.reference_test)]
    if UNDECIDED in occurring:
        yield f"{UNDECIDED} Not significantly different from the best."
    elif against:
        yield "All others differ significantly from the best, where users can be paired."
    for mark, word in ((ABOVE, "above"), (BELOW, "below")):
        others = (value.reference_test.other for value in values if mark in marks(value) and value.reference_test)
        if mark in occurring:
            yield f"{mark} Significantly {word} {' or '.join(dict.fromkeys(others))}."
    if PARTIAL in occurring:
        yield f"{PARTIAL} Of fewer seeds than the others."
    if SHARED in occurring:
        shared = [value.spread for value in values if value.shared and value.spread]
        single = all(len(one.values) == 1 for one in shared)
        yield f"{SHARED} Of {'a single run, whatever the seed' if single else 'runs that serve several seeds each'}."
    taught = dict.fromkeys(line.row for line in table.lines if line.one_teacher)
    if taught:
        yield f"{', '.join(taught)}: one teacher for all seeds, whose own chance the deviation leaves out."
    yield from _choices(table)
    if tested:
        users = sorted({one.users for one in tested})
        count = f"{users[0]:,}" if len(users) == 1 else f"{users[0]:,} to {users[-1]:,}"
        yield (
            f"Tests: Wilcoxon's signed-rank test, two-sided, paired by user ({count}), each user's value the mean over "
            "seeds; significant where p is below 0.05, corrected by Holm for all comparisons of its kind in the column."
        )
    if any(value.difference is not None for value in values):
        yield "Difference: ours less the paper's."
    if any(value.paper is not None and value.spread and value.difference is None for value in values):
        yield (
            "The paper's figures stand without a difference: they were measured on other hardware."
            if table.efficiency
            else "The paper's figures stand without a difference where data or evaluation are not the paper's."
        )


def _choices(table: Table) -> Iterator[str]:
    """By which points swept rows count, and who chose them."""
    told = {
        "valid": "A swept row counts by its best point on the validation split",
        "test": "A swept row without validation values counts by its best point by the test split, which favours it",
        "": "A swept row counts by its best point",
    }
    for split, text in told.items():
        points = (place(line_title(one), table.columns[one.column]) for one in table.choices if one.split == split)
        if named := "; ".join(points):
            yield f"{text}: {named}."


def _seeds(seeds: Sequence[int], values: Sequence[Value]) -> str:
    named = f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"
    if all(value.spread is None or value.spread.deviation is None for value in values):
        return f"Of {named}." if len(seeds) == 1 else f"Of {named}; no deviation where a single one has a value."
    if len(seeds) == 1:
        return f"Mean ± standard deviation over repeated measurements; {named}."
    return f"Mean ± standard deviation (of the sample) over {named}."
