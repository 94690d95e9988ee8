"""A program for tests: does jobs in processes."""

import pickle
import signal
import sys
from contextlib import closing
from pathlib import Path

from outfitrec.benchmark.executors.local import LocalExecutor
from outfitrec.benchmark.schedule import execute


def main() -> None:
    """``JOBS``: a file of pickled jobs."""
    # Shells ignore it for what they start in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    jobs = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301  # the test's own
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    try:
        with closing(LocalExecutor(2)) as executor:
            outcomes = execute(jobs, executor, lambda event: None)
    except KeyboardInterrupt:
        sys.exit("interrupted")
    sys.exit("\n".join(outcome.error for outcome in outcomes.values()))


main()
