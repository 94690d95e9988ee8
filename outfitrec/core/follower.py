"""A process that trains what the leading process tells it, and writes nothing."""

import os
import sys
from pathlib import Path
from threading import Thread

from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import OutfitrecError
from outfitrec.core.processes import READY, joined
from outfitrec.core.recipe import load_recipe
from outfitrec.core.session import Options, Session
from outfitrec.core.team import Team
from outfitrec.core.training import Before, Training


def follow(team: Team) -> None:
    """Train with the leader until it has nothing more to train."""
    while (job := team.broadcast(None)) is not None:
        recipe = load_recipe(job["recipe"])
        options = Options(out=Path(job["out"]), team=team)
        before = Before.at({key: Path(path) for key, path in job["before"].items()})
        session = Session(recipe, load_dataset(recipe), job["role"], options)
        Training(session).follow(before, team)


def main() -> None:
    """Join the leader on this machine: ``RANK SIZE PORT``. The process ends when its standard input does."""
    rank, size, port = map(int, sys.argv[1:])
    Thread(target=_end_with_leader, daemon=True).start()
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    # The leader alone talks.
    sys.stdout = sys.stderr
    try:
        with joined(Team(rank, size), f"tcp://127.0.0.1:{port}") as team:
            follow(team)
    except OutfitrecError as error:
        # In one line, which the leader repeats.
        sys.exit("; ".join(problem.message for problem in error.problems))


def _end_with_leader() -> None:
    sys.stdin.buffer.read()
    # Whatever the process waits for, nobody is there any more to give it.
    os._exit(1)


if __name__ == "__main__":
    main()
