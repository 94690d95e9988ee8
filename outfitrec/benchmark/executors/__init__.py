"""Where jobs are done: in processes of this machine, or on others."""

from typing import Protocol, runtime_checkable

from outfitrec.benchmark.jobs import Event, Job


@runtime_checkable
class Executor(Protocol):
    """Does jobs, several at once. One that dies with its process is a failed job, and no more.

    Attributes:
        slots: Jobs that are done at once.
    """

    slots: int

    def start(self, job: Job) -> None:
        """Begin a job. Fewer than ``slots`` are at work."""
        ...

    def wait(self) -> Event:
        """What happens next; returns when something does. At least one job is at work."""
        ...

    def close(self) -> None:
        """End all that is at work, and give back what was taken."""
        ...
