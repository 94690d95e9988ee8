"""The built-in contrastive losses keep to the contract."""

from collections.abc import Callable

import pytest
from mutants.contrast import Labelled, Sound

from outfitrec.testing import check_component, parametrize_with_checks


@parametrize_with_checks(["contrast/nt_xent", "contrast/supervised"])
def test_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("sound", [Sound, Labelled])
def test_sound_contrastive_losses_pass(sound: type[object]) -> None:
    report = check_component(sound, kind="contrast")
    assert report.ok, report
