"""Jobs on a Ray cluster."""

import gc
import logging
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from outfitrec.benchmark.executors.local import usable_cores
from outfitrec.benchmark.executors.telling import Telling
from outfitrec.benchmark.jobs import Event, Job, Moved, Outcome, Said
from outfitrec.core.errors import UserError
from outfitrec.core.extras import need

AUTO = "auto"
FORMS = "HOST:PORT, ray://HOST:PORT, or 'auto' for the cluster that this machine belongs to"
# Seconds until somebody answers at an address, and until that has turned out to be a cluster.
ANSWER = 3.0
JOIN = 20.0


class RayExecutor:
    """Does jobs on a Ray cluster, one that runs already or one of this machine alone, which ends with the executor.

    The machines of a cluster share the folder of runs and those of data and cache, under the same absolute paths, and
    have outfitrec and the plugins of its recipes installed. Where some have GPUs, jobs are done by these alone. What a
    job says is heard when it is done.

    Args:
        address: Where the cluster is: ``HOST:PORT``, ``ray://HOST:PORT`` or ``auto``; None starts one.
        cpus: Processor cores that each job takes, and threads that it has.

    Raises:
        UserError: Ray is not installed, nobody answers at the address, or no machine has so many cores.
    """

    def __init__(self, address: str | None, cpus: int = 1) -> None:
        need("ray", "ray")
        import ray

        if cpus < 1:
            raise UserError(f"{cpus} processor cores are too few for a job", hint="a job takes at least 1")
        # Who runs what is nobody else's concern.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if address is None:
            _init("local", num_cpus=usable_cores(), include_dashboard=False)
        else:
            _join(address)
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]  # Ray's
        self.slots, share = room(machines, cpus)
        if not self.slots:
            ray.shutdown()
            most = max(int(machine.get("CPU", 0)) for machine in machines)
            raise UserError(f"no machine of the cluster has {cpus} processor cores for a job", hint=f"at most {most}")
        self._arguments = (cpus, share)
        self._task = ray.remote(_do).options(num_cpus=cpus, num_gpus=share, max_retries=0)
        self._at_work: dict[Any, tuple[Job, float]] = {}
        self._events: deque[Event] = deque()

    def start(self, job: Job) -> None:
        """Begin a job."""
        self._at_work[self._task.remote(job, *self._arguments)] = job, time.perf_counter()

    def wait(self) -> Event:
        """What happens next."""
        import ray

        while not self._events:
            # Ray tells of a process that died on standard output, which is for results.
            with redirect_stdout(sys.stderr):
                done, _ = ray.wait(list(self._at_work), num_returns=1)
            job, began = self._at_work.pop(done[0])
            try:
                self._events.extend(ray.get(done[0]))
            except ray.exceptions.RayError as error:
                self._events.append(Outcome(job.key, _ending(error), round(time.perf_counter() - began, 3)))
        return self._events.popleft()

    def close(self) -> None:
        """Leave the cluster, which ends what is at work there; stop it where it was started here."""
        import ray

        ray.shutdown()


def room(machines: Sequence[Mapping[str, float]], cpus: int) -> tuple[int, float]:
    """How many jobs a cluster has room for at once, and the share of a GPU that each gets.

    Args:
        machines: What each machine has, as Ray calls it.
        cpus: Processor cores that each job takes.
    """
    able = [one for one in machines if one.get("GPU")] or machines
    slots = [int(one.get("CPU", 0)) // cpus for one in able]
    sharing = [-(-count // int(one["GPU"])) for count, one in zip(slots, able, strict=True) if one.get("GPU")]
    # Ray counts in ten-thousandths.
    return sum(slots), int(10_000 / max(1, *sharing)) / 10_000 if sharing else 0.0


def _do(job: Job, threads: int, share: float) -> list[Event]:
    """Do a job, in a process of the cluster: what it said, and what became of it."""
    from outfitrec.benchmark.work import perform, prepare

    prepare(threads, share or 1.0)
    said: list[Event] = []

    def tell(event: Moved | Said) -> None:
        if isinstance(event, Said):
            said.append(event)

    outcome = perform(job, Telling(job.key, tell))
    gc.collect()
    return [*said, outcome]


def _init(address: str, **options: Any) -> None:
    import ray

    ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)


def _join(address: str) -> None:
    """Join a cluster that runs already.

    Raises:
        UserError: There is none.
    """
    if address != AUTO:
        _knock(address)
    problems: list[Exception] = []

    def join() -> None:
        try:
            _init(address)
        except Exception as error:  # of many kinds, all of which mean the same here
            problems.append(error)

    # To what is no cluster, or none any more, Ray would talk for minutes.
    thread = Thread(target=join, daemon=True)
    thread.start()
    thread.join(JOIN)
    if thread.is_alive():
        message = f"what answers at {address} did not let this process join in {JOIN:.0f} s: is it a Ray cluster?"
        raise UserError(message, hint="one with token authentication is joined with RAY_AUTH_MODE=token set")
    if problems:
        message = f"cannot join a Ray cluster at {address}: {str(problems[0]).splitlines()[0]}"
        raise UserError(message, hint=f"the address of a cluster is {FORMS}") from problems[0]


def _knock(address: str) -> None:
    """Make sure that somebody answers.

    Raises:
        UserError: Nobody does, or this is no address.
    """
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise UserError(f"{address} is not the address of a Ray cluster", hint=f"it is {FORMS}")
    try:
        socket.create_connection((host, port), ANSWER).close()
    except OSError as error:
        message = f"no Ray cluster answers at {address}: {error.strerror or error}"
        raise UserError(message, hint="'ray start --head' starts one, and says its address") from error


def _ending(error: Exception) -> str:
    """How a job of the cluster ended without an outcome, for people."""
    import ray

    lines = str(error).strip().splitlines() or [type(error).__name__]
    if isinstance(error, ray.exceptions.RayTaskError):
        # A traceback, which ends with what happened.
        return lines[-1]
    return f"its process on the cluster ended: {lines[0]}"
