"""Runs with loggers, for tests."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import PLUGIN, tiny

from outfitrec.core.engine import run
from outfitrec.core.runs import Run
from outfitrec.core.trainer import Trainer

RECORDERS = Path(__file__).parent / "plugins" / "recorders.py"


def logged(*loggers: Any, **changes: Any) -> dict[str, Any]:
    """A tiny recipe with loggers."""
    return tiny(**{"plugins": [str(PLUGIN), str(RECORDERS)], "loggers": [*loggers], **changes})


def lines(found: Run) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl."""
    return [json.loads(line) for line in (found.directory / "metrics.jsonl").read_text().splitlines()]


def interrupted(monkeypatch: pytest.MonkeyPatch, recipe: dict[str, Any], out: Path, step: int) -> None:
    """Run a recipe until somebody presses Ctrl-C before a step."""
    steps, take = iter(range(1, 1000)), Trainer._step

    def stop(self: Trainer, *args: Any) -> Any:
        if next(steps) == step:
            raise KeyboardInterrupt
        return take(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", stop)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, out=out)
