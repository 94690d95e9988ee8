import copy
from math import exp, log, tanh
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sequences import outfit_errors
from torch import Generator, Tensor

from outfitrec import DataError, RecipeError, Recommender, RunError, UserError, create
from outfitrec_baselines.bi_lstm import aggregator as module
from outfitrec_baselines.bi_lstm.aggregator import BiLSTM, Predicted

DIM, ITEMS = 5, 11
CATEGORIES = ("top", "bottom", "shoe")
CATEGORY = torch.arange(ITEMS) % 3
# Three items, two tops among four, one, two, and the order of the slots another than that of the categories.
OUTFITS = torch.tensor([[0, 1, 2, -1], [6, 3, 1, 5], [4, -1, -1, -1], [-1, 8, -1, 7], [2, 4, 9, -1]])
LARGE = OUTFITS[[0, 1, 3, 4]]


def build(**fields: Any) -> BiLSTM:
    """In eval mode and 64 bits, with weights far enough from 0 to matter."""
    torch.manual_seed(3)
    model: BiLSTM = create("aggregator", "bi_lstm", **{"dim": DIM, "categories": CATEGORIES, **fields})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.7)
    return model.double().eval()


def table(seed: int = 0) -> Tensor:
    return torch.randn(ITEMS, DIM, generator=Generator().manual_seed(seed), dtype=torch.float64)


def state(model: BiLSTM, items: Tensor, outfits: Tensor = OUTFITS) -> Predicted:
    """The states of outfits of rows of ``items``, all of which are candidates."""
    model.candidates(items, CATEGORY)
    return shown(model, items, outfits)


def shown(model: BiLSTM, items: Tensor, outfits: Tensor = OUTFITS) -> Predicted:
    mask = outfits >= 0
    category = torch.where(mask, CATEGORY[outfits.clamp(min=0)], -1)
    found: Predicted = model(items[outfits.clamp(min=0)] * mask[..., None], mask, category)
    return found


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
@pytest.mark.parametrize("candidate_set", ["all", "category"])
@pytest.mark.parametrize("end_token", [True, False])
@pytest.mark.parametrize(
    ("hidden", "temperature", "order"), [(None, 1.0, []), (3, 0.2, []), (7, 1.0, ["shoe", "top", "bottom"])]
)
def test_states_are_those_of_loops_over_places_and_candidates(
    similarity: str, candidate_set: str, end_token: bool, hidden: int | None, temperature: float, order: list[str]
) -> None:
    model = build(
        similarity=similarity,
        candidate_set=candidate_set,
        end_token=end_token,
        hidden=hidden,
        temperature=temperature,
        order=order,
    )
    items, outfits = table(), OUTFITS if end_token else LARGE
    candidates = list(zip(items, CATEGORY.tolist(), strict=True))
    rows = [outfit_errors(model, [candidates[k] for k in row if k >= 0], candidates) for row in outfits.tolist()]
    ahead, back = ([sum(row[side]) for row in rows] for side in (0, 1))
    sizes = [len(row[0]) for row in rows]
    score = [-(a + b) / size for a, b, size in zip(ahead, back, sizes, strict=True)]
    found = state(model, items, outfits)
    for tensor, expected in zip(found[:3], (score, ahead, back), strict=True):
        torch.testing.assert_close(tensor, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-12)
    assert found.positions.tolist() == sizes


def hand(weight: float, recurrent: float, x: list[float]) -> list[float]:
    """Predictions of an LSTM of size 1, with the same two weights and no bias for all gates; w = 2, b = 0.1."""
    h = c = 0.0
    found = []
    for one in x:
        gate = weight * one + recurrent * h
        s = 1 / (1 + exp(-gate))
        c = s * c + s * tanh(gate)
        h = s * tanh(c)
        found.append(2 * h + 0.1)
    return found


