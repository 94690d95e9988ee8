"""Fashion Hash Net's score, against naive loops over the original's slots."""

import math
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from killing import STEP, Death, attempt
from tiny import tiny
from torch import Generator, Tensor

import outfitrec
from outfitrec import DataError, RecipeError, Recommender
from outfitrec.core.build import parameter_counts
from outfitrec.core.recipe import load_recipe
from outfitrec_baselines.fhn.preference import FHN
from outfitrec_baselines.shared.items import Items, ItemSet

DIM, USERS = 5, 3
seeds = st.integers(0, 2**32 - 1)
# Categories of an outfit's items, in any order, two at least; and the most that a training outfit has of each.
wears = st.lists(st.integers(0, 2), min_size=2, max_size=5)
mosts = st.tuples(*[st.integers(0, 3)] * 3)


def made(most: tuple[int, ...] = (1, 1, 1), seed: int = 0, **fields: Any) -> FHN:
    """FHN in 64 bits and evaluation mode, with parameters far from their start."""
    found: FHN = outfitrec.create("preference", "fhn", dim=DIM, users=USERS, most=most, **fields)
    draws = Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws))
    return found.double().eval()


def worn(*outfits: list[int], seed: int = 1, slots: int = 0) -> Items:
    """Items at random, of these categories; empty slots are full of what must have no influence."""
    slots = slots or max(map(len, outfits))
    items = torch.randn(len(outfits), slots, DIM, generator=Generator().manual_seed(seed), dtype=torch.float64)
    category = torch.tensor([[*outfit, *[-1] * (slots - len(outfit))] for outfit in outfits])
    return Items(items, category >= 0, category)


