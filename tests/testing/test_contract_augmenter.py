"""The built-in augmenters keep to the contract."""

from collections.abc import Callable

from mutants.augmenter import Sound

from outfitrec.testing import check_component, parametrize_with_checks


@parametrize_with_checks(["augmenter/erase", "augmenter/identity", "augmenter/replace"])
def test_contract(check: Callable[[], None]) -> None:
    check()


def test_a_sound_augmenter_passes() -> None:
    report = check_component(Sound, kind="augmenter")
    assert report.ok, str(report)


def test_an_augmenter_that_empties_slots_need_not_keep_categories() -> None:
    (result,) = check_component("augmenter/erase", only=["keeps_categories_where_it_says_so"]).results
    assert result.state == "not applicable"
    (result,) = check_component("augmenter/replace", only=["keeps_categories_where_it_says_so"]).results
    assert result.state == "passed"
