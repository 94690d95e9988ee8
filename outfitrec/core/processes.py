"""Several processes that train one model: started here on one machine, or by torchrun on one or more."""

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from tempfile import TemporaryFile
from typing import IO

import torch
from torch import distributed as dist

from outfitrec.core.errors import RunError
from outfitrec.core.team import Team

# The longest that one process may wait for another, such as while it validates.
PATIENCE = timedelta(hours=2)
READY = "ready"


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
        yield team
    finally:
        dist.destroy_process_group()


def world() -> Team:
    """The team that torchrun started; it stays until the process ends."""
    team = Team(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    if not dist.is_initialized():
        stack = ExitStack()
        stack.enter_context(joined(team, "env://"))
        atexit.register(stack.close)
    return team


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
            # Their own program, with numbers for arguments.
            subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "outfitrec.core.follower", str(rank), str(size), str(port)],
                stdin=subprocess.DEVNULL,
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
            if _gone(others):
                raise _ended(words) from error
            raise
        finally:
            torch.set_num_threads(threads)
            for other in others:
                other.kill()
                other.communicate()


def _gone(others: "Sequence[subprocess.Popen[bytes]]") -> bool:
    """Whether one of them failed, by now or within moments."""
    for other in others:
        try:
            if other.wait(timeout=10):
                return True
        except subprocess.TimeoutExpired:
            continue
    return False


def _ended(words: "IO[bytes]") -> RunError:
    words.seek(0)
    lines = words.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
    return RunError(
        f"another process of this training ended: {lines[-1]}", hint="--resume goes on from the last checkpoint"
    )
