"""What a search tries: the keys of a recipe, with ranges that are checked."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searched import complaints, searched, with_ranges
from tiny import master, student, tiny

from outfitrec.benchmark.search import Range, applied, read_ranges, space, values_of
from outfitrec.core.errors import RecipeError
from outfitrec.core.recipe import load_recipe
from outfitrec.core.settings import ModelSettings, Recipe, TrainSettings

LR = "train.optimizer.lr"
ODD = Path(__file__).with_name("odd_parts.py")
OUTSIDE = {
    "optimizer adam weight_decay": "0 is none at all, and how much of it is a question of magnitude",
    "optimizer sgd weight_decay": "likewise",
}


def recipe(**changes: Any) -> Recipe:
    terms = [
        {"name": "ranking", "loss": {"name": "npair", "temperature": 0.2}},
        {"name": "contrastive", "views": ["erase", "identity"], "weight": 0.3},
    ]
    return load_recipe(tiny(**{"objectives": terms, **changes}))


def wrong(found: Recipe, wanted: dict[str, Any]) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        space(found, wanted)
    return caught.value


def test_ranges_of_the_components_lie_within_their_limits_and_hold_the_defaults() -> None:
    fields = with_ranges("outfitrec")
    assert len(fields) > 40
    assert list(complaints(fields, OUTSIDE)) == []


def test_ranges_of_the_settings_lie_within_their_limits_and_hold_the_defaults() -> None:
    fields = {**searched(ModelSettings), **searched(TrainSettings)}
    assert list(fields) == ["dim", "batch", "clip_norm"]
    assert list(complaints(fields, {"clip_norm": "null is without it"})) == []


@pytest.mark.parametrize(
    ("values", "whole", "low", "high", "log"),
    [
        ((0.01, 0.1), False, 0.01, 0.1, True),
        ((0.02, 0.1), False, 0.02, 0.1, False),
        ((0.0, 1.0), False, 0.0, 1.0, False),
        ((-1, 10), False, -1.0, 10.0, False),
        ((1, 16), True, 1, 16, True),
        ((4, 8), True, 4, 8, False),
    ],
)
def test_two_numbers_are_a_range_by_magnitude_from_a_factor_of_ten_on(
    values: tuple[float, float], whole: bool, low: float, high: float, log: bool
) -> None:
    found = Range.of(values, whole=whole)
    assert (found.low, found.high, found.log, found.choices) == (low, high, log, ())
    assert {type(found.low), type(found.high)} == {int if whole else float}


@pytest.mark.parametrize(
    ("values", "choices"),
    [
        ((1, 2, 4), (1, 2, 4)),
        (("dot", "cosine"), ("dot", "cosine")),
        (([4, 8],), (4, 8)),
        ((False, True), (False, True)),
    ],
)
def test_anything_else_is_a_choice_and_so_are_two_numbers_in_a_list_of_their_own(
    values: tuple[Any, ...], choices: tuple[Any, ...]
) -> None:
    assert Range.of(values, whole=True).choices == choices


@given(st.floats(-5, 5), st.floats(0.001, 5), st.floats(0, 1))
def test_what_is_rounded_stays_in_its_range_and_loses_less_than_a_thousandth(
    low: float, width: float, share: float
) -> None:
    found = Range.of([low, low + width], whole=False)
    value = min(low + share * width, low + width)
    rounded = found.rounded(value)
    assert isinstance(rounded, float)
    assert found.low <= rounded <= found.high
    assert abs(rounded - value) <= 1e-3 * abs(value)


def test_the_nearest_value_of_a_range_is_the_value_itself_or_an_end() -> None:
    found = Range.of([0.1, 0.5], whole=False)
    assert [found.nearest(one) for one in (0, 0.3, 2)] == [0.1, 0.3, 0.5]
    for value in (None, "large", True):
        with pytest.raises(ValueError, match="not near"):
            found.nearest(value)


def test_a_recipe_s_own_numbers_are_searched_but_no_sizes_and_not_the_first_weight() -> None:
    # Ranges of what evaluates, and of what serves unknown users, are no concern of a training.
    drawn = {"name": "random_mix", "share": "pair", "count": 10}
    found = space(recipe(evaluate={"negatives": drawn, "cold_start": {"dataset": "tiny"}}))
    assert {key: str(one) for key, one in found.items()} == {
        "model.encoder.head.dropout": "0 to 0.7",
        "objectives.ranking.loss.temperature": "0.02 to 1, logarithmic",
        "objectives.contrastive.loss.temperature": "0.02 to 1, logarithmic",
        "objectives.contrastive.weight": "0.01 to 10, logarithmic",
        "train.optimizer.lr": "0.001 to 1, logarithmic",
        "train.optimizer.momentum": "0.5 to 0.99",
        "train.optimizer.weight_decay": "1e-06 to 0.001, logarithmic",
    }


def test_a_limit_is_searched_where_the_recipe_sets_it() -> None:
    train = {**tiny()["train"], "clip_norm": 2.0}
    assert "train.clip_norm" in space(recipe(train=train))
    assert "train.clip_norm" not in space(recipe())


def test_a_teacher_s_keys_are_searched_where_they_are_asked_for_alone() -> None:
    pupil = load_recipe(student(teacher=master(objectives=["ranking"])))
    assert not [key for key in space(pupil) if key.startswith("teacher")]
    wanted: dict[str, Any] = {
        "teacher.objectives.ranking.loss.temperature": [],
        "teacher.train.optimizer.lr": [0.01, 0.02],
    }
    assert [str(one) for one in space(pupil, wanted).values()] == ["0.02 to 1, logarithmic", "0.01 to 0.02"]


def test_only_what_is_wanted_is_searched_by_the_best_of_its_names() -> None:
    groups = {**tiny()["train"], "groups": {"preference.user": {"lr": 1.0}}}
    found = recipe(train=groups)
    wanted: dict[str, Any] = {
        "objectives.0.loss.temperature": [],
        "train.groups.preference.user.lr": [0.1, 10],
        "model.aggregator.heads": [[2, 4]],
    }
    assert {key: str(one) for key, one in space(found, wanted).items()} == {
        "objectives.ranking.loss.temperature": "0.02 to 1, logarithmic",
        "train.groups.preference.user.lr": "0.1 to 10, logarithmic",
        "model.aggregator.heads": "2, 4",
    }


def test_an_entry_that_shares_its_name_goes_by_its_position() -> None:
    views = [{"name": "replace", "count": 3}, {"name": "replace", "count": 5}]
    found = recipe(objectives=["ranking", {"name": "contrastive", "views": views}], neighbours=master(name="near"))
    key = "objectives.contrastive.views.1.count"
    assert list(space(found, {"objectives.1.views.1.count": [2, 9]})) == [key]
    assert values_of(found, [key]) == {key: 5}
    assert "no such key" in str(wrong(found, {"objectives.contrastive.views.replace.count": [2, 9]}))


def test_the_values_of_a_recipe_applied_to_it_change_nothing() -> None:
    groups = {**tiny()["train"], "groups": {"preference.user": {"lr": 1.0}}, "clip_norm": 2.0}
    found = recipe(train=groups)
    wanted: dict[str, Any] = {
        "train.groups.preference.user.lr": [0.1, 10],
        "train.patience": [1, 4],
        "image.flip": [False, True],
    }
    values = values_of(found, [*space(found), *space(found, wanted)])
    assert values["train.patience"] is None
    assert applied(found, values) == found
    assert applied(found, {**values, LR: 0.5}).train.optimizer.lr == 0.5


@pytest.mark.parametrize(
    ("key", "values", "message", "hint"),
    [
        ("train.optimiser.lr", [0.1, 1], "train.optimiser.lr: no such key", "did you mean 'train.optimizer.lr'?"),
        (LR, [-1, 1], "train.optimizer.lr: must be > 0, not -1.0", "learning rate"),
        (LR, [1, 0.1], "low must be less than high", "learning rate"),
        (LR, [0.1, float("inf")], "low must be less than high", "learning rate"),
        (LR, [0.1], "a list of different choices, at least two", ""),
        (LR, [0.1, 0.2, 0.1], "a list of different choices, at least two", ""),
        (LR, ["high", "low"], "must be a number > 0, not 'high'", ""),
        (LR, [[0.1, 0.2], [0.3]], "choices are numbers, words, truth values or null", ""),
        ("train.batch", [16.5, 32], "must be a whole number", ""),
        ("train.epochs", [], "has no range of its own", "write train.epochs=[LOW, HIGH]"),
        ("model.aggregator.heads", [2, 3, 4], "3 heads do not divide model.dim, which is 16", ""),
        ("model.aggregator.scale", ["head", "heads"], "must be one of head, dim", "did you mean 'head'?"),
        ("train.optimizer", ["sgd", "adam"], "train.optimizer: no such key", ""),
        ("train.seed", [0, 9], "train.seed: not to be searched", ""),
        ("train.workers", [1, 2], "train.workers: not to be searched", ""),
        ("evaluate.seed", [0, 9], "evaluate.seed: not to be searched", ""),
        ("dataset.users", [2, 6], "dataset.users: not to be searched", ""),
        ("teacher.train.optimizer.lr", [0.1, 1], "teacher.train.optimizer.lr: no such key", ""),
    ],
)
def test_a_range_that_cannot_be_tried_is_refused(key: str, values: list[Any], message: str, hint: str) -> None:
    [problem] = wrong(recipe(), {key: values, "train.optimizer.momentum": []}).problems
    assert message in problem.message
    assert hint in problem.hint
    assert problem.where.startswith("range ")
    assert f"{key}=[" in problem.where


def test_all_that_is_wrong_with_ranges_is_said_at_once() -> None:
    assert len(wrong(recipe(), {"train.lr": [], LR: [0, 1], "train.batch": [2, 8], "name": [1, 2]}).problems) == 3


def test_a_recipe_without_ranges_says_so() -> None:
    changes = {
        "plugins": [*tiny()["plugins"], str(ODD)],
        "model": {"dim": 12, "encoder": {"name": "features", "size": 12, "head": "identity"}, "aggregator": "mean"},
        "train": {"optimizer": "plain"},
    }
    assert list(space(recipe(objectives=["ranking"], **changes))) == ["objectives.ranking.loss.temperature"]
    with pytest.raises(RecipeError, match="has no key with a range"):
        space(recipe(objectives=[{"name": "ranking", "loss": "gap"}], **changes))


def test_ranges_are_read_as_they_are_typed() -> None:
    assert read_ranges([f"{LR}=[1.0e-3, 1]", "train.batch", "image.flip=[true, false]"]) == {
        LR: [0.001, 1],
        "train.batch": [],
        "image.flip": [True, False],
    }
    with pytest.raises(RecipeError) as caught:
        read_ranges([f"{LR}=0.1", "a..b=[1, 2]", "train.batch=[1"])
    assert len(caught.value.problems) >= 1
