"""The built-in optimisers keep to the contract."""

from collections.abc import Callable

import pytest
from mutants.optimizer import Bare, Sound

from outfitrec.testing import check_component, parametrize_with_checks
from outfitrec.testing.targets import subjects


@parametrize_with_checks(
    [
        "optimizer/sgd",
        "optimizer/adam",
        "optimizer/adamw",
        *subjects("optimizer/sgd", fields={"nesterov": True, "weight_decay": 0.01}),
        *subjects("optimizer/adam", fields={"amsgrad": True}),
    ]
)
def test_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("sound", [Sound, Bare])
def test_sound_optimisers_pass(sound: type[object]) -> None:
    report = check_component(sound, kind="optimizer")
    assert report.ok, report


def test_an_optimiser_without_weight_decay_is_not_asked_for_it() -> None:
    (result,) = check_component(Bare, kind="optimizer", only=["decays_by_the_groups_weight_decay"]).results
    assert result.state == "not applicable"