def test_the_state_of_two_items_and_of_one_by_hand() -> None:
    model = build(dim=1, categories=("top", "bottom"))
    weights = {"ahead": (0.5, 0.25), "back": (-0.3, 0.8)}
    for name, (weight, recurrent) in weights.items():
        for key, value in (("weight_ih_l0", weight), ("weight_hh_l0", recurrent), ("bias_ih_l0", 0), ("bias_hh_l0", 0)):
            model.get_parameter(f"{name}.lstm.{key}").data.fill_(value)
        model.get_parameter(f"{name}.output.weight").data.fill_(2.0)
        model.get_parameter(f"{name}.output.bias").data.fill_(0.1)
    x, y, other = 1.5, -0.5, 0.4
    model.candidates(torch.tensor([[x], [y], [other]], dtype=torch.float64), torch.tensor([0, 1, 0]))
    items = torch.tensor([[[x], [y]], [[x], [0.0]]], dtype=torch.float64)
    category = torch.tensor([[0, 1], [0, -1]])
    found = model(items, category >= 0, category)

    def error(said: float, target: float) -> float:
        return log(exp(said * x) + exp(said * y) + exp(said * other) + 1) - said * target

    ahead, back = hand(0.5, 0.25, [x, y]), hand(-0.3, 0.8, [y, x])
    alone = error(hand(0.5, 0.25, [x])[0], 0.0), error(hand(-0.3, 0.8, [x])[0], 0.0)
    pair = error(ahead[0], y) + error(ahead[1], 0.0), error(back[0], x) + error(back[1], 0.0)
    expected = [-(pair[0] + pair[1]) / 2, -(alone[0] + alone[1])]
    torch.testing.assert_close(found.score, torch.tensor(expected, dtype=torch.float64), rtol=1e-13, atol=1e-13)
    assert found.forward.tolist() == pytest.approx([pair[0], alone[0]], abs=1e-13)
    assert found.backward.tolist() == pytest.approx([pair[1], alone[1]], abs=1e-13)


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
@pytest.mark.parametrize("candidate_set", ["all", "category"])
def test_the_end_has_the_logit_0_and_is_a_candidate_once(similarity: str, candidate_set: str) -> None:
    model = build(similarity=similarity, candidate_set=candidate_set, temperature=0.1)
    items = table()
    model.candidates(items[:0], CATEGORY[:0])
    single = shown(model, items, OUTFITS[[2]])
    # Told apart from nothing else, the end is certain.
    assert single.forward.tolist() == single.backward.tolist() == [0.0]
    model.candidates(items[:1] * 0, CATEGORY[:1])
    assert shown(model, items, OUTFITS[[2]]).forward.tolist() == pytest.approx([log(2)])


def test_what_is_not_among_the_candidates_can_be_predicted() -> None:
    model, items = build(), table()
    every = state(model, items).forward
    model.candidates(items[:1], CATEGORY[:1])
    few = shown(model, items).forward
    assert (few < every).all()


@given(st.permutations(range(5)), st.integers(1, 5), st.integers(0, 3), st.sampled_from(["all", "category"]))
def test_the_state_depends_on_no_other_outfit_and_not_on_padding(
    order: list[int], count: int, more: int, candidate_set: str
) -> None:
    model, items = build(candidate_set=candidate_set), table()
    whole = state(model, items)
    some = order[:count]
    padded = torch.nn.functional.pad(OUTFITS[some], (0, more), value=-1)
    for part, all_of_it in zip(shown(model, items, padded), whole, strict=True):
        torch.testing.assert_close(part, all_of_it[some], rtol=1e-12, atol=1e-12)


def test_what_stands_in_empty_slots_never_matters() -> None:
    model, items = build(), table()
    expected = state(model, items)
    mask = OUTFITS >= 0
    rows, category = items[OUTFITS.clamp(min=0)], CATEGORY[OUTFITS.clamp(min=0)]
    for garbage in (1e6, torch.nan):
        found = model(torch.where(mask[..., None], rows, garbage), mask, category)
        for part, wanted in zip(found, expected, strict=True):
            assert torch.equal(part, wanted)


@given(st.permutations(range(4)))
def test_the_slots_of_different_categories_may_be_in_any_order(order: list[int]) -> None:
    model, items = build(), table()
    outfits = torch.tensor([[3, 1, 5, -1], [0, 4, -1, -1]])
    torch.testing.assert_close(state(model, items, outfits[:, order]), state(model, items, outfits))


