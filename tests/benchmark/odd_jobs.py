"""A plugin file for tests of jobs: an objective that does something odd at its first step."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from tiny import PLUGIN, tiny
from torch import Generator, Tensor

from outfitrec import component, field, part
from outfitrec.benchmark.jobs import Job
from outfitrec.core.outfits import Outfits
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.step import Batch, Step
from outfitrec.hooks import Register, hookimpl
from outfitrec.protocols import Loss

# Seconds for which one job waits for another.
PATIENCE = 60.0


@component
class Odd:
    """A ranking objective that does something once: after that, a file of its name is in the folder."""

    loss: Loss = part("loss", default="npair", help="ranking loss")
    weight: float = field(default=1.0, minimum=0, help="factor in the sum of objectives")
    does: str = field(default="nothing", help="what it does, the name of a function here")
    folder: str = field(default="", help="where it leaves files")
    mark: str = field(default="", help="name of its file")

    label = "odd"
    unit = "pair"
    needs_teacher = False

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Tensor:
        file = Path(self.folder) / self.mark
        if self.does != "nothing" and not file.exists():
            globals()[self.does](file)
        return self.loss(step.positive, step.negative, None, step.mask)

    def report(self, means: Mapping[str, float]) -> Iterable[str]:
        return ()


def meet(file: Path) -> None:
    """Wait until another job is at work in the same folder."""
    file.touch()
    until = time.monotonic() + PATIENCE
    while len(list(file.parent.iterdir())) < 2:
        if time.monotonic() > until:
            raise TimeoutError("no other job is at work")
        time.sleep(0.01)


def report(file: Path) -> None:
    """Write what this process is given."""
    facts = {
        "pid": os.getpid(),
        "threads": torch.get_num_threads(),
        "OMP_NUM_THREADS": os.environ["OMP_NUM_THREADS"],
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "memory": torch.cuda.get_per_process_memory_fraction() if torch.cuda.is_available() else None,
    }
    part = file.with_suffix(".part")
    part.write_text(json.dumps(facts))
    part.rename(file)


def talk(file: Path) -> None:
    """Print, in every way, and read what nobody writes."""
    sys.stdout.write("printed\n")
    sys.stdout.flush()
    os.write(1, b"written\n")
    os.system("echo echoed")  # noqa: S605, S607  # as careless code does
    assert sys.stdin.read() == ""
    report(file)


def die(file: Path) -> None:
    """Be killed."""
    file.touch()
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_child(file: Path) -> None:
    """Be killed, and leave behind a process that holds all that this one had open."""
    if (child := os.fork()) == 0:
        time.sleep(2 * PATIENCE)
        os._exit(0)
    file.write_text(str(child))
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt(file: Path) -> None:
    """Hear of a Ctrl-C, as all processes of a terminal do."""
    file.touch()
    os.kill(os.getpid(), signal.SIGINT)


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's components."""
    register.component("objective", "odd", ":Odd", "does something odd")


def odd_job(out: Path, key: str = "job", does: str = "nothing", folder: Path | None = None, **train: Any) -> Job:
    """A training in which something odd is done; the file that it leaves has the job's key for a name."""
    objective = {"name": "odd", "does": does, "folder": str(folder or out), "mark": key}
    recipe = tiny(
        name=key,
        plugins=[str(PLUGIN), __file__],
        objectives=[objective],
        train={**tiny()["train"], "epochs": 1, **train},
    )
    return train_job(recipe, out)


def train_job(recipe: dict[str, Any], out: Path, role: str = "student") -> Job:
    """The training of a recipe."""
    name = recipe["name"]
    return Job(name, name, "train", {"recipe": resolved(load_recipe(recipe)), "role": role, "out": str(out)})
