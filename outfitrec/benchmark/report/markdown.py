"""A report as Markdown, in GitHub's flavour."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from outfitrec.benchmark.report import Report
from outfitrec.benchmark.report.parts import (
    Head,
    absent,
    agreement_text,
    chosen,
    facts,
    failures,
    flat,
    heads,
    warnings,
)
from outfitrec.benchmark.report.words import heading, legend, line_title, partial_text, place, protocol_text
from outfitrec.benchmark.tables import Order, Table, Value

# What GitHub would read as something else than itself, wherever it stands.
SPECIAL = re.compile(r"([\\`*_\[\]<>|~$&#]|^[-+])")


def markdown(report: Report) -> str:
    """The whole report, but for values by user and pictures."""
    return "\n\n".join(_blocks(report)) + "\n"


def _blocks(report: Report) -> Iterator[str]:
    yield f"# {escaped(report.suite.title or report.suite.name)}"
    if report.suite.description:
        yield escaped(report.suite.description)
    if partial := partial_text(report.facts):
        yield f"**{escaped(partial)}**"
    for table in report.tables:
        if len(report.tables) > 1:
            yield f"## {escaped(table.title)}"
        yield from _table_blocks(report, table)
    for title, texts in (("What a search chose", chosen(report)), ("Warnings", warnings(report))):
        if texts:
            yield f"## {title}"
            yield _list(map(escaped, texts))
    yield "## How it was run"
    if report.facts.get("command"):
        yield _code(str(report.facts["command"]))
    yield _list(f"{name}: {escaped(text)}" for name, text in facts(report).items())


def _table_blocks(report: Report, table: Table) -> Iterator[str]:
    found = heads(table)
    yield _grid(
        ["method", *(_heading(table, head) for head in found)],
        [[escaped(line_title(line)), *(_cell(head, line.values) for head in found)] for line in table.lines],
    )
    notes = [escaped(text) for text in legend(table, report.facts)]
    if report.suite.paper and report.suite.paper.where and any(head.shows == "paper" for head in found):
        notes.append(f"Paper: {escaped(report.suite.paper.where)}.")
    protocols = [
        place(f"`{protocol_text(protocol)}`", escaped(table.columns[column]))
        for column, protocol in table.protocols.items()
        if protocol
    ]
    if protocols:
        notes.append(f"Protocol, which results must share to be compared: {'; '.join(protocols)}.")
    if notes:
        yield _list(notes)
    if failures(table):
        yield "Not in the table:"
        yield _list(map(escaped, failures(table)))
    if absent(table):
        yield escaped(absent(table))
    for order in table.orders:
        yield from _order(table, order)


def _heading(table: Table, head: Head) -> str:
    text = escaped(heading(table.columns[head.column], head.figure))
    return text if head.shows == "value" else f"{text}, {head.shows}"


def _cell(head: Head, values: Mapping[tuple[str, str], Value]) -> str:
    text = head.text(values)
    return " ".join(filter(None, [f"**{text}**" if head.best(values) else text, head.marks(values)]))


def _order(table: Table, order: Order) -> Iterator[str]:
    figure = next(one for one in table.figures if one.name == order.figure)
    yield f"Order by {escaped(heading(table.columns[order.column], figure))}:"
    yield _grid(
        ["", "paper", "here"],
        [
            [str(rank), escaped(theirs), escaped(ours)]
            for rank, (theirs, ours) in enumerate(zip(order.paper, order.found, strict=True), start=1)
        ],
        left=3,
    )
    yield escaped(agreement_text(order))


def escaped(text: str) -> str:
    """Text that reads as itself, in one line."""
    return SPECIAL.sub(r"\\\1", flat(text))


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table whose first ``left`` columns are words, the others numbers."""
    rule = ["---" if index < left else "---:" for index in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _list(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _code(text: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}sh\n{text}\n{fence}"
