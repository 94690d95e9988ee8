"""From entries to tables: values over seeds, the best of each column, tests by user, and the paper's figures."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import TypeAlias

import attrs

from outfitrec.benchmark.entries import ABSENT, Entry
from outfitrec.benchmark.measures import Figure
from outfitrec.benchmark.report.words import line_title, protocol_text
from outfitrec.benchmark.settings import Suite
from outfitrec.benchmark.statistics import holm, kendall, mean_over_seeds, paired, spread
from outfitrec.benchmark.tables import Choice, Comparison, Line, Order, Spread, Table, Value

# A line: its row, and its point as text, since what is swept may be a mapping.
Key: TypeAlias = tuple[str, str]
EFFICIENCY = "efficiency"


def tables(suite: Suite, entries: Sequence[Entry], figures: Sequence[Figure]) -> tuple[Table, ...]:
    """The tables of a suite.

    Results that were evaluated by different protocols never share one: of each column, the first table has those of
    the protocol that most of its rows have, the second those of the next, and so on. A run that failed before its
    protocol was known is where the other runs of its line or row are, or else in the first table.

    Args:
        suite: The suite.
        entries: What its cells found.
        figures: The figures of the tables, in order.
    """
    titles = {name: column.title or ("" if len(suite.columns) == 1 else name) for name, column in suite.columns.items()}
    titles |= {one.cell.column: one.cell.column for one in entries if one.cell.column not in titles}
    parts = {name: _parts([one for one in entries if one.cell.column == name]) for name in titles}
    found = []
    for place in range(max(map(len, parts.values()), default=0)):
        here = {name: some[place] for name, some in parts.items() if place < len(some)}
        found.append(_table(suite, place, {name: titles[name] for name in here}, here, entries, figures))
    return tuple(found)


def _parts(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries of a column by protocol, that of most rows first."""
    known = [one for one in entries if one.protocol or not one.error]
    rows: dict[str, set[str]] = {}
    for one in known:
        rows.setdefault(one.protocol, set()).add(one.cell.row)
    ranked = sorted(rows, key=lambda protocol: -len(rows[protocol]))
    found: list[list[Entry]] = [[] for _ in ranked] or [[]]
    for one in entries:
        row = [other for other in known if other.cell.row == one.cell.row]
        line = [other for other in row if other.cell.point == one.cell.point]
        likely = [one] if one.protocol or not one.error else line or row
        found[min((ranked.index(other.protocol) for other in likely), default=0)].append(one)
    return [some for some in found if some]


def _table(
    suite: Suite,
    place: int,
    titles: Mapping[str, str],
    parts: Mapping[str, Sequence[Entry]],
    entries: Sequence[Entry],
    figures: Sequence[Figure],
) -> Table:
    """The table of one protocol a column, below ``place`` others.

    Args:
        suite: The suite.
        place: How many tables stand above it.
        titles: Titles of its columns.
        parts: Entries of its columns.
        entries: Those of all tables.
        figures: Its figures.
    """
    order = {row: index for index, row in enumerate(suite.rows)}
    cells = {_key(one): one.cell for one in entries}
    keys = sorted(cells, key=lambda key: order.get(key[0], len(order)))
    values: dict[tuple[str, str], dict[Key, Value]] = {}
    chosen: dict[str, list[Choice]] = {}
    taught: set[Key] = set()
    for name, some in parts.items():
        lines = {key: found for key in keys if (found := [one for one in some if _key(one) == key])}
        apart = [one for one in entries if one.cell.column == name and not any(one is other for other in some)]
        chosen[name] = list(_choices(suite, name, figures, lines))
        at = {one.row: (one.row, repr(one.point)) for one in chosen[name]}
        values |= {(name, figure.name): _values(suite, place, name, figure, lines, apart, at) for figure in figures}
        taught |= {key for key, found in lines.items() if suite.measure != EFFICIENCY and _one_teacher(found)}
    protocols = {name: next((one.protocol for one in some if one.protocol), "") for name, some in parts.items()}
    return Table(
        title=_title(suite, place, titles, protocols),
        columns=titles,
        figures=tuple(figures),
        lines=tuple(
            Line(
                row=key[0],
                point=cells[key].point,
                values={at: some[key] for at, some in values.items() if key in some},
                one_teacher=key in taught,
            )
            for key in keys
            if any(key in some for some in values.values())
        ),
        protocols=protocols,
        seeds=suite.seeds,
        orders=tuple(one for name in parts for one in _orders(name, figures, values, chosen[name])),
        choices=tuple(one for some in chosen.values() for one in some),
        efficiency=suite.measure == EFFICIENCY,
    )