def naive(fhn: FHN, user: int, items: Items, place: int, *, copies: bool = True) -> float:
    """The score of one outfit, over slots that items are copied into until each category is full."""
    code = fhn.user.weight[user].tolist()
    weights = fhn.lambda_u.tolist(), fhn.lambda_i.tolist()
    own = [slot for slot, there in enumerate(items.mask[place].tolist()) if there]
    kinds: list[int] = items.category[place].tolist()
    # As many copies of the whole outfit as make a whole number of each item's.
    counts = {slot: sum(kinds[other] == kinds[slot] for other in own) for slot in own}
    whole = math.lcm(*counts.values())
    slots: list[int] = []
    for slot in own:
        slots += [slot] * (max(fhn.most[kinds[slot]] * whole // counts[slot], whole) if copies else 1)
    x = items.items[place].tolist()
    liking = np.mean([sum(weights[0][k] * code[k] * x[i][k] for k in range(DIM)) / DIM for i in slots])
    pairs = [
        sum(weights[1][k] * x[i][k] * x[j][k] for k in range(DIM)) / DIM
        for i, j in (combinations(slots, 2) if copies else combinations(own, 2))
        if not copies or kinds[i] != kinds[j]
    ]
    return fhn.scale * float(liking + (np.mean(pairs) if pairs else 0))


@given(st.lists(wears, min_size=1, max_size=2), mosts, seeds)
def test_scores_are_those_of_a_naive_loop_over_filled_slots(
    outfits: list[list[int]], most: tuple[int, ...], seed: int
) -> None:
    fhn, items = made(most, seed), worn(*outfits, seed=seed + 1)
    for user in range(USERS):
        scores = fhn(torch.full((len(outfits),), user), items)
        expected = [naive(fhn, user, items, place) for place in range(len(outfits))]
        assert scores.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(wears, mosts, seeds)
def test_without_copies_scores_are_plain_means_over_items_and_over_all_pairs(
    outfit: list[int], most: tuple[int, ...], seed: int
) -> None:
    fhn, items = made(most, seed, duplicate=False), worn(outfit, seed=seed + 1)
    assert fhn(torch.tensor([1]), items).tolist() == [pytest.approx(naive(fhn, 1, items, 0, copies=False), abs=1e-9)]


@pytest.mark.parametrize("tops", [1, 2])
def test_the_originals_four_slots_have_five_pairs_and_a_copy_of_an_only_top(tops: int) -> None:
    fhn, items = made((2, 1, 1)), worn([0] * tops + [1, 2])
    own = items.items[0]
    top, other, bottom, shoe = own if tops == 2 else (own[0], own[0], own[1], own[2])
    slots = [top, other, bottom, shoe]
    pairs = [(top, bottom), (top, shoe), (other, bottom), (other, shoe), (bottom, shoe)]
    liking = sum((fhn.lambda_u * fhn.user.weight[2] * one).sum() for one in slots) / (4 * DIM)
    match = sum((fhn.lambda_i * a * b).sum() for a, b in pairs) / (5 * DIM)
    torch.testing.assert_close(fhn(torch.tensor([2]), items)[0], 10 * (liking + match))


def test_a_score_computed_by_hand() -> None:
    fhn: FHN = outfitrec.create("preference", "fhn", dim=2, users=1, most=(2, 1), scale=1.0)
    with torch.no_grad():
        fhn.user.weight.copy_(torch.tensor([[1.0, 2.0]]))
        fhn.lambda_u.copy_(torch.tensor([1.0, 0.5]))
        fhn.lambda_i.copy_(torch.tensor([3.0, 1.0]))
    items = Items(torch.tensor([[[1.0, 2.0], [3.0, -1.0]]]), torch.ones(1, 2).bool(), torch.tensor([[0, 1]]))
    # s_u: the first counts twice, (1 + 2) · 2 and (3 - 1), over 3 items of 2 numbers; s_i: (9 - 2) over 2 numbers.
    assert fhn(torch.tensor([0]), items).tolist() == [pytest.approx(8 / 6 + 7 / 2)]


@given(st.permutations(range(5)), seeds)
@pytest.mark.parametrize("fields", [{}, {"duplicate": False}, {"binary": True}])
def test_the_order_of_the_items_is_irrelevant(fields: dict[str, Any], order: list[int], seed: int) -> None:
    fhn, items = made((2, 2, 1), **fields), worn([0, 1, 0, 2], [1, 2], seed=seed, slots=5)
    moved = Items(*(tensor[:, order] for tensor in items))
    torch.testing.assert_close(fhn(torch.tensor([0, 1]), moved), fhn(torch.tensor([0, 1]), items))


@pytest.mark.parametrize("fields", [{}, {"duplicate": False}, {"binary": True}])
def test_empty_slots_have_no_influence_whatever_they_hold(fields: dict[str, Any]) -> None:
    fhn, items = made((2, 1, 1), **fields), worn([0, 1, 2], [0, 2], slots=6)
    tight = Items(items.items[:, :3], items.mask[:, :3], items.category[:, :3])
    torch.testing.assert_close(fhn(torch.tensor([0, 1]), items), fhn(torch.tensor([0, 1]), tight))


def test_an_outfit_of_one_category_has_no_pairs_and_a_finite_gradient() -> None:
    fhn, items = made((2, 1, 1)), worn([0, 0])
    x = items.items.requires_grad_()
    score = fhn(torch.tensor([1]), items)
    score.sum().backward()
    torch.testing.assert_close(score[0], 10 * (fhn.lambda_u * fhn.user.weight[1] * x.mean(dim=1)[0]).mean())
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("fields", [{}, {"duplicate": False}, {"binary": True}])
def test_a_column_of_users_sees_all_outfits_and_a_row_of_users_one_each(fields: dict[str, Any]) -> None:
    fhn, items = made((2, 1, 1), **fields), worn([0, 1, 2], [2, 1], [0, 0, 1, 2], [1, 1])
    both = fhn(torch.arange(USERS)[:, None], items)
    assert both.shape == (USERS, 4)
    for user in range(USERS):
        torch.testing.assert_close(both[user], fhn(torch.full((4,), user), items))
    pairs = torch.tensor([2, 0, 1, 1])
    torch.testing.assert_close(fhn(pairs, items), both[pairs, torch.arange(4)])
    none = Items(*(tensor[:0] for tensor in items))
    assert fhn(torch.arange(USERS)[:, None], none).shape == (USERS, 0)


@pytest.mark.parametrize("binary", [False, True])
def test_gradients_are_those_of_finite_differences(binary: bool) -> None:
    fhn, items = made((2, 1, 1), binary=binary).train(), worn([0, 1, 2], [0, 0, 1], slots=4)
    fhn.on_epoch(1)

    def score(x: Tensor, *parameters: Tensor) -> Tensor:
        names = (name for name, _ in fhn.named_parameters())
        arguments = torch.tensor([[0], [2]]), Items(x, items.mask, items.category)
        found: Tensor = torch.func.functional_call(fhn, dict(zip(names, parameters, strict=True)), arguments)
        return found

    parameters = [parameter.detach().clone().requires_grad_() for parameter in fhn.parameters()]
    assert len(parameters) == 3
    assert torch.autograd.gradcheck(score, (items.items.requires_grad_(), *parameters))


def test_in_training_codes_are_tanhs_that_sharpen_with_the_epoch() -> None:
    fhn, raw, items = made(binary=True, gamma=0.5).train(), made(), worn([0, 1, 2])
    users = torch.tensor([0])
    for epoch in (0, 3, 1):  # whichever came before
        fhn.on_epoch(epoch)
        with torch.no_grad():
            beta = math.sqrt(epoch * 0.5 + 1)
            raw.user.weight.copy_(torch.tanh(beta * fhn.user.weight))
        torch.testing.assert_close(fhn(users, items), raw(users, items._replace(items=torch.tanh(beta * items.items))))
    assert set(fhn.state_dict()) == set(raw.state_dict()) == {"user.weight", "lambda_u", "lambda_i"}


@given(wears, seeds)
def test_binary_scores_are_of_hamming_distances(outfit: list[int], seed: int) -> None:
    fhn, items = made(binary=True, seed=seed, duplicate=False), worn(outfit, seed=seed + 1)
    user = fhn.user.weight[1] > 0
    codes = items.items[0] > 0
    to_user = [int((code != user).sum()) for code in codes]
    to_others = [int((a != b).sum()) for a, b in combinations(codes, 2)]
    with torch.no_grad():
        fhn.lambda_u.fill_(1)
        fhn.lambda_i.fill_(1)
    expected = 10 * (1 - 2 * np.mean(to_user) / DIM + 1 - 2 * np.mean(to_others) / DIM)
    assert fhn(torch.tensor([1]), items).tolist() == [pytest.approx(expected)]


def test_weighted_binary_scores_are_of_weighted_hamming_distances() -> None:
    fhn, items = made(binary=True), worn([0, 1])
    user, (a, b) = fhn.user.weight[0] > 0, items.items[0] > 0
    liking = fhn.lambda_u.sum() - sum(fhn.lambda_u[user != code].sum() for code in (a, b))
    match = fhn.lambda_i.sum() - 2 * fhn.lambda_i[a != b].sum()
    torch.testing.assert_close(fhn(torch.tensor([0]), items)[0], 10 * (liking + match) / DIM)


def test_the_sign_of_zero_is_one_and_what_is_no_number_has_none() -> None:
    fhn, items = made(binary=True), worn([0, 1])
    zero, one = (items._replace(items=torch.full_like(items.items, value)) for value in (0.0, 1.0))
    assert torch.equal(fhn(torch.tensor([0]), zero), fhn(torch.tensor([0]), one))
    assert torch.equal(fhn(torch.tensor([0]), items._replace(items=-zero.items)), fhn(torch.tensor([0]), one))
    assert fhn(torch.tensor([0]), items._replace(items=zero.items * torch.nan)).isnan().all()


def test_users_start_near_zero_and_weights_at_one() -> None:
    fhn: FHN = outfitrec.create("preference", "fhn", dim=64, users=200, most=(1,))
    assert float(fhn.user.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
    assert fhn.lambda_u.eq(1).all()
    assert fhn.lambda_i.eq(1).all()
    assert not fhn.binary


def recipe(**preference: Any) -> dict[str, Any]:
    encoder = {"name": "features", "size": 12, "head": {"name": "by_category", "head": {"name": "linear"}}}
    model = {"dim": 16, "encoder": encoder, "aggregator": "items", "preference": {"name": "fhn", **preference}}
    ranking = {"name": "ranking", "loss": {"name": "bpr", "temperature": 0.5}}
    return tiny(model=model, objectives=[ranking])


@pytest.mark.parametrize("fields", [{}, {"binary": True}, {"duplicate": False}])
def test_a_recipe_trains_it(tmp_path: Path, fields: dict[str, Any]) -> None:
    optimizer = {"name": "adam", "lr": 0.02}
    found = outfitrec.run(recipe(**fields), {"train.epochs": 5, "train.optimizer": optimizer}, out=tmp_path)
    assert found.result.test["auc"] > 0.8
    preference: Any = found.recommender.preference
    assert preference.most == (1, 1, 1)
    assert bool((preference.lambda_u != 1).all())


def test_a_killed_run_goes_on_with_the_sharpness_of_its_epoch(tmp_path: Path) -> None:
    # 9 steps an epoch; killed in the second, after a checkpoint within it.
    binary = recipe(binary=True, gamma=9.0)
    binary["train"] = {**binary["train"], "checkpoint_steps": 2}
    assert attempt(binary, tmp_path / "killed", 1, Death(STEP, 14))
    assert not attempt(binary, tmp_path / "killed", 1, None)
    assert not attempt(binary, tmp_path / "whole", 1, None)
    first, second = ((tmp_path / root).glob("runs/*/model/weights.safetensors") for root in ("killed", "whole"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second] != []


def test_the_papers_model_has_2_698_432_parameters_of_which_256_are_the_weights() -> None:
    encoder = {"name": "alexnet", "size": "xs", "head": "by_category"}
    model = {"encoder": encoder, "aggregator": "items", "preference": "fhn"}
    counts = parameter_counts(load_recipe({"name": "fhn", "model": model}), users=630)
    convolutions, encoders, users, weights = 2_469_696, 3 * (256 * 128 + 128 + 128 * 128), 630 * 128, 2 * 128
    assert counts == {
        "total": 2_698_432,
        "encoder": convolutions + encoders,
        "aggregator": 0,
        "preference": users + weights,
    }


def test_what_it_cannot_score_is_refused() -> None:
    fhn = made()
    with pytest.raises(RecipeError, match=r"preference fhn scores the items of an outfit[^$]*aggregator: items"):
        fhn(torch.tensor([0]), torch.ones(1, DIM))
    encoder = outfitrec.create("encoder", "features", size=DIM, head=outfitrec.create("head", "identity", dim=DIM))
    model = Recommender(encoder, ItemSet(), fhn)
    with pytest.raises(DataError, match="FHN needs outfits of 2 items or more: 1 of 2 have fewer"):
        model.state(torch.ones(2, DIM), torch.tensor([[0, 1], [0, -1]]), torch.tensor([[0, 1], [0, -1]]))
    message = "gamma: raw codes have no tanh that could sharpen: set binary: true"
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe(gamma=0.1))
    with pytest.raises(ValueError, match=message):
        made(gamma=0.1)
    assert made(gamma=0.1, binary=True).gamma == 0.1
