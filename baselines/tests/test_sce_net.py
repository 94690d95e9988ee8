import math

import pytest
import torch
from hypothesis import given
from pairwise import (
    check_finite_gradients,
    check_gradients,
    check_order_and_padding,
    check_start,
    check_triplets,
    laid_out,
    listed,
    outfits,
    sce_net,
    seeds,
    under,
    weights,
)

from outfitrec import DataError, create
from outfitrec_baselines.sce_net.aggregator import SCENet


def aggregator(dim: int = 4, conditions: int = 3, branch: str = "pair") -> SCENet:
    torch.manual_seed(5)
    return SCENet(dim=dim, conditions=conditions, branch=branch).double()


def plain(made: SCENet) -> dict[str, list[list[float]]]:
    return {name: tensor.tolist() for name, tensor in made.state_dict().items()}


@pytest.mark.parametrize(
    ("branch", "rows"),
    [
        ("pair", [[0, 1, 2], [0, 0, 1, 2], [2, 1], [-1, 1, -1, 0], [1, 1], [2, 0, 1, 0], [2, 2, 2, 2]]),
        ("triplet", [[0, 1, 2], [2, 0, 1], [-1, 2, 0, 1], [2, 1], [1, -1, 1]]),
        ("triplet", [[2, 1], [0, 0]]),
    ],
)
def test_state_is_minus_the_mean_distance_of_a_naive_loop(branch: str, rows: list[list[int]]) -> None:
    made = aggregator(branch=branch)
    given = laid_out(rows, 4, seed=1)
    for value, outfit in zip(made(*given).tolist(), listed(*given), strict=True):
        assert value == pytest.approx(sce_net(outfit, plain(made), branch), abs=1e-12)


def test_even_weights_average_the_conditions() -> None:
    made = aggregator(dim=2, conditions=2)
    made.load_state_dict({name: torch.zeros_like(tensor) for name, tensor in made.state_dict().items()})
    # The first condition sees the first dimension, the second one both.
    made.get_parameter("masks.weight").data[:] = torch.tensor([[2.0, -1.0], [1.0, 1.0]])
    items = torch.tensor([[[5.0, 0.0], [0.0, 7.0]]], dtype=torch.float64)
    mask, category = torch.ones(1, 2, dtype=torch.bool), torch.tensor([[0, 1]])
    # E(x) = ((1, 0) + (1, 0)) / 2 and E(y) = ((0, 0) + (0, 1)) / 2, which is not brought to length 1.
    assert made(items, mask, category).item() == pytest.approx(-math.hypot(1, 0.5), abs=2e-6)


@given(seeds)
def test_weights_are_positive_of_sum_one_and_blind_to_the_items_lengths(seed: int) -> None:
    made = aggregator()
    items, mask, category = laid_out([[0, 1, 2]] * 3, 4, seed)
    found = made.weights(items[:, 0], items[:, 1])
    assert found.shape == (3, 3)
    assert (found > 0).all()
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3, dtype=torch.float64))
    longer = items * torch.tensor([0.5, 3.0, 20.0], dtype=torch.float64)[:, None]
    torch.testing.assert_close(made(longer, mask, category), made(items, mask, category), rtol=0, atol=1e-8)


@pytest.mark.parametrize("branch", ["pair", "triplet"])
@given(outfits, seeds)
def test_neither_order_nor_padding_nor_what_empty_slots_hold_matters(
    branch: str, rows: list[list[int]], seed: int
) -> None:
    check_order_and_padding(aggregator(branch=branch), rows, seed)


@pytest.mark.parametrize("branch", ["pair", "triplet"])
def test_of_one_category_the_first_slot_comes_first(branch: str) -> None:
    made = aggregator(branch=branch)
    items, mask, category = laid_out([[0, 0, 1]], 4, seed=2)
    other = items[:, [1, 0, 2]]
    assert (made(other, mask, category) - made(items, mask, category)).abs().item() > 1e-4
    expected = sce_net(listed(other, mask, category)[0], plain(made), branch)
    assert made(other, mask, category).item() == pytest.approx(expected, abs=1e-12)


def test_triplets_of_pairs_are_measured_as_outfits_of_two() -> None:
    # Categories in both orders, and twice the same. The sign of a difference matters to its 1e-6.
    check_triplets(aggregator(), [[0, 1, 1], [2, 1, 1], [1, 1, 1]], atol=5e-6)


def test_triplets_of_three_share_the_weights_of_anchor_far_and_close() -> None:
    made = aggregator(branch="triplet")
    items, _, category = laid_out([[0, 1, 1], [2, 1, 1]], 4, seed=4)
    anchor, far, close = items.unbind(1)
    to_far, to_close = made.triplet(anchor, far, close, made.relation(category[:, 0], category[:, 1]))
    masks = plain(made)["masks.weight"]
    for row, (a, f, c) in enumerate(items.tolist()):
        omega = weights([a, f, c], plain(made))
        assert to_far[row].item() == pytest.approx(under(a, f, omega, masks), abs=1e-12)
        assert to_close[row].item() == pytest.approx(under(a, c, omega, masks), abs=1e-12)


def test_weights_of_three_items_refuse_outfits_of_four() -> None:
    rows = [[0, 1, 2, -1], [0, 0, 1, 2]]
    with pytest.raises(DataError, match=r"sce_net: .*three items at most: 1 of 2 have more"):
        aggregator(branch="triplet")(*laid_out(rows, 4, seed=0))
    assert aggregator()(*laid_out(rows, 4, seed=0)).shape == (2,)


def test_mask_norm_is_the_mean_sum_of_what_the_relu_leaves_of_all_masks() -> None:
    made = aggregator()
    masks = plain(made)["masks.weight"]
    expected = sum(max(one, 0.0) for mask in masks for one in mask) / 3
    for triplets in (1, 4):
        found = made.mask_norm(torch.zeros(triplets, dtype=torch.bool))
        assert found.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("branch", ["pair", "triplet"])
def test_gradients_are_those_of_finite_differences(branch: str) -> None:
    check_gradients(aggregator(dim=3, conditions=2, branch=branch), [[0, -1, 2], [0, 0, 1]])


def test_equal_items_and_closed_masks_have_finite_gradients() -> None:
    check_finite_gradients(aggregator())


def test_defaults_and_parameters_are_the_papers() -> None:
    made = create("aggregator", "sce_net", dim=64)
    assert isinstance(made, SCENet)
    assert made.fewest == 2
    assert sum(one.numel() for one in made.parameters()) == 5 * 64 + (128 * 32 + 32) + (32 * 5 + 5)
    triplet = create("aggregator", "sce_net", dim=64, conditions=4, branch="triplet")
    assert triplet.get_parameter("weighing.0.weight").shape == (32, 192)
    check_start(SCENet(dim=4000).get_parameter("masks.weight"))
