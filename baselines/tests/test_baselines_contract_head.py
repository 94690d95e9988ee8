"""The baselines' heads keep to the contract."""

from collections.abc import Callable

from outfitrec.testing import parametrize_with_checks


@parametrize_with_checks(["head/by_category", "head/lpae"])
def test_heads_keep_to_the_contract(check: Callable[[], None]) -> None:
    check()