def _key(entry: Entry) -> Key:
    return entry.cell.row, repr(entry.cell.point)


def _title(suite: Suite, place: int, titles: Mapping[str, str], protocols: Mapping[str, str]) -> str:
    title = suite.title or suite.name
    if not place:
        return title
    named = ", ".join(
        f"{titles[name]} by {protocol_text(protocol) or 'one unknown'}".lstrip() for name, protocol in protocols.items()
    )
    return f"{title}, by another protocol: {named}; not to be compared with what stands above"


def _one_teacher(entries: Sequence[Entry]) -> bool:
    finished = [one for one in entries if not one.error]
    teachers = {one.teacher for one in finished}
    return len({one.cell.seed for one in finished}) > 1 and len(teachers) == 1 and teachers != {""}


def _choices(
    suite: Suite, column: str, figures: Sequence[Figure], lines: Mapping[Key, Sequence[Entry]]
) -> Iterator[Choice]:
    """The points by which rows with several of them count: chosen on the validation split, where that is known.

    By the test split the best of many points would be better than it is, and than a row that sweeps nothing.
    """
    for row in dict.fromkeys(row for row, _ in lines):
        points = {key: some for key, some in lines.items() if key[0] == row}
        for figure in figures if len(points) > 1 else ():
            finished = {key: here for key, some in points.items() if (here := [e for e in some if _numbers(e, figure)])}
            if figure.higher is None or not finished:
                continue
            valid = {key: [_validated(one, figure) for one in some] for key, some in finished.items()}
            known = all(math.isfinite(number) for some in valid.values() for number in some)
            spreads = {key: spread(valid[key]) if known else _spread(some, figure) for key, some in finished.items()}
            best = _best(spreads, figure.higher)[0]
            split = "valid" if known else "" if suite.measure == EFFICIENCY else "test"
            yield Choice(row, column, finished[best][0].cell.point, figure.name, split)
            break


def _validated(entry: Entry, figure: Figure) -> float:
    """The validation value of a figure; of unknown users (``auc/5``) that of the users who are known (``auc``)."""
    name = figure.name if figure.name in entry.valid else figure.name.partition("/")[0]
    return entry.valid.get(name, math.nan)


def _values(
    suite: Suite,
    place: int,
    column: str,
    figure: Figure,
    lines: Mapping[Key, Sequence[Entry]],
    apart: Sequence[Entry],
    chosen: Mapping[str, Key],
) -> dict[Key, Value]:
    """The values of one figure in one column, by line; ``chosen`` is the line by which a row with several counts."""
    spreads = {key: _spread(some, figure) for key, some in lines.items()}
    best = _best(spreads, figure.higher)
    best_tests = _tests(figure, lines, {key: best[0] for key in lines if best and key not in best})
    reference_tests = _tests(figure, lines, _references(suite.reference, spreads, chosen))
    papers = suite.paper.figures if suite.paper else {}

    def value(key: Key, some: Sequence[Entry]) -> Value:
        found = spreads[key]
        paper = papers.get(key[0], {}).get(column, {}).get(figure.name)
        elsewhere = tuple(one.cell.seed for one in apart if _key(one) == key)
        # Of another protocol or machine than the paper's, a difference would say nothing of the method.
        comparable = not place and suite.measure != EFFICIENCY and all(one.papers for one in some if not one.error)
        return Value(
            spread=found,
            best=key in best,
            failed=tuple(dict.fromkeys(one.error for one in some if one.error not in ("", ABSENT))),
            missing=sum(not _numbers(one, figure) for one in some),
            absent=sum(one.error == ABSENT for one in some),
            shared=suite.measure != EFFICIENCY and len(some) + len(elsewhere) < len(suite.seeds),
            elsewhere=elsewhere,
            paper=paper,
            difference=found.mean * figure.scale - paper if found and paper is not None and comparable else None,
            best_test=best_tests.get(key),
            reference_test=reference_tests.get(key),
        )

    return {key: value(key, some) for key, some in lines.items()}


