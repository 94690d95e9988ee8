"""Runs in processes that are killed: by themselves at a given place, or from outside at a given time."""

import os
import signal
import sys
import traceback
from fnmatch import fnmatch
from functools import cache
from itertools import count
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

STEP = "step"
CLOCK = "clock"

# What changes a file: the names of Python's audit events. Each has a path for its first argument.
CHANGES = {"tempfile.mkstemp", "os.mkdir", "os.chmod", "os.rename", "os.remove"}


class Death(NamedTuple):
    """When a process dies.

    Attributes:
        at: ``step``, ``clock``, or a pattern of the names of files.
        number: Of the step, from 1, before which it dies; of milliseconds; or of the change to files of such names,
            from 1, before which it dies. To write a file takes four: it is made under a temporary name, made readable
            when it is complete, and takes its place; then what may be left of the temporary one is removed.
        torn: Whether it leaves half of the temporary file that it was about to change.
    """

    at: str
    number: int
    torn: bool = False


def attempt(recipe: dict[str, Any], root: Path, threads: int, death: Death | None) -> bool:
    """Run a recipe, or go on with it, in a process of its own; whether that was killed.

    Args:
        recipe: The recipe.
        root: Folder of the folders ``runs`` and ``cache``.
        threads: Threads of the process.
        death: When it dies, if it gets there.
    """
    root.mkdir(parents=True, exist_ok=True)
    process = _context().Process(target=_work, args=(recipe, root, threads, death))
    process.start()
    if death is not None and death.at == CLOCK:
        process.join(death.number / 1000)
        process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), (root / "error.txt").read_text()
    return process.exitcode != 0


@cache
def _context() -> ForkServerContext:
    """Makes processes by forking one that has imported everything and done nothing."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["outfitrec.core.engine"])
    with pytest.MonkeyPatch.context() as patch:
        # Threads that wait for each other by spinning take a busy machine's time from each other: 30 times as long.
        patch.setenv("OMP_WAIT_POLICY", "passive")
        ensure_running()
    return context


def _work(recipe: dict[str, Any], root: Path, threads: int, death: Death | None) -> None:
    from outfitrec.core.engine import run

    torch.set_num_threads(threads)
    os.environ["OUTFITREC_CACHE"] = str(root / "cache")
    if death is not None:
        _arm(death, root)
    try:
        run(recipe, out=root / "runs", resume=True)
    except BaseException:
        (root / "error.txt").write_text(traceback.format_exc())
        raise


def _arm(death: Death, root: Path) -> None:
    """Let this process die when that is due."""
    from outfitrec.core.trainer import Trainer

    step, numbers = Trainer._step, count(1)

    def die_at_step(self: Trainer, *args: Any) -> Any:
        if next(numbers) == death.number:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self, *args)

    def die_at_change(event: str, args: tuple[Any, ...]) -> None:
        if event not in CHANGES or not isinstance(args[0], str | Path):
            return
        path = Path(args[0])
        temporary = path.name.startswith(".")
        name = path.name[1:].rsplit(".", 2)[0] if temporary else path.name
        if not path.is_relative_to(root) or not fnmatch(name, death.at) or next(numbers) != death.number:
            return
        if death.torn and temporary and path.exists():
            os.truncate(path, path.stat().st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)

    if death.at == STEP:
        # In a process that serves no other purpose.
        setattr(Trainer, "_step", die_at_step)  # noqa: B010  # a plain assignment is an error to the type checker
    elif death.at != CLOCK:
        sys.addaudithook(die_at_change)
