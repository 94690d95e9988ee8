"""What the cells of a table found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from outfitrec.core.runs import Run

# In place of an error: the run was not asked for, and nothing is wrong with it.
ABSENT = "not run yet"


@attrs.frozen
class Cell:
    """A place in a suite that one run fills.

    Attributes:
        row: The row.
        column: The column.
        point: Values of the swept keys, by key; empty where nothing is swept.
        seed: The run's seed.
    """

    row: str
    column: str
    point: tuple[tuple[str, Any], ...]
    seed: int


@attrs.frozen(kw_only=True)
class Entry:
    """What a cell found.

    Attributes:
        cell: The cell.
        directory: The run's directory; None where there is none yet.
        error: Why there are no values; empty where there are.
        values: Of each figure the value, in 0 to 1, bytes, seconds …; several where it was measured several times.
        per_user: Of each figure the value of each user, where it has one.
        protocol: Hash of what two results must share to be compared; empty where the measure has none.
        parameters: Number of parameters of the model; 0 where nothing is known.
        seconds: Time that training and evaluation took.
        papers: Whether data and evaluation are the paper's, so that its figures can be compared with these.
        teacher: Name of the directory of the run that it learnt from; empty where there is none.
        valid: Of each figure the value on the validation split, in its best epoch.
        warnings: What the user should know of.
        chosen: Keys that a search chose, with their values.
    """

    cell: Cell
    directory: Path | None = None
    error: str = ""
    values: Mapping[str, tuple[float, ...]] = attrs.field(factory=dict)
    per_user: Mapping[str, Mapping[int, float]] = attrs.field(factory=dict)
    protocol: str = ""
    parameters: int = 0
    seconds: float = 0.0
    papers: bool = False
    teacher: str = ""
    valid: Mapping[str, float] = attrs.field(factory=dict)
    warnings: tuple[str, ...] = ()
    chosen: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def run(self) -> Run | None:
        """The run, where it is finished."""
        return None if self.error or self.directory is None else Run(self.directory)
