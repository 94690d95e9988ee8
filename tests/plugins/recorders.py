"""A plugin file for tests: a logger that writes down what it is told, and fails where it shall."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outfitrec import component, field
from outfitrec.hooks import Register, hookimpl


@component
class Recorder:
    """Adds a line to a file for each call: which it was, of what, and the process."""

    file: str = field(path=True, help="the file")
    fail: str = field(default="", help="the call that fails, such as start or log-2")

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        self._write("start", directory=str(directory), recipe=dict(recipe))

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        self._write("log", epoch=epoch, figures=dict(figures))

    def finish(self, result: Mapping[str, Any] | None) -> None:
        self._write("finish", result=result)

    def _write(self, call: str, **facts: Any) -> None:
        with Path(self.file).open("a") as file:
            file.write(json.dumps({"call": call, **facts, "process": os.getpid()}, allow_nan=False) + "\n")
        if self.fail in (call, f"{call}-{facts.get('epoch')}"):
            raise OSError("the network is gone")


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the logger."""
    register.component("logger", "recorder", ":Recorder", "writes down what it is told")
