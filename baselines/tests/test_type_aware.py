import math
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from pairwise import (
    check_finite_gradients,
    check_gradients,
    check_order_and_padding,
    check_start,
    check_triplets,
    distance,
    laid_out,
    linear,
    listed,
    masked,
    outfits,
    seeds,
    type_aware,
    unit,
)
from torch import nn

from outfitrec import DataError, RecipeError, create
from outfitrec_baselines.type_aware.aggregator import TypeAware

TYPES = ("top", "bottom", "shoe")


def aggregator(dim: int = 5, most: tuple[int, ...] = (2, 1, 1), **fields: Any) -> TypeAware:
    torch.manual_seed(3)
    made = TypeAware(dim=dim, categories=TYPES, most=most, **fields)
    return made.double()


def fields(**changes: Any) -> SimpleNamespace:
    """A recipe's fields."""
    return SimpleNamespace(**{"types": (), "projection": "mask", "bare_masks": False, **changes})


def by_types(made: TypeAware) -> dict[tuple[int, int], list[float]]:
    """The masks by the two types."""
    rows = made.get_parameter("masks.weight").tolist()
    return {(0, 1): rows[0], (0, 2): rows[1], (1, 2): rows[2], **({(0, 0): rows[3]} if len(rows) > 3 else {})}


@pytest.mark.parametrize("normalize", [True, False])
def test_state_is_minus_the_mean_distance_of_a_naive_loop(normalize: bool) -> None:
    made = aggregator(normalize=normalize)
    given = laid_out([[0, 1, 2], [0, 0, 1, 2], [2, 1], [-1, 1, -1, 0], [0, 0], [2, 0, 1, 0]], 5, seed=1)
    state = made(*given)
    for value, outfit in zip(state.tolist(), listed(*given), strict=True):
        assert value == pytest.approx(type_aware(outfit, by_types(made), normalize), abs=1e-12)


@pytest.mark.parametrize("normalize", [True, False])
def test_linear_layers_project_each_pair_by_its_own(normalize: bool) -> None:
    made = aggregator(projection="linear", normalize=normalize)
    items, mask, category = laid_out([[0, 1, 2], [2, 0, -1]], 5, seed=2)
    spaces = {pair: space for space, pair in enumerate([(0, 1), (0, 2), (1, 2), (0, 0)])}

    def lying(item: list[float], space: int) -> list[float]:
        found = linear(
            item,
            made.get_parameter(f"masks.{space}.weight").tolist(),
            made.get_parameter(f"masks.{space}.bias").tolist(),
        )
        return unit(found) if normalize else found

    first = listed(items, mask, category)[0]
    expected = [
        distance(lying(list(one), spaces[a, b]), lying(list(other), spaces[a, b]))
        for (a, one), (b, other) in combinations(first, 2)
    ]
    shoe, top = items[1, 0].tolist(), items[1, 1].tolist()
    state = made(items, mask, category).tolist()
    assert state[0] == pytest.approx(-sum(expected) / 3, abs=1e-12)
    assert state[1] == pytest.approx(-distance(lying(top, 1), lying(shoe, 1)), abs=1e-12)


def test_two_items_at_a_right_angle_have_the_root_of_two_between_them() -> None:
    made = aggregator(dim=2)
    nn.init.ones_(made.get_parameter("masks.weight"))
    items = torch.tensor([[[3.0, 0.0], [0.0, 0.5]]], dtype=torch.float64)
    state = made(items, torch.ones(1, 2, dtype=torch.bool), torch.tensor([[0, 1]]))
    assert state.item() == pytest.approx(-math.sqrt(2), abs=1e-6)
    # A mask that closes the second dimension leaves nothing of the other item.
    made.get_parameter("masks.weight").data[0] = torch.tensor([1.0, -2.0])
    state = made(items, torch.ones(1, 2, dtype=torch.bool), torch.tensor([[0, 1]]))
    assert state.item() == pytest.approx(-1, abs=1e-5)


@given(outfits, seeds)
def test_neither_order_nor_padding_nor_what_empty_slots_hold_matters(rows: list[list[int]], seed: int) -> None:
    check_order_and_padding(aggregator(), rows, seed)


@given(seeds)
def test_of_two_tops_the_order_counts_in_the_last_digits_alone(seed: int) -> None:
    made = aggregator()
    items, mask, category = laid_out([[0, 0, 1, 2]], 5, seed)
    other = made(items[:, [1, 0, 2, 3]], mask, category)
    torch.testing.assert_close(other, made(items, mask, category), rtol=0, atol=5e-6)


def test_subspaces_are_those_of_different_types_and_of_types_that_occur_twice() -> None:
    for most, spaces in (((1, 1, 1), 3), ((2, 1, 1), 4), ((2, 1, 3), 5), ((2, 2, 2), 6)):
        made = aggregator(most=most)
        assert len(made.get_parameter("masks.weight")) == spaces
        types = torch.arange(3)
        found = made.relation(types[:, None].expand(3, 3), types.expand(3, 3))
        assert (found == found.T).all()
        assert found.unique().tolist() == list(range(0 if spaces == 6 else -1, spaces))
        assert [count > 1 for count in most] == (found.diagonal() >= 0).tolist()


