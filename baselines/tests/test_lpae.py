"""LPAE's parts against naive loops, closed forms and small cases by hand."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma
from tiny import tiny
from torch import Generator, Tensor, nn
from torch.nn.functional import pad

from outfitrec import Batch, Outfits, RecipeError, Recommender, Step, create, run
from outfitrec.core.errors import OutfitrecError
from outfitrec.core.recipe import load_recipe
from outfitrec.plugins.losses.bpr import BPR
from outfitrec.plugins.preferences.cosine import Cosine
from outfitrec.protocols import Loss, Objective, Preference
from outfitrec_baselines.lpae.aggregator import LPAEAggregator
from outfitrec_baselines.lpae.anchored import log_det_divergence
from outfitrec_baselines.lpae.head import LPAEHead
from outfitrec_baselines.lpae.outer_bpr import OuterBPR
from outfitrec_baselines.lpae.preference import Anchors
from outfitrec_baselines.lpae.regularizer import AnchorRegularizer
from outfitrec_baselines.shared.items import Items

USERS, DIM = 7, 6
seeds = st.integers(0, 2**32 - 1)
gradcheck: Callable[..., bool] = torch.autograd.gradcheck


@pytest.fixture
def unchecked() -> Iterator[None]:
    """The package as it is for users, without the test session's checks of shapes."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def preference(anchors: int = 4, general: int = 0, score: str = "sum", users: int = USERS, dim: int = DIM) -> Anchors:
    made = Anchors(anchors=anchors, general=general, score=score, users=users, dim=dim).double()
    with torch.no_grad():
        made.user_anchors.copy_(normal(users, anchors, dim, seed=1))
        made.general_anchors.copy_(normal(general, dim, seed=2))
    return made


def cosine(a: list[float], b: list[float]) -> float:
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return product / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def naive_score(made: Anchors, user: int, state: Tensor) -> float:
    anchors = made.user_anchors[user].tolist() + made.general_anchors.tolist()
    cosines = [cosine(anchor, state.tolist()) for anchor in anchors]
    return sum(cosines) / (len(cosines) if made.score == "mean" else 1)


def step(made: Preference, users: Tensor) -> Step:
    """A step of these users."""
    encoder = create("encoder", "features", size=DIM, head=create("head", "identity", dim=DIM))
    recommender = Recommender(encoder, create("aggregator", "mean"), made)
    nothing = torch.empty(0, dtype=torch.long)
    items = torch.zeros(0, DIM)
    batch = Batch(users, Outfits(torch.zeros(len(users), 2).long(), torch.zeros(len(users), 2).long()), nothing)
    return Step(
        batch,
        ids=nothing,
        category=nothing,
        features=items,
        items=items,
        states={},
        recommender=recommender,
        teacher=None,
        epoch=0,
        generator=Generator(),
    )


@pytest.mark.parametrize("score", ["sum", "mean"])
@pytest.mark.parametrize(("anchors", "general"), [(4, 0), (3, 2), (1, 5)])
def test_score_is_that_of_a_naive_loop_for_every_way_to_ask(anchors: int, general: int, score: str) -> None:
    made, outfits = preference(anchors, general, score), normal(9, DIM, seed=3)
    expected = [[naive_score(made, user, outfit) for outfit in outfits] for user in range(USERS)]
    with torch.no_grad():
        # Fewer users than there are, and more, which take another way.
        for users in (torch.tensor([5, 0, 5]), torch.arange(USERS), torch.tensor([6, 6, 2, 1, 0, 3, 3, 4])):
            every = made(users[:, None], outfits)
            torch.testing.assert_close(every, torch.tensor([expected[user] for user in users], dtype=torch.float64))
        for pairs in ([4, 1, 4], [0, 1, 2, 3, 4, 5, 6, 6, 6]):
            rows = made(torch.tensor(pairs), outfits[: len(pairs)])
            assert rows.tolist() == pytest.approx([expected[user][row] for row, user in enumerate(pairs)])
        known = made.score_anchors(made.anchors_of(torch.tensor([2, 6])), outfits)
        torch.testing.assert_close(known, torch.tensor([expected[2], expected[6]], dtype=torch.float64))


