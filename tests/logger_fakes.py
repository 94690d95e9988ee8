"""Modules in place of those of Weights & Biases and MLflow, which note what is called."""

import re
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


def install(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    module = ModuleType(name)
    # An installed package has a file.
    module.__spec__ = ModuleSpec(name, None, origin=f"{name}/__init__.py")
    for key, value in members.items():
        setattr(module, key, value)
    monkeypatch.setitem(sys.modules, name, module)


class FakeRun:
    """A run of Weights & Biases: as there, what is logged of an earlier step is left out."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.history: dict[int, dict[str, float]] = {}
        self.summary: dict[str, Any] = {}
        self.exits: list[int | None] = []

    def log(self, data: dict[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        assert step is not None
        assert commit is True
        if step > max(self.history, default=-1):
            self.history[step] = data

    def finish(self, exit_code: int | None = None) -> None:
        self.exits.append(exit_code)


class FakeWandb:
    """Runs by project and id, and how they were begun."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], FakeRun] = {}
        self.inits: list[dict[str, Any]] = []

    def init(self, *, project: str, id: str | None, resume: str | None, **rest: Any) -> FakeRun:
        self.inits.append({"project": project, "id": id, "resume": resume, **rest})
        assert (id is None) == (resume is None)
        name = id or f"id{len(self.runs)}"
        return self.runs.setdefault((project, name), FakeRun(name))


class FakeMlflow:
    """A server of MLflow: as there, a figure that is logged twice is there twice, and few names are taken."""

    def __init__(self) -> None:
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.uris: list[str | None] = []
        self.raced = False

    def client(self, tracking_uri: str | None = None) -> "FakeMlflow":
        self.uris.append(tracking_uri)
        self.tracking_uri = tracking_uri or "default"
        return self

    def get_experiment_by_name(self, name: str) -> Any:
        known = self.experiments.get(name)
        return known and SimpleNamespace(experiment_id=known)

    def create_experiment(self, name: str) -> str:
        there = name in self.experiments
        self.experiments[name] = str(len(self.experiments))
        if there or self.raced:
            raise FakeMlflowError(name)
        return self.experiments[name]

    def create_run(self, experiment_id: str, run_name: str) -> Any:
        name = f"run{len(self.runs)}"
        self.runs[name] = {
            "experiment": experiment_id,
            "name": run_name,
            "metrics": [],
            "params": {},
            "files": {},
            "status": ["RUNNING"],
        }
        return SimpleNamespace(info=SimpleNamespace(run_id=name))

    def update_run(self, run_id: str, status: str) -> None:
        self.runs[run_id]["status"].append(status)

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = ()) -> None:
        for one in (*metrics, *params):
            assert re.fullmatch(r"[/\w.\- ]+", one.key), one.key
        self.runs[run_id]["metrics"] += metrics
        for one in params:
            assert len(one.value) <= 500
            assert self.runs[run_id]["params"].setdefault(one.key, one.value) == one.value

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        self.runs[run_id]["files"][artifact_file] = text

    def get_metric_history(self, run_id: str, key: str) -> list[Any]:
        return [one for one in self.runs[run_id]["metrics"] if one.key == key]

    def set_terminated(self, run_id: str, status: str) -> None:
        self.runs[run_id]["status"].append(status)


class FakeMlflowError(Exception):
    pass


def metric(key: str, value: float, timestamp: int, step: int) -> Any:
    return SimpleNamespace(key=key, value=value, timestamp=timestamp, step=step)


def param(key: str, value: str) -> Any:
    return SimpleNamespace(key=key, value=value)
