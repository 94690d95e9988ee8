"""Jobs on a Ray cluster."""

import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from importlib import util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_jobs import odd_job

from outfitrec.benchmark.executors import ray as executors_ray
from outfitrec.benchmark.executors.local import usable_cores
from outfitrec.benchmark.executors.ray import RayExecutor, room
from outfitrec.benchmark.jobs import Event, Said
from outfitrec.benchmark.schedule import execute
from outfitrec.core.engine import run
from outfitrec.core.errors import UserError
from outfitrec.core.runs import Run

ray = pytest.importorskip("ray")

PATH = os.pathsep.join(filter(None, sys.path))


@pytest.fixture(scope="module")
def executor() -> Iterator[RayExecutor]:
    with pytest.MonkeyPatch.context() as patch:
        # Plugin files of tests import what is in the folders of tests.
        patch.setenv("PYTHONPATH", PATH)
        with closing(RayExecutor(None)) as executor:
            yield executor
    assert not ray.is_initialized()


def test_jobs_are_done_as_anywhere(tmp_path: Path, executor: RayExecutor, capfd: pytest.CaptureFixture[str]) -> None:
    assert executor.slots == usable_cores()
    jobs = [odd_job(tmp_path / "jobs", key) for key in ("one", "two", "three")]
    broken = odd_job(tmp_path / "jobs", "broken", accelerator="mps")
    heard: list[Event] = []
    outcomes = execute([*jobs, broken], executor, heard.append)
    assert [outcomes[job.key].error for job in jobs] == [""] * 3
    assert "this machine has no mps" in outcomes["broken"].error
    for job in jobs:
        found, expected = Run(Path(outcomes[job.key].found["directory"])), run(job.facts["recipe"], out=tmp_path)
        assert found.directory == tmp_path / "jobs" / expected.directory.name
        assert found.result.per_user == expected.result.per_user
        assert found.manifest["hardware"]["threads"] == 1
        # What it said is heard, though late.
        said = heard.index(Said(job.key, f"{job.key}: training, in {found.directory}"))
        assert said < heard.index(outcomes[job.key])
    assert capfd.readouterr().out == ""


def test_a_job_whose_process_is_killed_has_failed_and_no_other(tmp_path: Path, executor: RayExecutor) -> None:
    dying, other = odd_job(tmp_path, "dying", "die"), odd_job(tmp_path, "other")
    outcomes = execute([dying, other], executor, lambda event: None)
    assert outcomes["other"].error == ""
    assert outcomes["dying"].error.startswith("its process on the cluster ended: ")
    assert outcomes["dying"].seconds > 0
    # It dies once.
    assert execute([dying], executor, lambda event: None)["dying"].error == ""


def test_what_a_machine_lacks_is_an_error_of_the_job(
    tmp_path: Path, executor: RayExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*arguments: object) -> list[Event]:
        raise ModuleNotFoundError("No module named 'plugin_of_mine'")

    monkeypatch.setattr(executor, "_task", ray.remote(lacking).options(max_retries=0))
    outcome = execute([odd_job(tmp_path)], executor, lambda event: None)["job"]
    assert outcome.error == "ModuleNotFoundError: No module named 'plugin_of_mine'"


# Another process, which has joined the cluster, leaves it again.
JOINING = """
import pickle, sys
from contextlib import closing
from pathlib import Path
from outfitrec.benchmark.executors.ray import RayExecutor
from outfitrec.benchmark.schedule import execute
from outfitrec.core.errors import UserError

address, jobs = sys.argv[1], pickle.loads(Path(sys.argv[2]).read_bytes())
try:
    RayExecutor(address, cpus=1000)
except UserError as error:
    print(error)
with closing(RayExecutor(address)) as executor:
    for outcome in execute(jobs, executor, lambda event: None).values():
        print(outcome.key, outcome.error)
"""


@pytest.mark.slow
def test_a_cluster_that_runs_already_is_joined_and_left_as_it_is(tmp_path: Path, executor: RayExecutor) -> None:
    (tmp_path / "jobs").write_bytes(pickle.dumps([odd_job(tmp_path / "out", "theirs")]))
    address = ray.get_runtime_context().gcs_address
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", JOINING, address, str(tmp_path / "jobs")],
        env={**os.environ, "PYTHONPATH": PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    message, hint, outcome = done.stdout.splitlines()
    assert message == "no machine of the cluster has 1000 processor cores for a job"
    assert hint.strip() == f"at most {usable_cores()}"
    assert outcome.strip() == "theirs"
    assert execute([odd_job(tmp_path, "ours")], executor, lambda event: None)["ours"].error == ""


@given(
    st.lists(st.fixed_dictionaries({"CPU": st.integers(0, 64)}, optional={"GPU": st.integers(1, 8)}), min_size=1),
    st.integers(1, 8),
)
def test_a_cluster_has_room_for_all_that_are_at_work_at_once(machines: list[dict[str, float]], cpus: int) -> None:
    slots, share = room(machines, cpus)
    gpus = [one for one in machines if "GPU" in one]
    assert slots == sum(int(one["CPU"]) // cpus for one in gpus or machines)
    assert (share > 0) == bool(gpus)
    assert share <= 1
    for one in gpus:
        # As Ray counts: a job is on one GPU.
        assert one["GPU"] * int(1 / share + 1e-9) >= int(one["CPU"]) // cpus


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:{port}", "no Ray cluster answers at 127.0.0.1:.*refused"),
        ("ray://127.0.0.1:{port}", "no Ray cluster answers at ray://127.0.0.1:.*refused"),
        ("nowhere", "nowhere is not the address of a Ray cluster"),
        ("127.0.0.1:many", "127.0.0.1:many is not the address"),
        ("there.invalid:6379", "no Ray cluster answers at there.invalid:6379"),
    ],
)
def test_an_address_at_which_nobody_answers_is_told_at_once(address: str, message: str) -> None:
    with socket.socket() as unused:
        # Taken, so that nobody else has it, and not listened at.
        unused.bind(("127.0.0.1", 0))
        began = time.monotonic()
        with pytest.raises(UserError, match=message):
            RayExecutor(address.format(port=unused.getsockname()[1]))
    assert time.monotonic() - began < 10


def test_what_answers_and_is_no_cluster_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # In place of Ray, which would talk to it for minutes, and go on when the test is over.
    monkeypatch.setattr(executors_ray, "_init", lambda address: time.sleep(1))
    monkeypatch.setattr(executors_ray, "JOIN", 0.1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UserError, match="did not let this process join in 0 s: is it a Ray cluster"):
            RayExecutor(f"127.0.0.1:{other.getsockname()[1]}")


def test_what_ray_says_of_a_cluster_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: str) -> None:
        raise RuntimeError("Version mismatch: …\nThe cluster was started with …")

    monkeypatch.setattr(executors_ray, "_init", refuse)
    with pytest.raises(UserError, match="cannot join a Ray cluster at auto: Version mismatch: …\n"):
        RayExecutor("auto")


def test_a_job_takes_a_core_at_least() -> None:
    with pytest.raises(UserError, match="0 processor cores are too few"):
        RayExecutor(None, cpus=0)


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outfitrec.core.extras.find_spec", lambda name: None if name == "ray" else util.find_spec(name))
    with pytest.raises(UserError, match=r"not installed: ray\n.*outfitrec\[ray\]"):
        RayExecutor(None)
