"""The baselines' preferences keep to the contract."""

from collections.abc import Callable

from outfitrec.testing import parametrize_with_checks


@parametrize_with_checks(
    [f"preference/{name}" for name in ("compatibility", "fhn", "anchors", "relevancy", "outfitnet")]
)
def test_preferences_keep_to_the_contract(check: Callable[[], None]) -> None:
    check()