def test_states_that_are_no_outfit_embeddings_are_refused() -> None:
    made, users = preference(), torch.tensor([0, 1])
    mask = torch.ones(2, 3, dtype=torch.bool)
    for state, found in (
        (Items(torch.ones(2, 3, DIM), mask, mask.long()), "Items"),
        # As many as dimensions: one number each of so many outfits passes for a vector.
        (normal(DIM, seed=1), r"a tensor of shape \[6\]"),
        (normal(2, DIM + 1, seed=1), r"a tensor of shape \[2, 7\]"),
    ):
        for asked in (users, users[:, None]):
            with pytest.raises(RecipeError, match=f"anchors need a vector of 6 numbers .* gives {found}") as caught:
                made(asked, state)
            assert caught.value.problems[0].hint.startswith("set model.aggregator: lpae")


def test_a_recipe_whose_aggregator_gives_items_says_what_anchors_need(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"anchors need a vector of 16 numbers for each outfit.* gives Items"):
        run(lpae(), {"model.aggregator": "items"}, out=tmp_path)


def test_score_of_a_small_case_by_hand() -> None:
    made = preference(2, 1, users=1, dim=2)
    with torch.no_grad():
        made.user_anchors.copy_(torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]))
        made.general_anchors.copy_(torch.tensor([[-5.0, 0.0]]))
        found = float(made(torch.tensor([0]), torch.tensor([[3.0, 4.0]]).double()))
    # Cosines 3/5, 4/5 and -3/5.
    assert found == pytest.approx(0.8)


def test_scores_have_the_gradients_of_finite_differences() -> None:
    made, users = preference(3, 2), torch.tensor([[0], [3]])
    outfits = normal(4, DIM, seed=3).requires_grad_()

    def function(anchors: Tensor, general: Tensor, outfits: Tensor) -> Tensor:
        found: Tensor = torch.func.functional_call(
            made, {"user_anchors": anchors, "general_anchors": general}, (users, outfits)
        )
        return found

    start = [one.detach().clone().requires_grad_() for one in (made.user_anchors, made.general_anchors)]
    assert gradcheck(function, (*start, outfits))


def test_anchors_begin_as_the_originals() -> None:
    made = Anchors(users=50, anchors=32, general=400, dim=128)
    bound = math.sqrt(3 / 128)
    for one in (made.user_anchors, made.general_anchors):
        assert float(one.detach().abs().max()) == pytest.approx(bound, rel=1e-3)
        # Uniform: a third of the squared bound, which makes the anchors' lengths one on average.
        assert float(one.detach().square().sum(dim=-1).mean()) == pytest.approx(1, rel=0.02)


def test_sizes_are_those_of_the_paper() -> None:
    counts = [
        sum(one.numel() for one in Anchors(users=630, dim=128, anchors=anchors, general=general).parameters())
        for anchors, general in ((64, 0), (32, 32))
    ]
    assert counts == [5_160_960, 2_584_576]


def test_head_is_a_linear_layer_normalised_and_rectified() -> None:
    torch.manual_seed(0)
    layers = LPAEHead(dim=5).build(400).double().eval()
    linear = layers[0]
    assert isinstance(linear, nn.Linear)
    assert float(linear.weight.detach().abs().max()) == pytest.approx(math.sqrt(6 / 400), rel=0.01)
    assert not linear.bias.detach().any()
    features = normal(3, 400, seed=1)
    with torch.no_grad():
        found = layers(features, torch.zeros(3, dtype=torch.long))
        for row, one in zip(found.tolist(), (features @ linear.weight.T).tolist(), strict=True):
            mean = sum(one) / 5
            deviation = math.sqrt(sum((x - mean) ** 2 for x in one) / 5 + 1e-5)
            assert row == pytest.approx([max((x - mean) / deviation, 0) for x in one])
        layers.train()
        dropped = layers(normal(2000, 400, seed=2), torch.zeros(2000, dtype=torch.long))
    # Half is zero by the rectifier, and a fifth of the rest by dropout.
    assert float((dropped == 0).double().mean()) == pytest.approx(0.6, abs=0.03)


def outfits(seed: int, count: int, slots: int) -> tuple[Tensor, Tensor, Tensor]:
    draws = Generator().manual_seed(seed)
    mask = torch.rand(count, slots, generator=draws) < 0.6
    mask[:, 0] = True
    items = torch.randn(count, slots, 8, generator=draws, dtype=torch.float64)
    return items * mask[..., None], mask, torch.where(mask, 0, -1)


