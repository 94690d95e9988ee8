import math
from itertools import combinations
from typing import Any

import pytest
import torch
from hypothesis import given
from pairwise import distance, laid_out, linear, listed, masked, outfits, seeds, type_aware, unit
from torch import Tensor, nn

from outfitrec import DataError, RecipeError, create
from outfitrec_baselines.type_aware.aggregator import TypeAware

TYPES = ("top", "bottom", "shoe")


def aggregator(dim: int = 5, most: tuple[int, ...] = (2, 1, 1), **fields: Any) -> TypeAware:
    torch.manual_seed(3)
    made = TypeAware(dim=dim, categories=TYPES, most=most, **fields)
    return made.double()


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
    made = aggregator()
    items, mask, category = laid_out(rows, 5, seed)
    state = made(items, mask, category)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(made(items[:, order], mask[:, order], category[:, order]), state, rtol=0, atol=1e-12)
    wide, there, types = laid_out(rows, 5, seed, width=4)
    wide = torch.cat([wide, torch.full((len(rows), 2, 5), 1e3, dtype=torch.float64)], dim=1)
    there = torch.cat([there, torch.zeros(len(rows), 2, dtype=torch.bool)], dim=1)
    types = torch.cat([types, torch.full((len(rows), 2), 77)], dim=1)
    torch.testing.assert_close(made(wide, there, types), state, rtol=0, atol=1e-12)
    alone = [made(*(part[row : row + 1] for part in (items, mask, category))) for row in range(len(rows))]
    torch.testing.assert_close(torch.cat(alone), state, rtol=0, atol=1e-12)


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
    masks = aggregator(dim=4000).get_parameter("masks.weight")
    assert masks.mean().item() == pytest.approx(0.9, abs=0.03)
    assert masks.std().item() == pytest.approx(0.7, abs=0.03)


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
    made = aggregator(projection=projection)
    items, mask, category = laid_out([[0, 1, 1], [0, 0, 0], [1, 2, 2]], 5, seed=5)
    anchor, far, close = items.unbind(1)
    distances = made.triplet(anchor, far, close, made.relation(category[:, 0], category[:, 1]))
    for slot, found in zip((1, 2), distances, strict=True):
        pair = [0, slot]
        torch.testing.assert_close(found, -made(items[:, pair], mask[:, pair], category[:, pair]), rtol=0, atol=1e-12)


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
    made = aggregator(dim=3, projection=projection)
    items, mask, category = laid_out([[0, 1, 2], [0, -1, 2], [0, 0, 1]], 3, seed=6)

    def state(*given: Tensor) -> Tensor:
        names = [name for name, _ in made.named_parameters()]
        found: Tensor = torch.func.functional_call(
            made, dict(zip(names, given[1:], strict=True)), (given[0], mask, category)
        )
        return found

    wanted = [items.requires_grad_(), *(one.detach().requires_grad_() for one in made.parameters())]
    assert torch.autograd.gradcheck(state, wanted)


def test_an_outfit_of_equal_items_and_closed_masks_have_finite_gradients() -> None:
    made = aggregator(most=(2, 2, 2))
    items = torch.ones(2, 3, 5, dtype=torch.float64, requires_grad=True)
    for masks in (1.0, -1.0):
        nn.init.constant_(made.get_parameter("masks.weight"), masks)
        made(items, torch.ones(2, 3, dtype=torch.bool), torch.tensor([[0, 1, 2], [0, 0, 1]])).sum().backward()
        assert items.grad is not None
        assert items.grad.isfinite().all()
        assert all(one.grad is not None and one.grad.isfinite().all() for one in made.parameters())


def test_it_is_made_by_name_and_needs_two_items() -> None:
    made = create("aggregator", "type_aware", dim=8, categories=TYPES, most=(1, 1, 1))
    assert isinstance(made, TypeAware)
    assert made.fewest == 2
    assert sum(one.numel() for one in made.parameters()) == 3 * 8
