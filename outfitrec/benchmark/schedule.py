"""The order of jobs: each after those that it needs, as many at once as there is room for."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from graphlib import TopologicalSorter
from types import MappingProxyType

from outfitrec.benchmark.executors import Executor
from outfitrec.benchmark.jobs import Event, Job, Outcome


def execute(
    jobs: Sequence[Job],
    executor: Executor,
    listen: Callable[[Event], None],
    before: Mapping[str, Outcome] = MappingProxyType({}),
) -> dict[str, Outcome]:
    """Do jobs: those that most others wait for first, else in the order given.

    A job that needs a failed one is not started, and has failed too.

    Args:
        jobs: The jobs.
        executor: Does them. It is not closed.
        listen: Hears all that happens.
        before: What became of jobs that were done before, which these may need.

    Returns:
        What became of each of these jobs, by its key.

    Raises:
        ValueError: Two jobs have one key, a job needs one that is not there, or jobs need each other.
    """
    known = {job.key: job for job in jobs}
    if len(known) < len(jobs):
        raise ValueError("several jobs have one key")
    unknown = {need for job in jobs for need in job.needs} - known.keys() - before.keys()
    if unknown:
        raise ValueError(f"jobs need others that are not there: {sorted(unknown)}")
    rank = _ranks(known)
    order = _order(known)
    order.prepare()
    outcomes = dict(before)
    ready: list[str] = []
    at_work = 0

    def end(outcome: Outcome) -> None:
        outcomes[outcome.key] = outcome
        order.done(outcome.key)
        listen(outcome)

    while order.is_active():
        for key in order.get_ready():
            failed = [need for need in known[key].needs if outcomes[need].error]
            if failed:
                name = known[failed[0]].name if failed[0] in known else failed[0]
                end(Outcome(key, f"{name} failed: {outcomes[failed[0]].error.splitlines()[0]}"))
            else:
                ready.append(key)
        ready.sort(key=rank.__getitem__)
        while ready and at_work < executor.slots:
            executor.start(known[ready.pop(0)])
            at_work += 1
        if at_work:
            event = executor.wait()
            if isinstance(event, Outcome):
                at_work -= 1
                end(event)
            else:
                listen(event)
    return {key: outcomes[key] for key in known}


def _order(jobs: Mapping[str, Job]) -> TopologicalSorter[str]:
    return TopologicalSorter({key: [need for need in job.needs if need in jobs] for key, job in jobs.items()})


def _ranks(jobs: Mapping[str, Job]) -> dict[str, tuple[int, int]]:
    """By job, what decides which of two is first: more that wait for it, be it for others too; then its place."""
    before: dict[str, set[str]] = {}
    for key in _order(jobs).static_order():
        needs = {need for need in jobs[key].needs if need in jobs}
        before[key] = needs.union(*(before[need] for need in needs))
    waiting = Counter(key for some in before.values() for key in some)
    return {key: (-waiting[key], place) for place, key in enumerate(jobs)}
