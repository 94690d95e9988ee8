"""The result of a run, for people."""

from collections.abc import Mapping
from typing import Any

from outfitrec.cli.output import duration, show, show_table


def show_summary(summary: Mapping[str, Any]) -> None:
    """Print what ``Run.summary()`` gives."""
    show(f"{summary['recipe']} · {summary['directory']} · {duration(summary['seconds'])}", style="bold")
    show()
    show_table(
        ("metric", "test", "valid"),
        [(label, _figure(value), _figure(summary["valid"].get(label))) for label, value in summary["test"].items()],
        numbers=("test", "valid"),
    )
    show()
    show_table(
        ("part", "parameters"),
        [(part, f"{count:,}") for part, count in summary["parameters"].items()],
        numbers=("parameters",),
    )
    protocol = summary["protocol"]
    how = f"{protocol['split']}, negatives {protocol['negatives']}, seed {protocol['seed']}"
    show(f"\nprotocol {protocol['hash']}: {how}")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
