r"""Tables in LaTeX, to be read into a paper by ``\input``."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import attrs

from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.parts import Head, absent, failures, flat, heads
from outfitrec.benchmark.report.tex import MATHS, escaped
from outfitrec.benchmark.report.words import legend, line_title, place
from outfitrec.benchmark.tables import Table, Value


@attrs.frozen
class _Column:
    """A column of numbers; where some are marked the marks have a column of their own, so that numbers stay in line."""

    head: Head
    marked: bool

    @property
    def width(self) -> int:
        return 1 + self.marked

    @property
    def form(self) -> str:
        return "r@{}l" if self.marked else "r"

    @property
    def title(self) -> str:
        return rf"\multicolumn{{2}}{{c}}{{{escaped(self.head.title)}}}" if self.marked else escaped(self.head.title)

    def cell(self, values: Mapping[tuple[str, str], Value]) -> str:
        text = escaped(self.head.text(values))
        if self.head.best(values):
            text = rf"\textbf{{{text}}}"
        marks = "".join(f"\\{MATHS[mark]}" for mark in self.head.marks(values))
        return f"{text} & {f'$^{{{marks}}}$' if marks else ''}" if self.marked else text


def latex(report: Report) -> str:
    r"""A ``table`` for each table of a report, in rules of booktabs, with what explains it below."""
    return "\n\n".join("\n".join(_lines(report, table)) for table in report.tables) + "\n"


def _lines(report: Report, table: Table) -> Iterator[str]:
    columns = [_Column(head, any(head.marks(line.values) for line in table.lines)) for head in heads(table)]
    yield r"% Needs \usepackage{booktabs}."
    for column, protocol in table.protocols.items():
        if protocol:
            yield f"% Protocol: {flat(place(protocol, table.columns[column]))}"
    yield r"\begin{table}"
    yield r"\centering"
    yield rf"\caption{{{escaped(table.title)}}}"
    yield rf"\begin{{tabular}}{{l{''.join(column.form for column in columns)}}}"
    yield r"\toprule"
    if any(table.columns.values()):
        yield from _titles(table, columns)
    yield _row(["method", *(column.title for column in columns)])
    yield r"\midrule"
    for line in table.lines:
        yield _row([escaped(line_title(line)), *(column.cell(line.values) for column in columns)])
    yield r"\bottomrule"
    yield r"\end{tabular}"
    notes = [*legend(table, report.facts), *failures(table), *filter(None, [absent(table)])]
    if report.suite.paper and report.suite.paper.where and any(column.head.shows == "paper" for column in columns):
        notes.append(f"Paper: {report.suite.paper.where}.")
    if notes:
        yield r"\par\medskip"
        yield r"\parbox{\linewidth}{\footnotesize"
        yield from map(escaped, notes)
        yield "}"
    yield r"\end{table}"


def _titles(table: Table, columns: Sequence[_Column]) -> Iterator[str]:
    """The titles of the suite's columns, each above all that is in it."""
    cells, rules, at = [""], [], 2
    for name, some in groupby(columns, key=lambda column: column.head.column):
        width = sum(column.width for column in some)
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(table.columns[name])}}}")
        rules.append(rf"\cmidrule(lr){{{at}-{at + width - 1}}}")
        at += width
    yield _row(cells)
    yield "".join(rules)


def _row(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"
