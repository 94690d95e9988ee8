"""Jobs in processes of this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait

from outfitrec.benchmark.jobs import Event, Job, Outcome
from outfitrec.core.errors import Problem, UserError

# Where libraries look, as they are loaded, for the number of their threads.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
DEVICES = "CUDA_VISIBLE_DEVICES"
STDERR = 2
# Seconds that a process is given to end by itself.
GRACE = 5.0
# Seconds between two looks at whether processes live that say nothing.
LOOK = 1.0
MEMORY = "the system kills what takes too much memory: fewer --jobs at once, or a smaller train.batch, take less"


class LocalExecutor:
    """Does jobs in processes of this machine, each of which lives for many jobs.

    They share its cores evenly, and its GPUs: several each, or several of them on one with a part of its memory.
    None has more threads than ``OMP_NUM_THREADS`` says, where that is set.

    Args:
        jobs: Jobs that are done at once.

    Raises:
        UserError: ``jobs`` is less than 1, or more than the cores that this process may use.
    """

    def __init__(self, jobs: int) -> None:
        cores = usable_cores()
        if jobs < 1:
            raise UserError(f"--jobs: {jobs} is not a number of jobs at once", hint=f"1 to {cores} on this machine")
        if jobs > cores:
            message = f"--jobs: {jobs} jobs at once are too many for the {cores} processor cores that may be used here"
            raise UserError(message, hint=f"at most --jobs {cores}")
        self.slots = jobs
        self._threads = threads_each(jobs)
        self._gpus = _gpus()
        self._workers: dict[int, _Worker] = {}

    def start(self, job: Job) -> None:
        """Begin a job, in a process that has nothing to do or in a new one."""
        for slot in [slot for slot, worker in self._workers.items() if worker.job is None]:
            if self._workers[slot].begin(job):
                return
            # It died while it had nothing to do.
            self._workers.pop(slot).end()
        slot = min(set(range(self.slots)) - self._workers.keys())
        self._workers[slot] = _Worker(self._threads, *part(self._gpus, slot, self.slots))
        self._workers[slot].begin(job)

    def wait(self) -> Event:
        """What happens next."""
        while True:
            ready = wait([worker.pipe for worker in self._workers.values()], LOOK)
            for slot, worker in list(self._workers.items()):
                if worker.pipe not in ready and worker.process.poll() is None:
                    continue
                event = worker.hear()
                if event is None:
                    del self._workers[slot]
                    event = worker.ended()
                if event is not None:
                    return event

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers.values():
            worker.process.terminate()
        while self._workers:
            self._workers.popitem()[1].end()


class _Worker:
    """A process (see `outfitrec.benchmark.executors.worker`).

    Args:
        threads: Threads that it has.
        gpus: GPUs that it sees, as CUDA calls them; none where the machine has none.
        share: Its share of a GPU's memory.

    Attributes:
        job: What it is doing; None where it has nothing to do.
        pipe: What it hears and says.
        process: The process.
    """

    def __init__(self, threads: int, gpus: Sequence[str], share: float) -> None:
        self.job: Job | None = None
        self._began = 0.0
        ours, theirs = Pipe()
        self.pipe: Connection[Job, Event] = ours
        environment = {
            "TORCH_CPP_LOG_LEVEL": "ERROR",
            **os.environ,
            **dict.fromkeys(THREADS, str(threads)),
            **({DEVICES: ",".join(gpus)} if gpus else {}),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        arguments = [str(theirs.fileno()), str(threads), str(share)]
        with theirs, _uninterrupted():
            # A program of ours, with numbers for arguments. What it prints is no part of this process's output.
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "outfitrec.benchmark.executors.worker", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=STDERR,
                pass_fds=[theirs.fileno()],
                env=environment,
            )

    def begin(self, job: Job) -> bool:
        """Give it a job; whether it is there to take it."""
        self.job, self._began = job, time.perf_counter()
        try:
            self.pipe.send(job)
        except OSError:
            return False
        return True

    def hear(self) -> Event | None:
        """What it says; None where it has ended."""
        try:
            # A process that it started may hold the pipe open when it has ended: then nothing comes, not even the end.
            event = self.pipe.recv() if self.pipe.poll() else None
        except (EOFError, OSError):
            return None
        if isinstance(event, Outcome):
            self.job = None
        return event

    def ended(self) -> Outcome | None:
        """What became of its job now that it has ended; None where it had none."""
        seconds = round(time.perf_counter() - self._began, 3)
        error = _ending(self.end())
        return Outcome(self.job.key, error, seconds) if self.job else None

    def end(self) -> int:
        """See it end, if need be by force; its exit code."""
        self.pipe.close()
        try:
            return self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def part(gpus: Sequence[str], slot: int, slots: int) -> tuple[Sequence[str], float]:
    """The GPUs of one of several processes, and its share of their memory."""
    if not gpus:
        return (), 1.0
    if slots <= len(gpus):
        return gpus[slot::slots], 1.0
    first = slot % len(gpus)
    return gpus[first : first + 1], 1 / len(range(first, slots, len(gpus)))


def usable_cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_each(jobs: int) -> int:
    """Threads of each of so many processes: they share the cores, and have no more than ``OMP_NUM_THREADS`` allows."""
    # A list is of nested levels, the first of which is a process's own.
    told = os.environ.get(THREADS[0], "").partition(",")[0].strip()
    share = max(1, usable_cores() // jobs)
    return min(share, max(1, int(told))) if told.isdecimal() else share


def _gpus() -> list[str]:
    """GPUs that this process may use, as CUDA calls them."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get(DEVICES)
    return [name.strip() for name in named.split(",")][:count] if named else [str(number) for number in range(count)]


def _ending(code: int) -> str:
    """How a process ended, for people."""
    if code >= 0:
        return f"its process ended by itself, with exit code {code}"
    names = {one.value: one.name for one in signal.Signals}
    message = f"its process was ended by {names.get(-code, f'signal {-code}')}"
    return str(Problem(message, hint=MEMORY if -code == signal.SIGKILL else ""))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that are started in the block never hear of Ctrl-C, not even as they start.

    It reaches every process of a terminal. The one that started them does, and ends them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
