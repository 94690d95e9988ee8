import math

import pytest
import torch
from hypothesis import given
from pairwise import laid_out, listed, outfits, sce_net, seeds, under, weights
from torch import Tensor, nn

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
    made = aggregator(branch=branch)
    items, mask, category = laid_out(rows, 4, seed)
    state = made(items, mask, category)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(made(items[:, order], mask[:, order], category[:, order]), state, rtol=0, atol=1e-12)
    items = torch.cat([items, torch.full((len(rows), 2, 4), 1e3, dtype=torch.float64)], dim=1)
    mask = torch.cat([mask, torch.zeros(len(rows), 2, dtype=torch.bool)], dim=1)
    category = torch.cat([category, torch.full((len(rows), 2), 77)], dim=1)
    torch.testing.assert_close(made(items, mask, category), state, rtol=0, atol=1e-12)
    alone = [made(*(part[row : row + 1] for part in (items, mask, category))) for row in range(len(rows))]
    torch.testing.assert_close(torch.cat(alone), state, rtol=0, atol=1e-12)


@pytest.mark.parametrize("branch", ["pair", "triplet"])
def test_of_one_category_the_first_slot_comes_first(branch: str) -> None:
    made = aggregator(branch=branch)
    items, mask, category = laid_out([[0, 0, 1]], 4, seed=2)
    other = items[:, [1, 0, 2]]
    assert (made(other, mask, category) - made(items, mask, category)).abs().item() > 1e-4
    expected = sce_net(listed(other, mask, category)[0], plain(made), branch)
    assert made(other, mask, category).item() == pytest.approx(expected, abs=1e-12)


def test_triplets_of_pairs_are_measured_as_outfits_of_two() -> None:
    made = aggregator()
    # Categories in both orders, and twice the same.
    items, mask, category = laid_out([[0, 1, 1], [2, 1, 1], [1, 1, 1]], 4, seed=3)
    anchor, far, close = items.unbind(1)
    distances = made.triplet(anchor, far, close, made.relation(category[:, 0], category[:, 1]))
    for slot, found in zip((1, 2), distances, strict=True):
        pair = [0, slot]
        expected = -made(items[:, pair], mask[:, pair], category[:, pair])
        # The sign of a difference matters to its 1e-6.
        torch.testing.assert_close(found, expected, rtol=0, atol=5e-6)


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
    made = aggregator(dim=3, conditions=2, branch=branch)
    items, mask, category = laid_out([[0, -1, 2], [0, 0, 1]], 3, seed=6)

    def state(*given: Tensor) -> Tensor:
        names = [name for name, _ in made.named_parameters()]
        found: Tensor = torch.func.functional_call(
            made, dict(zip(names, given[1:], strict=True)), (given[0], mask, category)
        )
        return found

    wanted = [items.requires_grad_(), *(one.detach().requires_grad_() for one in made.parameters())]
    assert torch.autograd.gradcheck(state, wanted)


def test_equal_items_and_closed_masks_have_finite_gradients() -> None:
    made = aggregator()
    items = torch.ones(2, 3, 4, dtype=torch.float64, requires_grad=True)
    for masks in (1.0, -1.0):
        nn.init.constant_(made.get_parameter("masks.weight"), masks)
        made(items, torch.ones(2, 3, dtype=torch.bool), torch.tensor([[0, 1, 2], [0, 0, 1]])).sum().backward()
        assert items.grad is not None
        assert items.grad.isfinite().all()
        assert all(one.grad is not None and one.grad.isfinite().all() for one in made.parameters())


def test_defaults_and_parameters_are_the_papers() -> None:
    made = create("aggregator", "sce_net", dim=64)
    assert isinstance(made, SCENet)
    assert made.fewest == 2
    assert sum(one.numel() for one in made.parameters()) == 5 * 64 + (128 * 32 + 32) + (32 * 5 + 5)
    triplet = create("aggregator", "sce_net", dim=64, conditions=4, branch="triplet")
    assert triplet.get_parameter("weighing.0.weight").shape == (32, 192)
    masks = SCENet(dim=4000).get_parameter("masks.weight")
    assert masks.mean().item() == pytest.approx(0.9, abs=0.03)
    assert masks.std().item() == pytest.approx(0.7, abs=0.03)
