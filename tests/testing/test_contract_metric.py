"""The built-in metrics keep to the contract."""

from collections.abc import Callable

import pytest
from mutants.metric import ByPlace, Sound, Turned, auc

from outfitrec.testing import check_component, parametrize_with_checks
from outfitrec.testing.targets import subjects


@parametrize_with_checks(
    [
        *subjects("metric/auc", oracle=auc),
        "metric/ndcg",
        "metric/ndcg_at",
        "metric/hit_rate",
        *(one for name in ("ndcg_at", "hit_rate") for one in subjects(f"metric/{name}", fields={"k": 3})),
    ]
)
def test_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("sound", [Sound, Turned])
def test_sound_metrics_pass(sound: type[object]) -> None:
    report = check_component(sound, kind="metric")
    assert report.ok, report


def test_messages_name_the_values() -> None:
    (result,) = check_component(ByPlace, kind="metric", only=["breaks_ties_neutrally"]).results
    # Two relevant rows on top of eight equal ones: a perfect ranking, by nothing but their place.
    assert result.message == ("of 8 scores 8 are equal, from rank 1: it gives 1; the mean over their orders is 0.5")
