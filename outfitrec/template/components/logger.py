"""A logger: shows elsewhere how a training goes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outfitrec import component, field


@component
class Mine:
    """A file in the run's directory with the latest figures: for a status page, say.

    Reference:
        Nobody yet.
    """

    file: str = field(default="status.json", help="name of the file in the run's directory")

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        """Training begins, or goes on where it was interrupted."""
        self.path = directory / self.file
        self._write({"recipe": recipe.get("name"), "state": "training"})

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """An epoch ended. After an interruption the last one may come again."""
        self._write({"state": "training", "epoch": epoch, **figures})

    def finish(self, result: Mapping[str, Any] | None) -> None:
        """The run ended; without a result where it was interrupted or failed."""
        self._write({"state": "interrupted"} if result is None else {"state": "finished", "test": result.get("test")})

    def _write(self, status: Mapping[str, Any]) -> None:
        # In place of the old one as a whole: whoever reads it never finds a half.
        new = self.path.with_name(f".{self.path.name}.new")
        new.write_text(json.dumps(status, indent=2))
        new.replace(self.path)
