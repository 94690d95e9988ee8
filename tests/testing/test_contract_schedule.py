"""The built-in schedules keep to the contract."""

from collections.abc import Callable

import pytest
from mutants.schedule import Patient, Sound

from outfitrec.testing import check_component, parametrize_with_checks
from outfitrec.testing.targets import subjects


@parametrize_with_checks(
    [
        "schedule/constant",
        "schedule/cosine",
        "schedule/one_cycle",
        "schedule/step",
        "schedule/exponential",
        "schedule/plateau",
        *subjects("schedule/cosine", fields={"warmup": 2.5, "final": 0.1}),
        *subjects("schedule/one_cycle", fields={"cycle_momentum": True, "three_phase": True}),
        *subjects("schedule/one_cycle", fields={"cycle_momentum": True}, beside={"optimizer": "adam"}),
        *subjects("schedule/plateau", fields={"patience": 1, "cooldown": 1}),
    ]
)
def test_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("sound", [Sound, Patient])
def test_sound_schedules_pass(sound: type[object]) -> None:
    report = check_component(sound, kind="schedule")
    assert report.ok, report


def test_a_schedule_may_refuse_a_run_of_one_step() -> None:
    (result,) = check_component(Patient, kind="schedule", only=["stands_a_run_of_one_step"]).results
    assert (result.state, result.message) == ("not applicable", "it refuses such a run: five epochs at least")
