"""A process that does one job after another, as `LocalExecutor` tells it."""

import faulthandler
import gc
import os
import sys
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import NoReturn

from outfitrec.benchmark.executors.telling import Telling
from outfitrec.benchmark.jobs import Event, Job


def main() -> NoReturn:
    """Do jobs: ``PIPE THREADS SHARE``. The process ends when the other end of the pipe is closed.

    ``PIPE`` is the number of the file, ``THREADS`` of the threads, and ``SHARE`` what there is for this process of the
    memory of its GPU.
    """
    file, threads, share = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    os.set_inheritable(file, False)
    pipe: Connection[Event, Job] = Connection(file)
    faulthandler.enable()
    jobs: SimpleQueue[Job] = SimpleQueue()
    Thread(target=_listen, args=(pipe, jobs), daemon=True).start()

    from outfitrec.benchmark.work import perform, prepare

    prepare(threads, share)

    def tell(event: Event) -> None:
        try:
            pipe.send(event)
        except OSError:
            # Nobody is there any more.
            os._exit(1)

    while True:
        job = jobs.get()
        tell(perform(job, Telling(job.key, tell)))
        gc.collect()


def _listen(pipe: "Connection[Event, Job]", jobs: "SimpleQueue[Job]") -> NoReturn:
    try:
        while True:
            jobs.put(pipe.recv())
    finally:
        # In whatever the process is doing: a run can be resumed from any moment.
        os._exit(1)


if __name__ == "__main__":
    main()
