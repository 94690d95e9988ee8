"""Tables: the entries of a suite over seeds, compared, with the paper's figures beside them."""

from collections.abc import Mapping
from typing import Any

import attrs

from outfitrec.benchmark.measures import Figure


@attrs.frozen
class Spread:
    """Values of one figure over seeds (or over repetitions of a measurement).

    Attributes:
        values: The values.
        mean: Their mean.
        deviation: Their standard deviation (of the sample); None of a single one.
        low: Lower end of the 95 % interval of the mean (Student's t); None of a single value.
        high: Upper end.
    """

    values: tuple[float, ...]
    mean: float
    deviation: float | None
    low: float | None
    high: float | None


@attrs.frozen
class Comparison:
    """Two rows, paired by user: each user's value is its mean over seeds.

    Attributes:
        other: What the row is compared with, as the table calls it.
        users: Users who have a value in both.
        difference: Mean over users of this row's value less the other's, not in the table's unit.
        low: Lower end of its 95 % interval (bootstrap over users).
        high: Upper end.
        p: Two-sided, by Wilcoxon's signed-rank test.
        holm: The same, corrected by Holm for all comparisons of its kind in the column.
    """

    other: str
    users: int
    difference: float
    low: float
    high: float
    p: float
    holm: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p is below 0.05."""
        return self.holm < 0.05


@attrs.frozen
class Value:
    """A place in a table.

    Attributes:
        spread: The values found; None where there are none.
        best: Whether its mean is the best of the column.
        failed: Why runs of it failed, once each reason.
        missing: Runs without a value.
        absent: Those of them that were not run yet.
        shared: Whether fewer runs than seeds were asked for, since one serves several: a teacher keeps its own seed.
        elsewhere: Seeds whose runs were evaluated by another protocol, and are in another table.
        paper: The paper's figure, in the table's unit; None where it has none.
        difference: Our mean less the paper's, in the table's unit, where data and evaluation are the paper's; None
            elsewhere.
        best_test: Compared with the best of the column; None for the best itself, and where users cannot be paired.
        reference_test: Compared with the suite's reference, at the same point or else at that by which it counts; None
            likewise.
    """

    spread: Spread | None
    best: bool = False
    failed: tuple[str, ...] = ()
    missing: int = 0
    absent: int = 0
    shared: bool = False
    elsewhere: tuple[int, ...] = ()
    paper: float | None = None
    difference: float | None = None
    best_test: Comparison | None = None
    reference_test: Comparison | None = None


@attrs.frozen
class Line:
    """A line of a table: a row of the suite, at one point of its sweep.

    Attributes:
        row: The row.
        point: Values of the swept keys, by key; empty where nothing is swept.
        values: By column and name of the figure; a pair that is missing has no run in this table.
        one_teacher: Whether its runs of several seeds all learnt from one run.
    """

    row: str
    point: tuple[tuple[str, Any], ...]
    values: Mapping[tuple[str, str], Value]
    one_teacher: bool = False


@attrs.frozen
class Choice:
    """The point of a sweep by which its row counts in a column: the best of the first figure that has a better way.

    Attributes:
        row: The row.
        column: The column.
        point: Values of the swept keys, by key.
        figure: The figure.
        split: Where it is best: ``valid``, or ``test`` where some runs have no validation value of it; empty where
            figures are of no split.
    """

    row: str
    column: str
    point: tuple[tuple[str, Any], ...]
    figure: str
    split: str


@attrs.frozen
class Order:
    """The rows of a column from best to worst, as the paper has them and as they were found.

    Attributes:
        column: The column.
        figure: The figure that orders.
        paper: Rows by the paper's figure, those that it has alike in the suite's order.
        found: The same rows by ours, of a row with a sweep by the point that it counts by; those alike in the
            paper's order.
        agreement: Kendall's tau of the two, -1 to 1; None where either has all alike.
        swapped: Pairs of rows that stand the other way round, the paper's better one first.
    """

    column: str
    figure: str
    paper: tuple[str, ...]
    found: tuple[str, ...]
    agreement: float | None
    swapped: tuple[tuple[str, str], ...]


@attrs.frozen
class Table:
    """Results of one protocol.

    Attributes:
        title: What stands above it.
        columns: Keys of the columns, with their titles, in order; the title is empty where the suite has one column
            and calls it nothing.
        figures: The figures of each column, in order.
        lines: The lines, in the suite's order.
        protocols: By column, the hash of what its results share; empty where it is unknown, or the measure has none.
        seeds: Seeds that were asked for.
        orders: The paper's order beside ours, where it has one.
        choices: The points by which rows with a sweep count.
        efficiency: Whether its values are what models cost, measured again and again on this machine.
    """

    title: str
    columns: Mapping[str, str]
    figures: tuple[Figure, ...]
    lines: tuple[Line, ...]
    protocols: Mapping[str, str]
    seeds: tuple[int, ...]
    orders: tuple[Order, ...] = ()
    choices: tuple[Choice, ...] = ()
    efficiency: bool = False