def test_the_order_of_items_of_one_category_matters() -> None:
    found = state(build(), table(), torch.tensor([[0, 3, 1, 2], [3, 0, 1, 2]])).score
    assert abs(found[0] - found[1]) > 1e-3


def test_the_order_of_the_categories_matters_and_is_by_default_the_datasets() -> None:
    items = table()
    scores = {
        order: state(build(order=list(order)), items, OUTFITS[:1]).score.item()
        for order in ((), CATEGORIES, ("bottom", "top", "shoe"), ("shoe", "bottom", "top"))
    }
    assert scores[()] == scores[CATEGORIES]
    assert len({round(score, 4) for score in scores.values()}) == 3
    first = build(categories=("bottom", "top", "shoe"), order=list(CATEGORIES))
    swapped = torch.tensor([1, 0, 2])[CATEGORY]
    first.candidates(items, swapped)
    again = first(items[OUTFITS[:1, :3]], torch.ones(1, 3, dtype=torch.bool), swapped[OUTFITS[:1, :3]])
    assert again.score.item() == pytest.approx(scores[()])


@pytest.mark.parametrize("candidate_set", ["all", "category"])
def test_blocks_of_any_size_give_the_same_states(candidate_set: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, items = build(candidate_set=candidate_set), table()
    expected = state(model, items)
    for most in (1, 3 * (ITEMS + 1), 7 * (ITEMS + 1)):
        monkeypatch.setattr(module, "MOST", most)
        torch.testing.assert_close(state(model, items), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("fields", [{}, {"similarity": "cosine", "candidate_set": "category"}, {"end_token": False}])
def test_gradients_are_those_of_finite_differences(fields: dict[str, Any]) -> None:
    model = build(dim=2, hidden=2, temperature=0.5, **fields)
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    items = table()[:, :2].clone().requires_grad_()
    parameters = [model.get_parameter(name) for name in names]

    def errors(items: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        # Items are trained as what is read, as what is predicted, and as candidates.
        found = state(model, items, LARGE)
        return found.forward, found.backward

    assert torch.autograd.gradcheck(errors, (items, *parameters))


def test_nothing_of_a_training_step_is_kept() -> None:
    model, items = build(), table().requires_grad_()
    state(model, items * 1).forward.sum().backward()
    # Tensors that belong to a graph cannot be copied.
    copy.deepcopy(model)
    with pytest.raises(RunError, match="there are no candidates"):
        shown(model, items)
    assert not [name for name in model.state_dict() if "shown" in name or "rank" in name]


def test_candidates_without_a_gradient_serve_until_others_are_shown() -> None:
    model, items = build(), table()
    first = state(model, items).score
    assert torch.equal(shown(model, items).score, first)
    assert not torch.equal(state(model, items + 1).score, first)


def test_without_candidates_there_is_an_error() -> None:
    with pytest.raises(RunError, match="aggregator bi_lstm: there are no candidates"):
        shown(build(), table())
    model = build(end_token=False)
    model.candidates(table()[:0], CATEGORY[:0])
    with pytest.raises(RunError, match="aggregator bi_lstm: there are no candidates"):
        shown(model, table(), LARGE)


def test_an_item_needs_a_candidate_of_its_category_where_there_is_no_end() -> None:
    items, two = table(), CATEGORY < 2
    message = "there are no candidates of the category 'shoe'"
    for seen, text in ((two, message), (CATEGORY == 1, "there are no candidates of the category 'top', 'shoe'")):
        model = build(end_token=False, candidate_set="category")
        model.candidates(items[seen], CATEGORY[seen])
        with pytest.raises(RunError, match=text) as caught:
            shown(model, items, LARGE)
        assert "candidate_set: all" in caught.value.problems[0].hint
    model = build(end_token=False, candidate_set="category")
    model.candidates(items[two], CATEGORY[two])
    # Of the second outfit only the top and the bottom.
    assert shown(model, items, torch.tensor([[0, 1, -1], [3, 4, -1]])).score.isfinite().all()
    for fields in ({"candidate_set": "category"}, {"end_token": False}):
        other = build(**fields)
        other.candidates(items[two], CATEGORY[two])
        assert shown(other, items, LARGE).score.isfinite().all()


def test_weights_start_as_the_originals() -> None:
    model = create("aggregator", "bi_lstm", dim=64, hidden=48, categories=CATEGORIES)
    for predictor in (model.ahead, model.back):
        for name, parameter in predictor.named_parameters():
            if "weight" in name:
                assert parameter.abs().max() <= 0.08
                assert parameter.std().item() == pytest.approx(0.08 / 3**0.5, rel=0.05)
            elif name == "lstm.bias_ih_l0":
                assert parameter.tolist() == [0.0] * 48 + [1.0] * 48 + [0.0] * 96
            else:
                assert not parameter.any()
    learned = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert learned == 2 * (4 * 48 * (64 + 48 + 1) + 64 * (48 + 1))


def test_dropout_is_drawn_in_training_alone_and_for_input_and_output_apart() -> None:
    items = table()
    model = build(dropout=0.5)
    expected = state(build(dropout=0.0).train(), items).score
    assert torch.equal(state(model, items).score, expected)
    model.train()
    assert not torch.equal(state(model, items).score, state(model, items).score)
    predictor = model.ahead
    torch.manual_seed(5)
    drop = torch.nn.functional.dropout
    wanted = predictor.output(drop(predictor.lstm(drop(items[None], 0.5))[0], 0.5))
    torch.manual_seed(5)
    assert torch.equal(predictor(items[None]), wanted)


def test_under_autocast_the_logits_have_32_bits() -> None:
    model, items = build(temperature=0.05).float(), table().float()
    expected = state(model, items)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = state(model, items)
    assert found.score.dtype is torch.float32
    torch.testing.assert_close(found.score, expected.score, rtol=0.05, atol=0.2)
    end = found.forward[2].item()
    assert end != torch.tensor(end).bfloat16().item()


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["top", "hat", "bottom", "shoe"], "unknown: 'hat'"),
        (["top", "shoe"], "missing: 'bottom'"),
        (["top", "shoe", "bottom", "top"], "more than once: 'top'"),
        (["coat", "coat"], "unknown: 'coat', 'coat'; missing: 'top', 'bottom', 'shoe'; more than once: 'coat'"),
    ],
)
def test_an_order_that_is_none_of_the_categories_is_refused(order: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match="aggregator bi_lstm: order must name each category once") as caught:
        build(order=order)
    [problem] = caught.value.problems
    assert f"({message})" in problem.message
    assert problem.hint == "the categories are top, bottom, shoe"


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0.0},
        {"dropout": 1.0},
        {"hidden": 0},
        {"similarity": "euclid"},
        {"candidate_set": "some"},
        {"order": 3},
    ],
)
def test_values_out_of_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=next(iter(fields))):
        build(**fields)


