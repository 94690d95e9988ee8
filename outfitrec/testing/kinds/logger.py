"""Loggers: told of runs in a temporary directory."""

import atexit
import contextlib
import copy
import functools
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from torch import Generator

from outfitrec.core.fields import info
from outfitrec.core.runs import Result, jsonable
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.subject import Subject

EPOCHS = 3
# How the names of runs' directories begin.
RUN = "run-"


def inputs(subject: Subject) -> Mapping[str, Any]:
    """A resolved recipe, the figures of three epochs, and a result with a metric that is undefined."""
    epochs = [
        {"train/ranking": 0.5 / epoch, "train/loss": 1 / epoch, "valid/auc": 0.6, "lr/0": 0.1, "seconds": 1.5}
        for epoch in range(1, EPOCHS + 1)
    ]
    recipe = {
        "name": "contract",
        "dataset": {"name": "synthetic", "users": 6},
        "objectives": [{"name": "ranking", "label": "ranking", "weight": 1.0, "distiller": None}],
        "teacher": None,
        "train": {"epochs": EPOCHS, "batch": 64, "groups": {}},
        "loggers": [{"name": subject.config.name}],
    }
    return {"recipe": recipe, "epochs": epochs, "result": _result(EPOCHS, {"auc": 0.7, "ndcg@10": float("nan")})}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """Nothing: it is told of a run from beginning to end."""
    with _sandbox() as directory:
        _tell(component, directory, inputs, range(1, EPOCHS + 1), inputs["result"])


@check("logger")
def follows_a_run(subject: Subject) -> None:
    """It takes a run from its start to its result, in which a metric may be undefined (None)."""
    _run(subject, range(1, EPOCHS + 1), inputs(subject)["result"])


@check("logger")
def takes_a_run_without_epochs(subject: Subject) -> None:
    """It takes a run that is evaluated alone, of which it hears no epoch, and one that has no test metrics."""
    for test in ({"auc": 0.7}, {}):
        _run(subject, (), _result(0, test))


@check("logger")
def takes_an_end_without_result(subject: Subject) -> None:
    """It takes an end without result, after some epochs and before the first."""
    for epochs in (range(1, EPOCHS), ()):
        _run(subject, epochs, None)


@check("logger")
def goes_on_after_an_interruption(subject: Subject) -> None:
    """A second one in the same directory takes the last epoch once more, with the same figures, and the rest."""
    found = inputs(subject)
    with _sandbox() as directory:
        _tell(subject.build(), directory, found, (1, 2), None)
        _tell(subject.build(), directory, found, (2, 3), found["result"])


@check("logger")
def keeps_to_its_directory(subject: Subject) -> None:
    """It leaves nothing beside the run's directory or where the program was started, unless a key names a place."""
    for one in attrs.fields(type(subject.config)):
        if info(one).path and getattr(subject.config, one.name) is not None:
            raise NotApplicableError(f"its {one.name} names another place")
    found, before = inputs(subject), _files()
    with _sandbox() as directory:
        _tell(subject.build(), directory, found, range(1, EPOCHS + 1), found["result"])
    # Some clients go on writing for a while to the directories of runs before.
    runs = {*(_root() / "runs").glob(f"{RUN}*")}
    strange = [path for path, state in _files().items() if before.get(path) != state and not runs & {*path.parents}]
    names = ", ".join(sorted(str(path.relative_to(_root())) for path in strange)[:5])
    require(
        not strange,
        f"it writes {names}",
        "keep files in the directory that start gives it, or in one that a key of its own names (path=True)",
    )


@check("logger")
def leaves_what_it_is_told_alone(subject: Subject) -> None:
    """Recipe, figures and result are the same afterwards: other loggers are told them too."""
    found = inputs(subject)
    before = copy.deepcopy(found)
    with _sandbox() as directory:
        _tell(subject.build(), directory, found, range(1, EPOCHS + 1), found["result"])
    changed = [key for key in found if found[key] != before[key]]
    require(not changed, f"it changes {', '.join(changed)}", "make a copy, dict(figures), before anything is added")


def _run(subject: Subject, epochs: Sequence[int], result: Mapping[str, Any] | None) -> None:
    with _sandbox() as directory:
        _tell(subject.build(), directory, inputs(subject), epochs, result)


def _tell(
    logger: Any, directory: Path, told: Mapping[str, Any], epochs: Sequence[int], result: Mapping[str, Any] | None
) -> None:
    """Tell a logger of a run, as the engine does."""
    logger.start(directory, told["recipe"])
    for epoch in epochs:
        logger.log(epoch, told["epochs"][epoch - 1])
    logger.finish(result)


@contextlib.contextmanager
def _sandbox() -> Iterator[Path]:
    """A new run's directory, while the program is at work in a directory elsewhere."""
    directory = Path(tempfile.mkdtemp(prefix=RUN, dir=_root() / "runs"))
    with contextlib.chdir(_root() / "elsewhere"):
        yield directory


@functools.cache
def _root() -> Path:
    """The folder of all of it, until the process ends: clients of services keep what they opened as long."""
    root = Path(tempfile.mkdtemp(prefix="outfitrec-contract-")).resolve()
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for name in ("runs", "elsewhere"):
        (root / name).mkdir()
    return root


def _files() -> dict[Path, tuple[int, int]]:
    """The files in it, with what tells whether they were written to."""
    found = {}
    for path in _root().rglob("*"):
        # What was there a moment ago may be gone: a client at work in the background.
        with contextlib.suppress(FileNotFoundError):
            facts = path.stat()
            if not path.is_dir():
                found[path] = (facts.st_size, facts.st_mtime_ns)
    return found


def _result(epochs: int, test: Mapping[str, float]) -> Any:
    """A result as ``result.json`` has it."""
    found = Result(
        recipe="contract",
        parameters={"total": 3, "encoder": 1, "aggregator": 1, "preference": 1},
        test=test,
        valid=test,
        per_user={"user": [0, 1], **{label: [value, value] for label, value in test.items()}},
        protocol={"hash": "0"},
        training={"epochs": epochs, "best_epoch": epochs, "figures": {"loss": 0.5} if epochs else {}},
        warnings=(),
        seconds=4.5,
        data={},
    )
    return jsonable(attrs.asdict(found))