def _numbers(entry: Entry, figure: Figure) -> list[float]:
    return [] if entry.error else [one for one in entry.values.get(figure.name, ()) if math.isfinite(one)]


def _spread(entries: Sequence[Entry], figure: Figure) -> Spread | None:
    """Over seeds, of each the mean where it was measured several times; of a single one, over its measurements."""
    found = [numbers for one in entries if (numbers := _numbers(one, figure))]
    if not found:
        return None
    return spread(found[0] if len(found) == 1 else map(fmean, found))


def _best(spreads: Mapping[Key, Spread | None], higher: bool | None) -> list[Key]:
    """The lines with the best mean; several where they are alike but for rounding."""
    means = {key: one.mean for key, one in spreads.items() if one}
    if higher is None or not means:
        return []
    best = max(means.values()) if higher else min(means.values())
    return [key for key, mean in means.items() if math.isclose(mean, best, rel_tol=1e-12)]


def _references(name: str | None, spreads: Mapping[Key, Spread | None], chosen: Mapping[str, Key]) -> dict[Key, Key]:
    """Of each other line, the line of the reference: at the same point of the sweep, or else that which counts."""
    lines = [key for key in spreads if key[0] == name]
    if not lines:
        return {}
    at = {point: (row, point) for row, point in lines}
    return {key: at.get(key[1], chosen.get(lines[0][0], lines[0])) for key in spreads if key not in lines}


def _tests(figure: Figure, lines: Mapping[Key, Sequence[Entry]], against: Mapping[Key, Key]) -> dict[Key, Comparison]:
    """Comparisons of one kind: of each line with the one that it is set against, where they have users in common."""
    users = {
        key: mean_over_seeds(one.per_user.get(figure.name, {}) for one in lines[key] if not one.error)
        for key in {*against, *against.values()}
    }
    found = {key: paired(users[key], users[other]) for key, other in against.items()}
    made = {key: one for key, one in found.items() if one is not None}
    corrected = holm([one.p for one in made.values()])
    return {
        key: attrs.evolve(one, other=line_title(lines[against[key]][0].cell), holm=p)
        for (key, one), p in zip(made.items(), corrected, strict=True)
    }


def _orders(
    column: str,
    figures: Sequence[Figure],
    values: Mapping[tuple[str, str], Mapping[Key, Value]],
    choices: Sequence[Choice],
) -> Iterator[Order]:
    """The paper's order beside ours, by the first figure that the paper has of two rows or more."""
    chosen = {one.row: repr(one.point) for one in choices}
    for figure in figures:
        here = values[column, figure.name]
        paper = {key[0]: value.paper for key, value in here.items() if value.paper is not None}
        if figure.higher is None or len(paper) < 2:
            continue
        sign = 1 if figure.higher else -1
        ours = {
            row: sign * value.spread.mean
            for (row, point), value in here.items()
            if row in paper and value.spread and chosen.get(row, point) == point
        }
        papers = {row: sign * number for row, number in paper.items() if row in ours}
        if len(ours) > 1:
            theirs = sorted(ours, key=lambda row: -papers[row])
            yield Order(
                column=column,
                figure=figure.name,
                paper=tuple(theirs),
                found=tuple(sorted(theirs, key=lambda row: -ours[row])),
                agreement=kendall([papers[row] for row in theirs], [ours[row] for row in theirs]),
                swapped=tuple(
                    (one, other)
                    for one, other in combinations(theirs, 2)
                    if papers[one] > papers[other] and ours[one] < ours[other]
                ),
            )
        return