def recommender(**fields: Any) -> Recommender:
    encoder = create("encoder", "features", size=DIM, norm=False, head=create("head", "identity", dim=DIM))
    return Recommender(encoder, build(**fields), create("preference", "compatibility"))


def test_all_users_see_the_same_scores() -> None:
    model, items = recommender(), table()
    category = torch.where(OUTFITS >= 0, CATEGORY[OUTFITS.clamp(min=0)], -1)
    model.candidates(items, CATEGORY)
    found = model.state(items, OUTFITS, category)
    scores = model.score_all(torch.arange(3), found)
    assert scores.shape == (3, len(OUTFITS))
    for user in range(3):
        assert torch.equal(model.preference(torch.full((len(OUTFITS),), user), found), scores[user])
    assert torch.equal(scores[0], state(build(), items).score)


def test_a_single_item_has_a_state_where_the_end_is_predicted() -> None:
    items, single = table(), OUTFITS[[2]]
    category = torch.where(single >= 0, 1, -1)
    for end_token in (True, False):
        model = recommender(end_token=end_token)
        model.candidates(items, CATEGORY)
        if end_token:
            assert model.preference(torch.tensor([0]), model.state(items, single, category)).isfinite().all()
        else:
            with pytest.raises(DataError, match="BiLSTM needs outfits of 2 items or more"):
                model.state(items, single, category)
