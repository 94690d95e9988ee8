"""Jobs in processes of this machine."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from odd_jobs import odd_job

from outfitrec.benchmark.executors import local
from outfitrec.benchmark.executors.local import LocalExecutor, part, threads_each, usable_cores
from outfitrec.benchmark.executors.telling import Telling
from outfitrec.benchmark.jobs import Event, Job, Moved, Outcome, Said
from outfitrec.benchmark.schedule import execute
from outfitrec.core.engine import run
from outfitrec.core.errors import UserError
from outfitrec.core.runs import Run

PROC = pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are listed by /proc")
TWO = pytest.mark.skipif(usable_cores() < 2, reason="two jobs at once need two processor cores")
# Seconds for which a test waits for what is to happen at once, on a busy machine.
PATIENCE = 60.0


@pytest.fixture(scope="module")
def executor() -> Iterator[LocalExecutor]:
    # Where a shell ignores Ctrl-C for what it starts in the background, no process would hear of one in any case.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    with closing(LocalExecutor(2)) as executor:
        yield executor
    signal.signal(signal.SIGINT, handler)


def done(executor: LocalExecutor, *jobs: Job) -> dict[str, Outcome]:
    return execute(jobs, executor, lambda event: None)


def told(file: Path) -> Any:
    """What a job wrote into a file."""
    wait_for(file)
    return json.loads(file.read_text())


def wait_for(*files: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not all(file.exists() for file in files):
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.05)


def lives(process: int) -> bool:
    """Whether a process runs, and is not one that ended and of which nobody has taken notice."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until_ended(*processes: int) -> None:
    until = time.monotonic() + PATIENCE
    while any(map(lives, processes)):
        assert time.monotonic() < until, "a process does not end"
        time.sleep(0.05)


@TWO
def test_two_jobs_are_at_work_at_once(tmp_path: Path, executor: LocalExecutor) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    outcomes = done(executor, *(odd_job(tmp_path, key, "meet", meeting) for key in ("one", "two")))
    assert [one.error for one in outcomes.values()] == ["", ""]


@TWO
def test_a_job_finds_what_run_finds(tmp_path: Path, executor: LocalExecutor) -> None:
    job = odd_job(tmp_path / "jobs")
    heard: list[Event] = []
    outcome = execute([job], executor, heard.append)[job.key]
    assert outcome.error == ""
    threads = torch.get_num_threads()
    torch.set_num_threads(threads_each(2))
    try:
        expected = run(job.facts["recipe"], out=tmp_path / "run")
    finally:
        torch.set_num_threads(threads)
    found = Run(Path(outcome.found["directory"]))
    assert found.directory == tmp_path / "jobs" / expected.directory.name
    assert found.result.per_user == expected.result.per_user
    weights = expected.recommender.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in found.recommender.state_dict().items())
    assert Said("job", f"job: training, in {found.directory}") in heard


@TWO
def test_processes_live_for_many_jobs_and_share_the_cores(tmp_path: Path, executor: LocalExecutor) -> None:
    keys = [f"job-{number}" for number in range(6)]
    outcomes = done(executor, *(odd_job(tmp_path, key, "report") for key in keys))
    assert not any(one.error for one in outcomes.values())
    facts = [told(tmp_path / key) for key in keys]
    threads = threads_each(2)
    assert {(one["threads"], one["OMP_NUM_THREADS"]) for one in facts} == {(threads, str(threads))}
    assert len({one["pid"] for one in facts}) <= 2
    assert os.getpid() not in {one["pid"] for one in facts}


@TWO
@PROC
def test_a_job_whose_process_is_killed_has_failed_and_no_other(tmp_path: Path, executor: LocalExecutor) -> None:
    dying, other = odd_job(tmp_path, "dying", "die_with_child"), odd_job(tmp_path, "other", epochs=3)
    outcomes = done(executor, dying, other)
    # It left one behind that still holds its end of the pipe.
    left = int((tmp_path / "dying").read_text())
    assert lives(left)
    os.kill(left, signal.SIGKILL)
    assert outcomes["other"].error == ""
    message, hint = outcomes["dying"].error.splitlines()
    assert message == "its process was ended by SIGKILL"
    assert "memory" in hint
    assert 0 < outcomes["dying"].seconds < PATIENCE
    # It dies once.
    again = done(executor, dying)["dying"]
    assert again.error == ""
    assert Run(Path(again.found["directory"])).result.training["epochs"] == 1


def test_a_job_goes_on_when_ctrl_c_reaches_its_process(tmp_path: Path, executor: LocalExecutor) -> None:
    assert done(executor, odd_job(tmp_path, "job", "interrupt"))["job"].error == ""
    assert (tmp_path / "job").exists()


@TWO
@PROC
def test_a_process_that_is_killed_while_it_has_nothing_to_do_is_replaced(
    tmp_path: Path, executor: LocalExecutor
) -> None:
    first = odd_job(tmp_path, "first", "report")
    done(executor, first)
    process = told(tmp_path / "first")["pid"]
    os.kill(process, signal.SIGKILL)
    until_ended(process)
    outcomes = done(executor, *(odd_job(tmp_path, key, "report") for key in ("second", "third")))
    assert [one.error for one in outcomes.values()] == ["", ""]
    assert process not in {told(tmp_path / key)["pid"] for key in ("second", "third")}


