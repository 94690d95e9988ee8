"""The built-in objectives keep to the contract."""

from collections.abc import Callable

import pytest
from mutants.objective import Late, OfItems, Sound

from outfitrec.testing import check_component, parametrize_with_checks


@parametrize_with_checks(
    [
        "objective/ranking",
        "objective/contrastive",
        "objective/rank_distillation",
        "objective/score_regression",
        "objective/hint",
        "objective/relational",
        "objective/reconstruction",
    ]
)
def test_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("sound", [Sound, Late, OfItems])
def test_sound_objectives_pass(sound: type[object]) -> None:
    report = check_component(sound, kind="objective")
    assert report.ok, report
