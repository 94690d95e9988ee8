"""Several processes that train one model: started here on one machine, or by torchrun on one or more."""

import gc
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from tempfile import TemporaryFile
from typing import IO

import attrs
import torch
from torch import distributed as dist

from outfitrec.core.errors import RunError
from outfitrec.core.team import Team

# The longest that one process may wait for another, such as while it validates.
PATIENCE = timedelta(hours=2)
READY = "ready"
# Seconds that a process which fails is given to say why.
LAST_WORDS = 10.0
GO_ON = "--resume goes on from the last checkpoint"


@contextmanager
def joined(team: Team, method: str) -> Iterator[Team]:
    """Meet the other processes of a team, and part again.

    Args:
        team: This process's place.
        method: Where they meet: ``tcp://…``, or ``env://`` under torchrun.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, init_method=method, rank=team.rank, world_size=team.size, timeout=PATIENCE)
    try:
        yield attrs.evolve(team, group=dist.new_group(timeout=PATIENCE))
    finally:
        # What still holds a group when Python ends takes the process down with it: torch's wrapper of the program does,
        # in a cycle.
        gc.collect()
        dist.destroy_process_group()


@contextmanager
def world() -> Iterator[Team]:
    """The team of the processes that torchrun started."""
    with joined(Team(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])), "env://") as team:
        yield team
        # Who leaves first would be missed by the others, who may still be told something.
        dist.barrier(team.group)


@contextmanager
def started(size: int) -> Iterator[Team]:
    """A team of this process, which leads, and others on the same machine, which end with the block.

    On the CPU they share its threads.

    Raises:
        RunError: One of them ended.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    threads = torch.get_num_threads()
    each = max(1, threads // size)
    path = os.pathsep.join(filter(None, sys.path))
    environment = {"TORCH_CPP_LOG_LEVEL": "ERROR", **os.environ, "OMP_NUM_THREADS": str(each), "PYTHONPATH": path}
    with TemporaryFile() as words:
        others = [
            # Their own program, with numbers for arguments. They end when their input does, however this process ends.
            subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "outfitrec.core.follower", str(rank), str(size), str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                env=environment,
            )
            for rank in range(1, size)
        ]
        try:
            for other in others:
                if other.stdout is None or other.stdout.readline().decode().strip() != READY:
                    raise _ended(words)
            torch.set_num_threads(each)
            with joined(Team(0, size), f"tcp://127.0.0.1:{port}") as team:
                yield team
                team.broadcast(None)
            for other in others:
                other.wait(timeout=60)
        except RuntimeError as error:
            # What torch says of a peer that is gone tells nothing of the cause.
            if is_lost(error) and _failed(others):
                raise _ended(words) from error
            raise
        finally:
            torch.set_num_threads(threads)
            for other in others:
                other.kill()
                other.communicate()


def is_lost(error: RuntimeError) -> bool:
    """Whether an error of torch says that another process is gone."""
    words = ("connection closed", "connection reset", "connection refused", "broken pipe", "remote process exited")
    return isinstance(error, dist.DistError) or any(word in str(error).lower() for word in words)


def _failed(others: "Sequence[subprocess.Popen[bytes]]") -> bool:
    """Whether one of them failed: it is gone before its last words are written."""
    until = time.monotonic() + LAST_WORDS
    while time.monotonic() < until:
        if any(other.poll() for other in others):
            return True
        time.sleep(0.05)
    return False


def _ended(words: "IO[bytes]") -> RunError:
    words.seek(0)
    lines = words.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
    return RunError(f"another process of this training ended: {lines[-1]}", hint=GO_ON)
