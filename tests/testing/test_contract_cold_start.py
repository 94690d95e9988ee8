"""The built-in cold starts keep to the contract."""

from collections.abc import Callable

from mutants.cold_start import Sound

from outfitrec.testing import check_component, parametrize_with_checks


@parametrize_with_checks(["cold_start/average", "cold_start/weighted_average"])
def test_contract(check: Callable[[], None]) -> None:
    check()


def test_a_sound_cold_start_passes() -> None:
    report = check_component(Sound, kind="cold_start")
    assert report.ok, str(report)
