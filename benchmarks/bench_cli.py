"""How long commands take to answer, each in a process of its own."""

import statistics
import subprocess
import sys
from collections.abc import Callable

from benchmarks.timing import in_turn, table

REPEATS = 5
PROGRAM = "from outfitrec.cli import main; main()"


def process(code: str, *arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, check=True
    )  # our own code


def main() -> None:
    """Print the median time of each command; of ``validate``, what it takes beyond importing torch."""
    commands = ("--help", "ls", "plugins")
    things = {name: process(PROGRAM, name) for name in commands}
    things |= {"torch": process("import torch"), "validate": process(PROGRAM, "validate", "npair")}
    taken = in_turn(things, REPEATS, warmup=1)
    seconds = {name: statistics.median(some) for name, some in taken.items()}
    beyond = statistics.median(a - b for a, b in zip(taken["validate"], taken["torch"], strict=True))
    rows: list[tuple[str, ...]] = [(f"outfitrec {name}", f"{seconds[name]:.2f} s", "0.4 s") for name in commands]
    rows.append(("outfitrec validate npair, beyond 'import torch'", f"{beyond:.2f} s", "1 s"))
    table("Command line (median wall time)", ("command", "time", "at most"), rows)


if __name__ == "__main__":
    main()
