"""``outfitrec check`` on the command line, and the checks as tests of pytest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import document, invoke

from outfitrec.testing import checks_of

SUITE = """
from mutants.loss import Sound, Summed
from outfitrec.testing import Subject, parametrize_with_checks
from outfitrec.testing.targets import subjects

KNOWN = {"does_not_grow_with_the_number_of_pairs": "a sum"}

@parametrize_with_checks(["loss/npair", *subjects(Summed, kind="loss", expected=KNOWN)])
def test_contract(check):
    check()

@parametrize_with_checks(subjects(Summed, kind="loss"))
def test_broken(check):
    check()

@parametrize_with_checks(subjects(Sound, kind="loss", expected={"is_a_scalar": "no reason"}))
def test_unexpected(check):
    check()

@parametrize_with_checks(["loss/bpr"], expected={"loss/bpr": {"is_a_scalar": "no reason"}})
def test_unexpected_by_target(check):
    check()
"""


def test_counts_are_printed_and_every_check_on_request() -> None:
    result = invoke("check", "loss/npair", "temperature=0.5")
    assert result.exit_code == 0, result.stderr
    count = len(checks_of("loss"))
    assert f"loss/npair(temperature=0.5): {count} checks: " in result.stdout
    assert "is_a_scalar" not in result.stdout
    assert "is_a_scalar: passed" in invoke("check", "loss/npair", "-v").stdout


def test_the_checks_of_a_component_are_listed() -> None:
    found = document("check", "loss/npair", "--list")
    assert [(one["kind"], one["name"]) for one in found] == [(one.kind, one.name) for one in checks_of("loss")]
    assert all(one["summary"].endswith(".") and one["since"] >= 1 for one in found)
    assert "falls_when_the_margin_grows" in invoke("check", "loss/npair", "--list").stdout


def test_a_failure_ends_with_1_and_says_what_to_do() -> None:
    result = invoke("check", "mutants.loss:Summed", "--kind", "loss")
    assert result.exit_code == 1
    assert "does_not_grow_with_the_number_of_pairs" in result.stderr
    assert "take the mean over the pairs" in result.stderr
    assert "1 failed" in result.stdout


def test_the_document_has_every_result_also_of_a_failure() -> None:
    found = document("check", "loss/npair")
    assert found["ok"]
    assert found["counts"]["failed"] == 0
    assert len(found["results"]) == len(checks_of("loss"))
    result = invoke("check", "mutants.loss:Summed", "--kind", "loss", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["counts"]["failed"] == 1
    assert "mean" in found["error"]["problems"][0]["hint"]


@pytest.mark.parametrize("arguments", [("nothing-here",), ("loss/npair", "temperature=0"), ("loss/npair", "x=1")])
def test_a_mistake_in_what_was_written_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert invoke("check", *arguments).exit_code == 2


def test_nothing_checked_ends_with_1() -> None:
    result = invoke("check", "loss/npair", "--only", "survives_a_checkpoint")
    assert result.exit_code == 1
    assert "nothing was checked: it is no module of torch" in result.stderr


def test_checks_are_tests_of_pytest_with_expected_failures(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SUITE)
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "-W", "error", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": f"{here}:{here.parents[1]}", "PATH": "", "OMP_NUM_THREADS": "1"},
    )
    out = done.stdout
    assert done.returncode == 1, out + done.stderr
    assert "PASSED test_it.py::test_contract[loss/npair-is_a_scalar]" in out
    assert "XFAIL test_it.py::test_contract[loss/summed-does_not_grow_with_the_number_of_pairs]" in out
    failed = [line for line in out.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 3, failed
    assert any("test_broken[loss/summed-does_not_grow_with_the_number_of_pairs]" in line for line in failed)
    assert any("test_unexpected[loss/sound-is_a_scalar]" in line for line in failed)
    assert any("test_unexpected_by_target[loss/bpr-is_a_scalar]" in line for line in failed)
    # The stateless have no checkpoint to survive.
    assert "SKIPPED" in out


def test_what_is_no_target_is_said_to_be_none() -> None:
    # In a process of its own, since types are checked in this one.
    code = "from outfitrec.testing import check_component; check_component(42)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "UserError: 42 is nothing to check" in done.stderr
    assert "give a component's class" in done.stderr