@given(seeds, st.integers(1, 4), st.integers(1, 5), st.integers(0, 3))
def test_neither_the_order_of_the_items_nor_empty_slots_matter(seed: int, count: int, slots: int, more: int) -> None:
    torch.manual_seed(1)
    aggregator = LPAEAggregator(dim=8).double().eval()
    items, mask, category = outfits(seed, count, slots)
    order = torch.randperm(slots + more, generator=Generator().manual_seed(seed))
    wide = pad(items, (0, 0, 0, more)), pad(mask, (0, more)), pad(category, (0, more), value=-1)
    with torch.no_grad():
        found = aggregator(*(one[:, order] for one in wide))
        torch.testing.assert_close(found, aggregator(items, mask, category))


def test_aggregator_has_the_gradients_of_finite_differences() -> None:
    torch.manual_seed(1)
    aggregator = LPAEAggregator(dim=4, heads=2, blocks=1).double().eval()
    items, mask = normal(2, 3, 4, seed=1), torch.tensor([[True, True, True], [True, True, False]])
    start = (items * mask[..., None]).requires_grad_()
    assert gradcheck(lambda one: aggregator(one, mask, torch.where(mask, 0, -1)), (start,))


def test_divergence_of_a_small_case_by_hand() -> None:
    anchors = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    # G = [[1, 1], [1, 2]]: trace 3, determinant 1.
    assert float(log_det_divergence(anchors)) == pytest.approx(3)


@given(seeds, st.integers(1, 6))
def test_divergence_is_that_of_the_singular_values_and_least_for_orthonormal_anchors(seed: int, count: int) -> None:
    anchors = normal(2, count, DIM, seed=seed)
    for one, found in zip(anchors, log_det_divergence(anchors).tolist(), strict=True):
        squares = np.linalg.svd(one.numpy(), compute_uv=False) ** 2
        assert found == pytest.approx(sum(squares - np.log(squares)), rel=1e-6)
        assert found >= count
    assert float(log_det_divergence(torch.linalg.qr(anchors[0].T).Q.T)) == pytest.approx(count)


def test_divergence_has_the_gradients_of_finite_differences() -> None:
    assert gradcheck(log_det_divergence, (normal(2, 3, 5, seed=1).requires_grad_(),))


def test_single_precision_is_enough_for_the_divergence_of_64_anchors() -> None:
    anchors = Anchors(users=20, dim=128).user_anchors.detach()
    torch.testing.assert_close(
        log_det_divergence(anchors).double(), log_det_divergence(anchors.double()), rtol=1e-5, atol=0
    )


def test_divergence_at_the_start_is_that_of_random_anchors() -> None:
    torch.manual_seed(0)
    found = float(log_det_divergence(Anchors(users=300, dim=128).user_anchors.detach()).mean())
    # The mean of a Wishart matrix's log-determinant.
    wishart = sum(float(digamma((128 - k) / 2)) for k in range(64)) + 64 * math.log(2 / 128)
    assert found == pytest.approx(64 - wishart, abs=0.3)
    assert found == pytest.approx(83.6, abs=0.3)


@pytest.mark.parametrize("users", [[3, 0, 3], [1, 1, 5, 0, 2, 2, 2, 4, 6]])
def test_regulariser_is_the_mean_over_the_users_of_the_step_as_they_are(users: list[int]) -> None:
    made = preference(3, 2)
    value = AnchorRegularizer()(step(made, torch.tensor(users)))
    total = 0.0
    for user in users:
        gram = made.user_anchors[user].detach().numpy() @ made.user_anchors[user].detach().numpy().T
        total += np.trace(gram) - math.log(np.linalg.det(gram))
    assert value.item() == pytest.approx(total / len(users))
    value.backward()
    gradient = made.user_anchors.grad
    assert gradient is not None
    assert made.general_anchors.grad is None
    assert [user for user in range(USERS) if gradient[user].any()] == sorted({*users})


def test_regulariser_refuses_what_has_no_independent_anchors() -> None:
    with pytest.raises(RecipeError, match="the preference Cosine has none"):
        AnchorRegularizer()(step(Cosine(users=USERS, dim=DIM), torch.tensor([1])))
    with pytest.raises(RecipeError, match="7 anchors in 6 dimensions are always linearly dependent"):
        AnchorRegularizer()(step(preference(7), torch.tensor([1])))


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_outer_loss_is_that_of_a_naive_loop(temperature: float) -> None:
    positive, negative, weight = normal(4, seed=1), normal(4, 3, seed=2), normal(4, 3, seed=3)
    mask = torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]]).bool()
    terms = [
        math.log1p(math.exp(-(float(positive[a]) - float(weight[b, k]) * float(negative[b, k])) / temperature))
        for a in range(4)
        for b in range(4)
        for k in range(3)
        if mask[b, k]
    ]
    value = OuterBPR(temperature=temperature)(positive, negative, weight, mask)
    assert float(value) == pytest.approx(sum(terms) / len(terms))
    assert gradcheck(
        lambda up, down, factor: OuterBPR(temperature=0.5)(up, down, factor, mask),
        tuple(one.clone().requires_grad_() for one in (positive, negative, weight)),
    )


