"""The baselines' cold starts keep to the contract."""

from collections.abc import Callable
from typing import Any

from outfitrec.testing import parametrize_with_checks
from outfitrec.testing.targets import subjects

ANCHORS: dict[str, Any] = {"preference": {"name": "anchors", "anchors": 8, "score": "mean"}}


@parametrize_with_checks(
    [
        "cold_start/impersonal",
        "cold_start/anchor_search",
        "cold_start/user_search",
        "cold_start/anchor_optimization",
        *(
            one
            for reading in ("closest_mean", "all_users")
            for one in subjects("cold_start/anchor_search", fields={"reading": reading}, beside=ANCHORS)
        ),
    ]
)
def test_contract(check: Callable[[], None]) -> None:
    check()
