"""The figures of a table: what they are called, in what unit, and which way is better."""

import attrs


@attrs.frozen
class Figure:
    """A kind of number in a table.

    Attributes:
        name: What suites call it.
        title: What tables call it, with its unit.
        scale: What values are multiplied by to be in that unit.
        digits: Digits after the point.
        higher: Whether more is better; None where neither way is.
    """

    name: str
    title: str
    scale: float = 1.0
    digits: int = 2
    higher: bool | None = True

    def text(self, value: float) -> str:
        """A value in the table's unit."""
        return f"{value * self.scale:,.{self.digits}f}"


EFFICIENCY = (
    Figure("photos_seconds", "s, photos encoded", digits=2, higher=False),
    Figure("cached_seconds", "s, features cached", digits=3, higher=False),
    Figure("memory", "peak memory, GiB", scale=2.0**-30, higher=False),
    Figure("parameters", "parameters, M", scale=1e-6, higher=False),
    Figure("ratio", "of the first row, %", scale=100.0, digits=1, higher=False),
    Figure("photos_per_second", "photos/s", digits=0),
    Figure("latency", "ms an outfit", scale=1e3, digits=1, higher=False),
)
"""Figures of the measure ``efficiency`` (see `outfitrec.benchmark.efficiency`)."""


NAMES = {"auc": "AUC", "ndcg": "NDCG", "fitb": "fill in the blank", "compatibility_auc": "compatibility AUC"}


def metric(label: str, higher: bool = True) -> Figure:
    """A metric of 0 to 1, in per cent. Of cold starters: ``auc/5`` is by profiles of five outfits."""
    title, _, profile = label.partition("/")
    name = NAMES.get(title, title)
    return Figure(label, f"{name}, {profile}" if profile else name, scale=100.0, higher=higher)