def test_outer_loss_of_a_small_case_by_hand() -> None:
    value = OuterBPR()(torch.tensor([0.0, 1.0]), torch.tensor([[0.0], [1.0]]))
    # Differences 0, -1, 1 and 0.
    assert float(value) == pytest.approx((2 * math.log(2) + math.log1p(math.e) + math.log1p(1 / math.e)) / 4)


@given(seeds, st.integers(1, 5))
def test_outer_loss_of_one_pair_is_bpr(seed: int, count: int) -> None:
    scores = normal(1, seed=seed), normal(1, count, seed=seed + 1), normal(1, count, seed=seed + 2)
    torch.testing.assert_close(OuterBPR()(*scores), BPR()(*scores))


def test_outer_loss_without_negatives_is_zero_without_gradient() -> None:
    positive, negative = normal(3, seed=1).requires_grad_(), normal(3, 2, seed=2).requires_grad_()
    value = OuterBPR()(positive, negative, -negative.detach(), torch.zeros(3, 2, dtype=torch.bool))
    assert value.item() == 0
    assert not any(one.any() for one in torch.autograd.grad(value, (positive, negative)))
    assert OuterBPR()(positive, torch.zeros(3, 0).double()).item() == 0


@pytest.mark.usefixtures("unchecked")
def test_shapes_that_would_broadcast_are_refused() -> None:
    for positive, negative in (((4, 1), (4, 3)), ((1,), (4, 3)), ((4,), (4,))):
        with pytest.raises(ValueError, match=r"expected \[pair\] and \[pair, negative\]"):
            OuterBPR()(torch.zeros(positive), torch.zeros(negative))
    with pytest.raises(ValueError, match=r"weight of shape \(4, 1\) for negatives of shape \(4, 3\)"):
        OuterBPR()(torch.zeros(4), torch.zeros(4, 3), torch.zeros(4, 1))


def test_parts_keep_their_protocols_and_the_published_defaults() -> None:
    made = Anchors(users=1, dim=2)
    assert isinstance(made, Preference)
    assert (made.anchors, made.general, made.score) == (64, 0, "sum")
    assert isinstance(OuterBPR(), Loss)
    assert isinstance(AnchorRegularizer(), Objective)
    assert AnchorRegularizer().weight == 0.01
    aggregator = LPAEAggregator(dim=8)
    assert (aggregator.heads, aggregator.blocks, LPAEHead(dim=2).dropout) == (4, 2, 0.2)


def lpae(**changes: Any) -> dict[str, Any]:
    """A recipe with LPAE's parts."""
    model = {
        "dim": 16,
        "encoder": {"name": "features", "size": 12, "head": "lpae"},
        "aggregator": {"name": "lpae", "blocks": 1},
        "preference": {"name": "anchors", "anchors": 6, "general": 2, **changes},
    }
    ranking = {"name": "ranking", "loss": {"name": "outer_bpr"}}
    return tiny(name="lpae", model=model, objectives=[ranking, "anchor_regularizer"])


def test_a_recipe_learns_the_users_taste(tmp_path: Path) -> None:
    untrained, trained = (run(lpae(), {"train.epochs": k}, out=tmp_path / f"{k}").result.test["auc"] for k in (0, 6))
    assert untrained < 0.6
    assert trained > 0.75


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"anchors": 17}, r"anchor_regularizer takes 16 anchors \(model.dim\) at most, not 17"),
        ({"name": "cosine"}, "anchor_regularizer works on the users' anchors, and 'cosine' has none"),
    ],
)
def test_a_recipe_without_independent_anchors_is_refused(changes: dict[str, Any], message: str) -> None:
    recipe = lpae(**changes)
    if changes.get("name"):
        recipe["model"]["preference"] = changes["name"]
    with pytest.raises(OutfitrecError, match=message):
        load_recipe(recipe)


def test_heads_that_do_not_divide_the_dimension_are_refused() -> None:
    with pytest.raises(OutfitrecError, match=r"3 heads do not divide model.dim, which is 16"):
        load_recipe(lpae(), {"model.aggregator.heads": 3})
