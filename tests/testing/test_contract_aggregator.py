"""The built-in aggregators keep to the contract, and checks of aggregators are right for sound ones."""

from collections.abc import Callable

import torch
from mutants.aggregator import MoreOrdered, Ordered, Pooling, Slotted, Sound, Trusting
from mutants.preference import FromZero, Keeping, OverItems
from torch import Tensor

from outfitrec.testing import check_component, parametrize_with_checks
from outfitrec.testing.kinds.aggregator import _kept, littered, most, outfits, padded
from outfitrec.testing.targets import subjects


@parametrize_with_checks(["aggregator/mean", "aggregator/set_transformer"])
def test_built_in_aggregators_keep_to_the_contract(check: Callable[[], None]) -> None:
    check()


def test_sound_aggregators_pass() -> None:
    for cls in (Sound, Ordered, Pooling):
        report = check_component(cls, kind="aggregator")
        assert report.ok, report


def test_an_aggregator_that_reads_the_order_says_so() -> None:
    name = "does_not_depend_on_the_order_of_slots"
    (result,) = check_component(Ordered, kind="aggregator", only=[name]).results
    assert result.state == "not applicable"
    (result,) = check_component(MoreOrdered, kind="aggregator", only=[name]).results
    assert result.state == "failed"
    assert "in other slots its state differs by" in result.message
    assert "'slots'" in result.hint


def test_a_state_that_keeps_the_slots_is_judged_by_the_scores() -> None:
    report = check_component(Keeping, kind="aggregator", beside={"preference": OverItems})
    assert report.ok, report
    (result,) = check_component(Slotted, kind="aggregator", only=["ignores_further_empty_slots"]).results
    assert result.message == "with 3 empty slots more its state is of shape [[8, 7, 16]], not [[8, 4, 16]]"
    assert "name the preference that reads it" in result.hint


def test_the_outfits_are_as_the_engine_passes_them() -> None:
    (subject,) = subjects(Sound, kind="aggregator")
    found = outfits(subject, (3, 4))
    mask = found["mask"]
    assert mask.sum(dim=1).tolist() == [3, 4] * 4
    # Of three items the empty slot is not always the last one.
    assert len(set(mask[::2].int().argmin(dim=1).tolist())) > 1
    assert torch.equal(found["category"] < 0, ~mask)
    assert not found["items"][~mask].any()
    for row in range(8):
        assert len(found["items"][row][mask[row]].unique(dim=0)) == mask[row].sum()
    wide = littered(padded(found))
    assert wide["items"].shape == (8, 7, 16)
    assert torch.equal(wide["items"][wide["mask"]], found["items"][mask])
    assert wide["items"][~wide["mask"]].any(dim=1).all()


def test_large_outfits_have_no_more_of_a_category_than_training_outfits_where_it_asks() -> None:
    from outfitrec import component, given

    @component
    class ByCategory(Sound):
        """Asks how many items there are."""

        most: tuple[int, ...] = given("by category, the most items of it in a training outfit")

    (subject,) = subjects(ByCategory, kind="aggregator")
    assert most(subject) == 4
    for row in outfits(subject, (4,))["category"]:
        assert sorted(row.tolist()) == [0, 0, 1, 2]
    (subject,) = subjects(Sound, kind="aggregator")
    assert most(subject) == 8


def test_an_order_of_slots_can_keep_that_of_each_category() -> None:
    category = torch.tensor([[0, -1, 0, 1, 0]])
    order = torch.tensor([[4, 3, 0, 2, 1]])
    kept: Tensor = _kept(order, category)
    assert kept.tolist() == [[0, 3, 2, 4, 1]]


def test_the_scores_of_a_preference_that_starts_at_zero_tell_as_much() -> None:
    assert check_component(Sound, kind="aggregator", beside={"preference": FromZero}).ok
    assert not check_component(
        Trusting, kind="aggregator", beside={"preference": FromZero}, only=["ignores_what_is_in_empty_slots"]
    ).ok
