"""Runs on disk: one directory a run, named by what it computes."""

import json
import math
import os
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs

from outfitrec.core.checkpoints import Checkpoints
from outfitrec.core.errors import RunError, UserError, listed
from outfitrec.core.files import write_json, write_text
from outfitrec.core.loading import plugins
from outfitrec.core.recommender import Recommender
from outfitrec.core.registry import Registry
from outfitrec.core.serving import Model, load_model
from outfitrec.core.yamlfile import read

RESULT = "result.json"
MANIFEST = "manifest.json"
RECIPE = "recipe.yaml"
METRICS = "metrics.jsonl"
MODEL = "model"
CHECKPOINTS = "checkpoints"


@attrs.frozen
class Result:
    """What a run found.

    Attributes:
        recipe: Name of the recipe.
        parameters: Number of parameters by part, and in total.
        test: Mean over users of each metric on the test split, 0 to 1.
        valid: The same on the validation split, at the selected epoch.
        per_user: Test value of each metric by user; None where it is undefined.
        protocol: What results must share to be compared; its ``hash`` tells.
        training: Epochs, the selected one, and figures of the last epoch.
        warnings: What the user should know of.
        seconds: Time that training and evaluation took, the teacher's apart.
        data: Facts of the dataset, such as the shares that a split reached.
        cold_start: How unknown users were served (see `ColdEvaluator.evaluate`); None where that was not asked for.
    """

    recipe: str
    parameters: Mapping[str, int]
    test: Mapping[str, float]
    valid: Mapping[str, float]
    per_user: Mapping[str, Any]
    protocol: Mapping[str, Any]
    training: Mapping[str, Any]
    warnings: tuple[str, ...]
    seconds: float
    data: Mapping[str, Any]
    cold_start: Mapping[str, Any] | None = None


class Run:
    """A finished run.

    Args:
        directory: Its directory.

    Attributes:
        directory: See above.
        trained: Whether it was trained just now, and not found finished.

    Raises:
        UserError: There is no run in the directory.
        RunError: The run is interrupted or damaged.
    """

    def __init__(self, directory: str | Path, *, trained: bool = False) -> None:
        self.directory = directory = Path(directory)
        self.trained = trained
        if not (directory / MANIFEST).is_file():
            raise UserError(f"no run in {directory}", hint=f"a run directory holds {MANIFEST} and {RESULT}")
        if not (directory / RESULT).is_file():
            raise RunError(
                f"the run in {directory} was interrupted",
                hint="run its recipe again with --resume to go on, or with --force to start again",
            )

    @cached_property
    def result(self) -> Result:
        """What it found."""
        facts = read_json(self.directory / RESULT)
        try:
            return Result(**{**facts, "warnings": tuple(facts["warnings"])})
        except (KeyError, TypeError) as error:
            raise RunError(f"{self.directory / RESULT} is damaged: {error}") from error

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Versions, plugins, hashes, hardware and times."""
        facts = read_json(self.directory / MANIFEST)
        missing = [key for key in ("identity", "role", "data", "hardware") if key not in facts]
        if missing:
            raise RunError(f"{self.directory / MANIFEST} is damaged: it lacks {listed(missing)}")
        return facts

    @cached_property
    def teacher(self) -> "Run | None":
        """The run of its teacher, where it had one."""
        relative = self.manifest.get("teacher")
        return Run(Path(os.path.normpath(self.directory / relative))) if relative else None

    @cached_property
    def registry(self) -> Registry:
        """Where its components are looked up: what is installed, and the run's own plugin files."""
        known = plugins().copy()
        written = read(self.directory / RECIPE).value
        files = written.get("plugins") if isinstance(written, dict) else None
        if not isinstance(files, list):
            raise RunError(f"{self.directory / RECIPE} is damaged: it holds no resolved recipe")
        for file in files:
            known.add_file(Path(str(file)))
        return known.registry

    @cached_property
    def model(self) -> Model:
        """The trained model, on the CPU: the recommender, and how photos are prepared for it."""
        return load_model(self.directory / MODEL, self.registry)

    @property
    def recommender(self) -> Recommender:
        """The trained recommender, on the CPU, in evaluation mode."""
        return self.model.recommender

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r})"

    def summary(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        result = self.result
        return {
            "directory": str(self.directory),
            "recipe": result.recipe,
            "parameters": dict(result.parameters),
            "test": dict(result.test),
            "valid": dict(result.valid),
            "seconds": result.seconds,
            "protocol": dict(result.protocol),
            "warnings": list(result.warnings),
            "cold_start": result.cold_start,
        }


class RunDirectory:
    """A run directory that may not be finished.

    Args:
        path: Where it is.
        identity: Hash of what the run computes.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.identity = identity

    @property
    def checkpoints(self) -> Checkpoints:
        """Its checkpoints."""
        return Checkpoints(self.path / CHECKPOINTS, self.identity)

    @property
    def started(self) -> bool:
        """Whether a run began here."""
        return (self.path / MANIFEST).is_file()

    @property
    def finished(self) -> bool:
        """Whether a run ended here."""
        return (self.path / RESULT).is_file()

    def check(self) -> None:
        """Make sure that what is here belongs to this run.

        Raises:
            RunError: It is damaged, or of another recipe.
        """
        self.check_ours()
        if self.started and read_json(self.path / MANIFEST).get("identity") != self.identity:
            raise RunError(
                f"{self.path} holds a run of another recipe, other data or other versions",
                hint="move it away, or start again with --force",
            )

    def check_ours(self) -> None:
        """Make sure that nothing is here but what runs write.

        Raises:
            RunError: There is something else.
        """
        if not self.path.exists() or self.started:
            return
        # A process that was killed as it wrote the first file may leave a temporary one, whose name begins with a dot.
        others = [path.name for path in self.path.iterdir() if not path.name.startswith(".")]
        if others:
            raise RunError(
                f"{self.path} is no run directory: it has no {MANIFEST}, but {listed(sorted(others), 3)}",
                hint="move it away",
            )

    def clear(self) -> None:
        """Remove what a run left here."""
        if self.path.exists():
            shutil.rmtree(self.path)

    def record(self, line: Mapping[str, Any]) -> None:
        """Add an epoch to ``metrics.jsonl``, in place of what stood there from that epoch on."""
        path = self.path / METRICS
        lines = []
        if path.is_file():
            lines = [old for old in path.read_text(encoding="utf-8").splitlines() if _epoch(old) < line["epoch"]]
        lines.append(json.dumps(jsonable(line)))
        write_text(path, "\n".join(lines) + "\n")

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a JSON file of the run."""
        write_json(self.path / name, jsonable(value))


def _epoch(line: str) -> int:
    try:
        return int(json.loads(line)["epoch"])
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"a line of {METRICS} is damaged: {line[:80]!r}") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        RunError: The file is missing or damaged.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}", hint="the run directory is damaged") from error
    if not isinstance(value, dict):
        raise RunError(f"{path} is damaged: it holds no JSON object")
    return value


def jsonable(value: Any) -> Any:
    """``value`` with NaN and infinities as None: JSON has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): jsonable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(one) for one in value]
    return value