@pytest.mark.parametrize(
    ("told", "jobs", "threads"),
    [
        (None, 1, 6),
        (None, 4, 1),
        ("", 2, 3),
        ("2", 1, 2),
        ("2", 3, 2),
        ("2", 4, 1),
        ("64", 2, 3),
        ("4,2", 1, 4),
        (" 5 ", 1, 5),
        ("0", 1, 1),
        ("many", 1, 6),
    ],
)
def test_processes_share_the_cores_and_have_no_more_threads_than_is_allowed(
    monkeypatch: pytest.MonkeyPatch, told: str | None, jobs: int, threads: int
) -> None:
    monkeypatch.setattr(local, "usable_cores", lambda: 6)
    if told is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert threads_each(jobs) == threads


@PROC
def test_threads_and_gpus_are_divided_before_a_process_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "usable_cores", lambda: 6)
    monkeypatch.setattr(local, "_gpus", lambda: ["4", "5", "6"])
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with closing(LocalExecutor(2)) as executor:
        assert done(executor, odd_job(tmp_path, "job", "report"))["job"].error == ""
        facts = told(tmp_path / "job")
        assert (facts["threads"], facts["OMP_NUM_THREADS"], facts["CUDA_VISIBLE_DEVICES"]) == (3, "3", "4,6")
        assert lives(facts["pid"])
    assert not lives(facts["pid"])


@TWO
@pytest.mark.skipif(torch.cuda.device_count() != 1, reason="there is not one GPU")
def test_processes_on_one_gpu_share_its_memory(tmp_path: Path, executor: LocalExecutor) -> None:
    done(executor, odd_job(tmp_path, "job", "report"))
    assert told(tmp_path / "job")["memory"] == 0.5


@given(st.lists(st.text("0123456789", min_size=1), unique=True), st.integers(1, 20))
def test_gpus_are_shared_evenly(gpus: list[str], slots: int) -> None:
    parts = [part(gpus, slot, slots) for slot in range(slots)]
    taken = {gpu: sum(share for some, share in parts if gpu in some) for gpu in gpus}
    # Each is used up, and no more.
    assert all(used == pytest.approx(1) for used in taken.values())
    counts = [len(some) for some, _ in parts]
    assert max(counts) - min(counts) <= 1
    assert min(share for _, share in parts) >= 1 / -(-slots // max(1, len(gpus)))


@pytest.mark.parametrize(
    ("visible", "gpus"), [(None, ["0", "1"]), ("3,1", ["3", "1"]), ("MIG-a, MIG-b", ["MIG-a", "MIG-b"])]
)
def test_gpus_are_those_that_this_process_may_use(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, gpus: list[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert local._gpus() == gpus


@pytest.mark.parametrize("jobs", [-1, 0, usable_cores() + 1])
def test_jobs_at_once_are_from_one_to_the_cores(jobs: int) -> None:
    with pytest.raises(UserError, match=f"--jobs: {jobs} ") as error:
        LocalExecutor(jobs)
    assert str(usable_cores()) in str(error.value)


@pytest.mark.parametrize(
    ("code", "words"), [(3, "exit code 3"), (-signal.SIGSEGV, "SIGSEGV"), (-signal.SIGKILL, "SIGKILL"), (-99, "99")]
)
def test_an_ending_is_told(code: int, words: str) -> None:
    text = local._ending(code)
    assert words in text.splitlines()[0]
    assert ("memory" in text) == (words == "SIGKILL")


def test_a_job_tells_of_its_work_twice_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    events: list[Event] = []
    telling = Telling("key", events.append)
    with telling.task("training", 1000, "pairs") as advance:
        for _ in range(1000):
            clock[0] += 1 / 64
            advance(1, loss=2.0)
    assert len(events) == 1000 // 32
    assert events[0] == Moved("key", "training", 32, 1000, "pairs")
    telling.message("hello")
    telling.warning("look out")
    assert events[-2:] == [Said("key", "hello"), Said("key", "look out", warning=True)]


@TWO
@PROC
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_parent_and_print_nothing_on_its_output(tmp_path: Path, end: signal.Signals) -> None:
    jobs = [odd_job(tmp_path / "out", key, "talk", tmp_path, epochs=100_000) for key in ("one", "two")]
    (tmp_path / "jobs").write_bytes(pickle.dumps(jobs))
    command = [sys.executable, str(Path(__file__).with_name("parent.py")), str(tmp_path / "jobs")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=environment
    ) as parent:
        try:
            processes = [told(tmp_path / key)["pid"] for key in ("one", "two")]
            assert all(map(lives, processes))
            if end == signal.SIGKILL:
                parent.kill()
            else:
                # As a terminal does: all of the group.
                os.killpg(parent.pid, signal.SIGINT)
            out, err = parent.communicate(timeout=PATIENCE)
        finally:
            parent.kill()
    until_ended(*processes)
    assert out == "begun\n"
    assert {"printed", "written", "echoed"} <= set(err.split())
    assert "Traceback" not in err
    assert ("interrupted" in err.split()) == (end == signal.SIGINT)
