"""The result of a run, for people."""

from collections.abc import Mapping
from typing import Any

from outfitrec.cli.output import show, show_table
from outfitrec.core.progress import duration


def show_summary(summary: Mapping[str, Any]) -> None:
    """Print what ``Run.summary()`` gives."""
    show(f"{summary['recipe']} · {summary['directory']} · {duration(summary['seconds'])}", style="bold")
    show()
    if summary["test"]:
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
    if summary["cold_start"]:
        _show_cold(summary["cold_start"])
    if "false_negatives" in summary:
        _show_false_negatives(summary["false_negatives"])
    protocol = summary["protocol"]
    if not summary["test"]:
        show("\nnothing is ranked: the recipe has no metrics")
        return
    how = f"{protocol['split']}, negatives {protocol['negatives']}, seed {protocol['seed']}"
    show(f"\nprotocol {protocol['hash']}: {how}")


def _show_cold(cold: Mapping[str, Any]) -> None:
    rows = [
        (strategy, size, label, f"{_figure(found['mean'])} ± {_figure(found['deviation'])}")
        for strategy, sizes in cold["strategies"].items()
        for size, metrics in sizes.items()
        for label, found in metrics.items()
    ]
    protocol = cold["protocol"]
    show()
    show_table(("cold start", "liked outfits", "metric", "test"), rows, numbers=("liked outfits", "test"))
    show(f"{protocol['users']} users, mean ± deviation over draws: {protocol['draws']}, protocol {protocol['hash']}")


def _show_false_negatives(found: Mapping[str, Any]) -> None:
    show()
    show_table(
        ("false negatives", ""),
        [
            ("AUC of -d, mean over users", _figure(found["auc"])),
            ("precision of d < 0", _figure(found["precision"])),
            ("recall of d < 0", _figure(found["recall"])),
            ("share of the negatives", _figure(found["liked"])),
        ],
        numbers=("",),
    )
    show(f"by the ground truth, of {found['negatives']:,} random negatives of training positives")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
