"""The baselines' aggregators keep to the contract."""

from collections.abc import Callable

from outfitrec.testing import parametrize_with_checks


@parametrize_with_checks([f"aggregator/{name}" for name in ("items", "lpae", "bi_lstm", "type_aware", "sce_net")])
def test_aggregators_keep_to_the_contract(check: Callable[[], None]) -> None:
    check()
