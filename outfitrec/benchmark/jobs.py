"""What a benchmark does, in pieces: jobs, what became of them, and what is heard of them on the way."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs


@attrs.frozen
class Job:
    """A piece of work that a process does alone. Made of plain data, so that it can be sent anywhere.

    Attributes:
        key: What it is called, once in a benchmark: the name of the run directory that it fills, for a training.
        name: What people call it.
        task: What is to be done, one of `outfitrec.benchmark.work.TASKS`.
        facts: What the task needs to know, in JSON's types.
        needs: Keys of the jobs that come first.
        like: Shared by jobs that do the same but for the seed, and so take as long; empty where none is known.
    """

    key: str
    name: str
    task: str
    facts: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    like: str = ""


@attrs.frozen
class Outcome:
    """What became of a job.

    Attributes:
        key: The job.
        error: Why it failed, for people; empty where it did not.
        seconds: Time that it took.
        found: What the task returned, in JSON's types.
    """

    key: str
    error: str = ""
    seconds: float = 0.0
    found: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Moved:
    """A job that is at work has done a part of something.

    Attributes:
        key: The job.
        text: What it is doing.
        done: Units done, of ``total``.
        total: See above.
        unit: What is counted.
    """

    key: str
    text: str
    done: int
    total: int
    unit: str


@attrs.frozen
class Said:
    """A job that is at work has a line for the user.

    Attributes:
        key: The job.
        text: The line.
        warning: Whether it is one that the user should know of.
    """

    key: str
    text: str
    warning: bool = False


Event: TypeAlias = Outcome | Moved | Said
