"""Both preferences of OutfitNet, by naive loops; its objective and its training are in test_outfitnet_stages."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from taught import Nothing
from torch import Generator, Tensor, nn

from outfitrec import DataError, RecipeError, Recommender, UserError, create
from outfitrec_baselines.outfitnet import preference as module
from outfitrec_baselines.outfitnet.preference import OutfitNet
from outfitrec_baselines.outfitnet.relevancy import Relevancy
from outfitrec_baselines.shared.items import Items, ItemSet

DIM, USERS, HIDDEN = 5, 4, 3
SIMILARITIES = ("cosine", "inner", "distance")
TASTES = ("cosine", "inner")
# Each names a preference and its variant.
VARIANTS = [*(("relevancy", one) for one in SIMILARITIES), *(("outfitnet", one) for one in TASTES)]
seeds = st.integers(0, 2**31)


def outfitnet(taste: str = "cosine") -> OutfitNet:
    """With parameters at random, where training starts from zeros and the identity."""
    made = OutfitNet(taste=taste, attention=HIDDEN, dim=DIM, users=USERS).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter)
    return made


def preference(name: str, variant: str) -> Any:
    return Relevancy(similarity=variant) if name == "relevancy" else outfitnet(variant)


def state(sizes: list[int], seed: int = 0, slots: int = 4) -> Items:
    """Outfits of so many items, which lie in any of the slots."""
    draws = Generator().manual_seed(seed)
    order = torch.stack([torch.randperm(slots, generator=draws) for _ in sizes])
    mask = order < torch.tensor(sizes)[:, None]
    items = torch.randn(len(sizes), slots, DIM, dtype=torch.float64, generator=draws)
    return Items(items * mask.unsqueeze(-1), mask, torch.where(mask, order, -1))


def listed(outfits: Items, row: int) -> list[list[float]]:
    """The items of an outfit."""
    found: list[list[float]] = outfits.items[row][outfits.mask[row]].tolist()
    return found


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def cosine(a: list[float], b: list[float]) -> float:
    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def apart(a: list[float], b: list[float]) -> float:
    return -sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def times(matrix: Tensor, vector: list[float]) -> list[float]:
    return [dot(row, vector) for row in matrix.tolist()]


def naive_relevancy(similarity: str, items: list[list[float]]) -> float:
    of = {"cosine": cosine, "inner": dot, "distance": apart}[similarity]
    pairs = [of(items[i], items[j]) for i in range(len(items)) for j in range(i)]
    return sum(pairs) / len(pairs)


def naive_attention(model: OutfitNet, user: int, items: list[list[float]]) -> list[float]:
    of_user = times(model.attention_user.weight, model.user.weight[user].tolist())
    weights = []
    for item in items:
        hidden = [math.tanh(a + b) for a, b in zip(times(model.attention_item.weight, item), of_user, strict=True)]
        weights.append(math.exp(dot(model.attention_weight.weight[0].tolist(), hidden)))
    return [weight / sum(weights) for weight in weights]


def naive_outfitnet(model: OutfitNet, user: int, items: list[list[float]]) -> float:
    of = {"inner": dot, "cosine": cosine}[model.taste]
    tastes = [of(model.user.weight[user].tolist(), times(model.item.weight, item)) for item in items]
    return dot(naive_attention(model, user, items), tastes)


def naive(model: Any, user: int, items: list[list[float]]) -> float:
    if isinstance(model, Relevancy):
        return naive_relevancy(model.similarity, items)
    return naive_outfitnet(model, user, items)


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
@given(sizes=st.lists(st.integers(2, 4), min_size=1, max_size=6), seed=seeds)
def test_scores_are_those_of_a_naive_loop(name: str, variant: str, sizes: list[int], seed: int) -> None:
    model, outfits = preference(name, variant), state(sizes, seed)
    users = torch.arange(USERS)
    expected = [[naive(model, user, listed(outfits, row)) for row in range(len(sizes))] for user in range(USERS)]
    torch.testing.assert_close(model(users[:, None], outfits), torch.tensor(expected, dtype=torch.float64))
    owners = torch.arange(len(sizes)) % USERS
    paired = [expected[row % USERS][row] for row in range(len(sizes))]
    torch.testing.assert_close(model(owners, outfits), torch.tensor(paired, dtype=torch.float64))


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_all_users_at_once_score_as_one_by_one(name: str, variant: str) -> None:
    model, outfits = preference(name, variant), state([2, 4, 3, 2, 3])
    recommender = Recommender(Nothing(), ItemSet(), model)
    scores = recommender.score_all(torch.tensor([2, 0, 2]), outfits)
    assert scores.shape == (3, 5)
    for row, user in enumerate((2, 0, 2)):
        torch.testing.assert_close(scores[row], model(torch.full((5,), user), outfits))


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
@given(seed=seeds, more=st.integers(0, 3))
def test_neither_order_nor_empty_slots_matter(name: str, variant: str, seed: int, more: int) -> None:
    model, outfits = preference(name, variant), state([2, 3, 4], seed)
    draws = Generator().manual_seed(seed)
    order = torch.randperm(4 + more, generator=draws)
    mask = nn.functional.pad(outfits.mask, (0, more))[:, order]
    # What lies in an empty slot is not even zero.
    garbage = torch.randn(3, 4 + more, DIM, dtype=torch.float64, generator=draws)
    items = torch.where(mask.unsqueeze(-1), nn.functional.pad(outfits.items, (0, 0, 0, more))[:, order], garbage)
    category = nn.functional.pad(outfits.category, (0, more), value=-1)[:, order]
    for users in (torch.tensor([1, 3, 0]), torch.arange(USERS)[:, None]):
        torch.testing.assert_close(model(users, Items(items, mask, category)), model(users, outfits))


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_gradients_are_those_of_differences(name: str, variant: str) -> None:
    model, outfits = preference(name, variant), state([2, 4, 3])
    named = dict(model.named_parameters())
    inputs = [outfits.items[outfits.mask].clone().requires_grad_(), *(one.detach().clone() for one in named.values())]

    def scores(flat: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        items = outfits.items.masked_scatter(outfits.mask.unsqueeze(-1), flat)
        given = dict(zip(named, parameters, strict=True))
        calls = (torch.tensor([3, 0, 3]), torch.tensor([[1], [3]]))
        one, all_of_them = (
            torch.func.functional_call(model, given, (users, Items(items, outfits.mask, outfits.category)))
            for users in calls
        )
        return one, all_of_them

    assert torch.autograd.gradcheck(scores, [one.requires_grad_() for one in inputs])


# Of (1, 0), (0, 1) and (2, 2).
@pytest.mark.parametrize(
    ("similarity", "pairs"),
    [("cosine", (0, math.sqrt(0.5), math.sqrt(0.5))), ("inner", (0, 2, 2)), ("distance", (-2, -5, -5))],
)
def test_the_relevancy_of_three_items_by_hand(similarity: str, pairs: tuple[float, ...]) -> None:
    items = torch.tensor([[[1.0, 0], [0, 1], [0, 0], [2, 2]]])
    mask = torch.tensor([[True, True, False, True]])
    score = Relevancy(similarity=similarity)(torch.zeros(1, dtype=torch.long), Items(items, mask, mask.long() - 1))
    assert float(score) == pytest.approx(sum(pairs) / 3)


def test_distances_far_from_the_origin_keep_their_digits() -> None:
    outfits = state([2, 3, 4])
    far = Items((outfits.items + 1000) * outfits.mask.unsqueeze(-1), outfits.mask, outfits.category)
    nobody = torch.zeros(3, dtype=torch.long)
    model = Relevancy(similarity="distance")
    found = model(nobody, Items(far.items.float(), far.mask, far.category))
    torch.testing.assert_close(found.double(), model(nobody, outfits), rtol=1e-3, atol=0)


def test_the_relevancy_knows_no_user_and_needs_two_items() -> None:
    model = Relevancy()
    assert not model.personal
    assert not list(model.parameters())
    recommender = Recommender(Nothing(), ItemSet(), model)
    index = torch.tensor([[0, 1, 2], [1, -1, -1]])
    with pytest.raises(DataError, match="Relevancy needs outfits of 2 items or more: 1 of 2 have fewer"):
        recommender.state(torch.randn(3, DIM), index, index)
    scores = recommender.score_all(torch.arange(3), recommender.state(torch.randn(3, DIM), index[:1], index[:1]))
    assert scores[0].equal(scores[1])


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=6), seed=seeds, scale=st.sampled_from([1.0, 1000.0]))
def test_attention_sums_to_one_and_is_exactly_zero_where_there_is_no_item(
    sizes: list[int], seed: int, scale: float
) -> None:
    model, outfits = outfitnet(), state(sizes, seed)
    model.attention_weight.weight.data *= scale
    for users in (torch.arange(len(sizes)) % USERS, torch.arange(USERS)[:, None]):
        attention = model.attention_of(users, outfits)
        assert attention.shape == (*torch.broadcast_shapes(users.shape, (len(sizes),)), 4)
        assert (attention >= 0).all()
        torch.testing.assert_close(attention.sum(dim=-1), torch.ones_like(attention[..., 0]))
        empty = ~outfits.mask.expand_as(attention)
        assert not attention[empty].any()


def test_attention_is_the_users_own() -> None:
    model, outfits = outfitnet(), state([3, 4])
    attention = model.attention_of(torch.arange(USERS)[:, None], outfits)
    for user in range(USERS):
        for row in range(2):
            expected = naive_attention(model, user, listed(outfits, row))
            assert attention[user, row][outfits.mask[row]].tolist() == pytest.approx(expected)
    assert (attention[0] - attention[1]).abs().max() > 0.01


@pytest.mark.parametrize("taste", TASTES)
def test_even_attention_gives_the_mean_of_the_tastes(taste: str) -> None:
    model, outfits = outfitnet(taste), state([1, 2, 3, 4])
    nn.init.zeros_(model.attention_weight.weight)
    users = torch.tensor([0, 1, 2, 3])
    tastes = model.taste_of(users, outfits) * outfits.mask
    torch.testing.assert_close(model(users, outfits), tastes.sum(dim=1) / outfits.mask.sum(dim=1))


def test_an_outfit_of_one_item_scores_as_the_taste_for_it() -> None:
    model, outfits = outfitnet(), state([1, 1, 1])
    taste = model.taste_of(torch.tensor([[2]]), outfits)[0]
    torch.testing.assert_close(model(torch.tensor([[2]]), outfits)[0], taste[outfits.mask])


def test_a_score_by_hand() -> None:
    model = OutfitNet(taste="inner", attention=1, dim=1, users=1)
    for parameter, value in zip(model.parameters(), (2.0, 3.0, 0.5, -1.0, 4.0), strict=True):
        nn.init.constant_(parameter, value)
    outfits = Items(torch.tensor([[[1.0], [-1.0]]]), torch.ones(1, 2, dtype=torch.bool), torch.tensor([[0, 1]]))
    # u = 2, W = 3, U = 0.5, V = -1, w = 4: tastes ±6, attention by 4 tanh(1 ∓ 1).
    first, second = math.exp(4 * math.tanh(0)), math.exp(4 * math.tanh(2))
    assert model(torch.tensor([0]), outfits).item() == pytest.approx(6 * (first - second) / (first + second))


@pytest.mark.parametrize("taste", TASTES)
def test_training_starts_from_tastes_in_the_items_own_space_under_even_attention(taste: str) -> None:
    model, outfits = OutfitNet(taste=taste, dim=DIM, users=USERS).double(), state([2, 3, 4])
    of = {"inner": dot, "cosine": cosine}[taste]
    for user in range(USERS):
        for row, score in enumerate(model(torch.full((3,), user), outfits).tolist()):
            tastes = [of(model.user.weight[user].tolist(), item) for item in listed(outfits, row)]
            assert score == pytest.approx(sum(tastes) / len(tastes))
    users = OutfitNet(std=0.3, dim=50, users=500).user.weight
    assert users.std().item() == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize("limit", [1, 200, 2 * USERS * 4 * HIDDEN, 10**9])
def test_few_outfits_at_once_score_as_all_do(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    model, outfits = outfitnet(), state([2, 3, 4, 1, 2, 3, 4])
    users = torch.arange(USERS)[:, None]
    whole = model(users, outfits)
    sizes: list[int] = []
    model.attention_weight.register_forward_pre_hook(lambda _, hidden: sizes.append(hidden[0].numel()))
    monkeypatch.setattr(module, "LARGEST", limit)
    torch.testing.assert_close(model(users, outfits), whole)
    one = USERS * 4 * HIDDEN
    assert sum(sizes) == 7 * one
    assert max(sizes) <= max(limit, one)
    assert len(sizes) == math.ceil(7 / max(min(limit // one, 7), 1))


def test_no_outfit_and_no_user_give_no_score() -> None:
    model, outfits = outfitnet(), state([2, 3])
    assert model(torch.arange(USERS)[:, None], Items(*(part[:0] for part in outfits))).shape == (USERS, 0)
    assert model(torch.empty(0, 1, dtype=torch.long), outfits).shape == (0, 2)


def test_the_parameters_are_those_of_the_formulas() -> None:
    model = create("preference", "outfitnet", attention=7, dim=DIM, users=USERS)
    sizes = {"user": USERS * DIM, "item": DIM * DIM, "attention_user": 7 * DIM, "attention_item": 7 * DIM}
    assert {name: part.weight.numel() for name, part in model.named_children()} == {**sizes, "attention_weight": 7}
    assert len(list(model.parameters())) == 5


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_an_aggregator_that_keeps_no_items_is_refused(name: str, variant: str) -> None:
    with pytest.raises(RecipeError, match=f"preference {name} scores the items of an outfit") as caught:
        preference(name, variant)(torch.zeros(2, dtype=torch.long), torch.randn(2, DIM))
    assert caught.value.problems[0].hint == "set model.aggregator: items"


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("relevancy", {"similarity": "euclid"}, "similarity must be one of cosine, inner, distance, not 'euclid'"),
        ("outfitnet", {"taste": "dot", "dim": 4, "users": 2}, "taste must be one of cosine, inner, not 'dot'"),
        ("outfitnet", {"attention": 0, "dim": 4, "users": 2}, "attention must be ≥ 1, not 0"),
        ("outfitnet", {"std": 0.0, "dim": 4, "users": 2}, "std must be > 0, not 0.0"),
    ],
)
def test_what_is_out_of_range_is_refused(name: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        create("preference", name, **fields)
    assert message.split(" ", 1)[1] in str(caught.value)
