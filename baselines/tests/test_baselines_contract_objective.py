"""The baselines' objectives keep to the contract."""

from collections.abc import Callable

from outfitrec.testing import parametrize_with_checks


@parametrize_with_checks(
    ["objective/sequence", "objective/item_relevancy", "objective/triplet", "objective/anchor_regularizer"]
)
def test_contract(check: Callable[[], None]) -> None:
    check()
