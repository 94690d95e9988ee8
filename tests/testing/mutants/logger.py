"""Broken loggers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mutants import broken
from outfitrec import component


@component
class Sound:
    """Keeps to all of it: a line for each epoch."""

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        self.directory = directory
        self.file = directory / "lines.jsonl"

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps({"epoch": epoch, **figures}) + "\n")

    def finish(self, result: Mapping[str, Any] | None) -> None:
        (self.directory / "end.json").write_text(json.dumps(result))


@broken("logger", "follows_a_run")
@component
class Formatting(Sound):
    """Takes every metric for a number."""

    def finish(self, result: Mapping[str, Any] | None) -> None:
        if result is not None:
            self.file.write_text(" ".join(f"{value:.3f}" for value in result["test"].values()))


@broken("logger", "takes_a_run_without_epochs")
@component
class OfTheLastEpoch(Sound):
    """Remembers the last epoch, of which there may be none."""

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        self.last = epoch

    def finish(self, result: Mapping[str, Any] | None) -> None:
        self.file.write_text(str(self.last if result is not None else 0))


@broken("logger", "takes_an_end_without_result")
@component
class Hopeful(Sound):
    """Expects a result."""

    def finish(self, result: Mapping[str, Any] | None) -> None:
        self.file.write_text(str(result["training"]["epochs"]))  # type: ignore[index]  # it is what is broken


@broken("logger", "goes_on_after_an_interruption")
@component
class FirstOnly(Sound):
    """Refuses a directory that it has been in."""

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        super().start(directory, recipe)
        self.file.touch(exist_ok=False)


@broken("logger", "keeps_to_its_directory")
@component
class Elsewhere(Sound):
    """Writes to where the program was started."""

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        super().start(Path.cwd(), recipe)


@broken("logger", "keeps_to_its_directory")
@component
class Beside(Sound):
    """Writes beside the run's directory."""

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        super().start(directory.parent, recipe)


@broken("logger", "leaves_what_it_is_told_alone")
@component
class Adding(Sound):
    """Adds to the figures."""

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        figures["epoch"] = epoch  # type: ignore[index]  # it is what is broken