def test_masks_start_from_the_originals_distribution() -> None:
    check_start(aggregator(dim=4000).get_parameter("masks.weight"))


@pytest.mark.parametrize("projection", ["mask", "linear"])
def test_two_items_of_a_type_without_subspace_are_refused(projection: str) -> None:
    made = aggregator(projection=projection)
    rows = [[0, 1, 2], [2, 1, 2], [0, 0, 1]]
    with pytest.raises(DataError, match=r"type_aware: .* two items of type 'shoe': 1 of 3 outfits"):
        made(*laid_out(rows, 5, seed=0))
    assert made(*laid_out([rows[0], rows[2]], 5, seed=0)).shape == (2,)


def test_types_that_do_not_fit_the_dataset_are_refused() -> None:
    assert aggregator(types=("shoe", "top", "bottom"))(*laid_out([[0, 1, 2]], 5, seed=0)).shape == (1,)
    with pytest.raises(RecipeError, match=r"type_aware.*'shoe' missing(?s:.*)top, bottom, shoe"):
        aggregator(types=("top", "bottom"))
    with pytest.raises(RecipeError, match=r"type_aware.*'hat' unknown and 'shoe' missing"):
        aggregator(types=("top", "bottom", "hat"))


@pytest.mark.parametrize("types", [("top", "top", "bottom", "shoe"), ("a", "a", "b")])
def test_a_type_named_twice_is_refused(types: tuple[str, ...]) -> None:
    with pytest.raises(RecipeError, match=rf"type_aware: types: '{types[0]}' more than once"):
        aggregator(types=types)
    found = list(TypeAware.check_recipe(fields(types=types), None))
    assert found == [("types", f"'{types[0]}' more than once: name each type once")]


def test_bare_masks_are_refused_where_there_are_no_masks() -> None:
    with pytest.raises(RecipeError, match=r"type_aware: bare_masks: projection: linear has no masks"):
        aggregator(projection="linear", bare_masks=True)
    [(key, message)] = TypeAware.check_recipe(fields(projection="linear", bare_masks=True), None)
    assert (key, "no masks" in message) == ("bare_masks", True)
    for one in ({}, {"bare_masks": True}, {"projection": "linear"}, {"types": TYPES}):
        assert list(TypeAware.check_recipe(fields(**one), None)) == []


def test_bare_masks_are_those_of_evaluation_alone() -> None:
    bare, plain = aggregator(bare_masks=True), aggregator()
    items, space = laid_out([[0, 1, 2]], 5, seed=4)[0][0], torch.tensor([0, 1, 2])
    assert (bare.get_parameter("masks.weight")[:3] < 0).any()
    torch.testing.assert_close(bare.project(items, space), plain.project(items, space), rtol=0, atol=0)
    rows = bare.get_parameter("masks.weight").tolist()
    for found, relu in ((bare.eval(), False), (plain.eval(), True)):
        projected = found.project(items, space).tolist()
        for item, mask, value in zip(items.tolist(), rows[:3], projected, strict=True):
            assert value == pytest.approx(unit(masked(item, mask, relu)), abs=1e-12)


@pytest.mark.parametrize("projection", ["mask", "linear"])
def test_triplets_are_measured_as_outfits_of_two(projection: str) -> None:
    check_triplets(aggregator(projection=projection), [[0, 1, 1], [0, 0, 0], [1, 2, 2]], atol=1e-12)


def test_mask_norm_is_the_mean_sum_of_what_the_relu_leaves_or_of_the_weights() -> None:
    space = torch.tensor([0, 2, 2, 3, 1])
    made = aggregator()
    rows = made.get_parameter("masks.weight").tolist()
    expected = sum(max(one, 0.0) for k in space.tolist() for one in rows[k]) / 5
    assert made.mask_norm(space).item() == pytest.approx(expected, rel=1e-12)
    made = aggregator(projection="linear")
    total = sum(
        abs(one) for k in space.tolist() for row in made.get_parameter(f"masks.{k}.weight").tolist() for one in row
    )
    assert made.mask_norm(space).item() == pytest.approx(total / 5, rel=1e-12)


@pytest.mark.parametrize("projection", ["mask", "linear"])
def test_gradients_are_those_of_finite_differences(projection: str) -> None:
    check_gradients(aggregator(dim=3, projection=projection), [[0, 1, 2], [0, -1, 2], [0, 0, 1]])


def test_an_outfit_of_equal_items_and_closed_masks_have_finite_gradients() -> None:
    check_finite_gradients(aggregator(most=(2, 2, 2)))


def test_it_is_made_by_name_and_needs_two_items() -> None:
    made = create("aggregator", "type_aware", dim=8, categories=TYPES, most=(1, 1, 1))
    assert isinstance(made, TypeAware)
    assert made.fewest == 2
    assert sum(one.numel() for one in made.parameters()) == 3 * 8
