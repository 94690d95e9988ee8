"""The built-in distillers keep to the contract."""

from collections.abc import Callable

import pytest
from mutants.distiller import Sound, weights

from outfitrec.testing import check_component, parametrize_with_checks
from outfitrec.testing.targets import subjects


@parametrize_with_checks(["distiller/fnd", *subjects("distiller/fnd", fields={"alpha": 1.0}, oracle=weights)])
def test_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("sound", [Sound])
def test_sound_distillers_pass(sound: type[object]) -> None:
    report = check_component(sound, kind="distiller")
    assert report.ok, report
