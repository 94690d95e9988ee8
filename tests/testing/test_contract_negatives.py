"""The built-in negatives keep to the contract."""

from collections.abc import Callable

import pytest
from mutants.negatives import OfEachOther, Sound

from outfitrec.testing import World, check_component, parametrize_with_checks
from outfitrec.testing.targets import subjects
from outfitrec.testing.world import ITEMS

EACH_ITS_OWN = {"share": "pair", "count": 3}


@parametrize_with_checks(
    [
        "negatives/random_mix",
        "negatives/hard",
        "negatives/mixed",
        "negatives/stored",
        *(
            one
            for name in ("random_mix", "hard", "mixed")
            for one in subjects(f"negatives/{name}", fields=EACH_ITS_OWN)
        ),
    ]
)
def test_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("sound", [Sound, OfEachOther])
def test_sound_negatives_pass(sound: type[object]) -> None:
    report = check_component(sound, kind="negatives")
    assert report.ok, str(report)


def test_negatives_for_evaluation_are_not_asked_for_one_pair() -> None:
    (result,) = check_component("negatives/stored", only=["draws_for_one_pair"]).results
    assert result.state == "not applicable"


@pytest.mark.parametrize("pool", [6, ITEMS])
def test_outfits_of_a_world_are_of_its_pool_and_its_wrong_ones_were_posted_by_nobody(pool: int) -> None:
    for split in World(pool).dataset.splits.values():
        posted = {frozenset(row) for row in split.positives.outfits.items.tolist()}
        wrong = split.negatives["random"].outfits.items
        assert len(posted) == len(split)
        assert not posted & {frozenset(row) for row in wrong.tolist()}
        for items in (split.positives.outfits.items, wrong):
            assert int((items[items >= 0] % ITEMS).max()) < pool
