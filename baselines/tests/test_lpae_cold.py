"""LPAE's strategies for cold starters, against plain Python."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny
from torch import Generator, Tensor

from outfitrec import DataError, RecipeError, Recommender, RunError, create, run
from outfitrec.core.errors import OutfitrecError
from outfitrec.core.recipe import load_recipe
from outfitrec.plugins.preferences.cosine import Cosine
from outfitrec.protocols import ColdStart
from outfitrec_baselines.lpae.anchor_optimization import AnchorOptimization
from outfitrec_baselines.lpae.anchor_search import AnchorSearch
from outfitrec_baselines.lpae.preference import Anchors
from outfitrec_baselines.lpae.user_search import UserSearch

USERS, DIM, COUNT = 6, 5, 4
READINGS = ["closest_each", "closest_mean", "all_users"]
SEARCHES = [*(AnchorSearch(reading=reading) for reading in READINGS), UserSearch()]
seeds = st.integers(0, 2**32 - 1)
Vector = Sequence[float]


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def served_by(preference: Any) -> Recommender:
    encoder = create("encoder", "features", size=DIM, head=create("head", "identity", dim=DIM))
    return Recommender(encoder, create("aggregator", "mean"), preference).double().eval()


def knowing(anchors: Tensor, general: int = 2, score: str = "sum") -> Recommender:
    """A recommender of users who have these anchors."""
    users, count, dim = anchors.shape
    preference = Anchors(anchors=count, general=general, score=score, users=users, dim=dim).double()
    with torch.no_grad():
        preference.user_anchors.copy_(anchors)
        preference.general_anchors.copy_(normal(general, dim, seed=2))
    return served_by(preference)


def some(count: int = COUNT, general: int = 2, score: str = "sum", seed: int = 1) -> Recommender:
    return knowing(normal(USERS, count, DIM, seed=seed), general, score)


def cosine(a: Vector, b: Vector) -> float:
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return product / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def first_best(values: Sequence[float]) -> int:
    return max(range(len(values)), key=lambda place: values[place])


def naive_search(reading: str, known: list[list[Vector]], liked: list[Vector]) -> list[tuple[int, int]]:
    """User and number of each anchor that is found."""
    scores = [[sum(cosine(anchor, z) for anchor in anchors) for anchors in known] for z in liked]
    means = [sum(row[user] for row in scores) / len(liked) for user in range(len(known))]
    ranked = []
    for z, row in zip(liked, scores, strict=True):
        users = {"closest_each": [first_best(row)], "closest_mean": [first_best(means)]}.get(reading, range(len(known)))
        candidates = [(user, k) for user in users for k in range(len(known[user]))]
        ranked.append(sorted((-cosine(known[user][k], z), user, k) for user, k in candidates))
    found: list[tuple[int, int]] = []
    count = len(known[0])
    # Round by round, an anchor for each outfit; in the last one, the nearest ones as far as they are needed.
    for turn in range(math.ceil(count / len(liked))):
        found += [(user, k) for _, user, k in sorted(one[turn] for one in ranked)][: count - len(found)]
    return found


def profile(cold: Any, recommender: Recommender, liked: Tensor) -> Tensor:
    anchors: Tensor = cold.profile(recommender, liked)["anchors"]
    return anchors


def rows(anchors: Tensor) -> Counter[tuple[float, ...]]:
    """Anchors as a multiset."""
    return Counter(map(tuple, anchors.tolist()))


@given(seeds, st.integers(1, 7), st.integers(1, 6))
@pytest.mark.parametrize("reading", READINGS)
def test_anchors_that_are_found_are_those_of_plain_python(reading: str, seed: int, outfits: int, count: int) -> None:
    recommender, liked = some(count, seed=seed), normal(outfits, DIM, seed=seed + 1)
    known = recommender.preference.user_anchors.tolist()  # type: ignore[attr-defined]  # of Anchors
    found = profile(AnchorSearch(reading=reading), recommender, liked)
    expected = [known[user][k] for user, k in naive_search(reading, known, liked.tolist())]
    assert found.shape == (count, DIM)
    assert rows(found) == Counter(map(tuple, expected))


@given(seeds, st.integers(1, 6), st.integers(1, 7))
@pytest.mark.parametrize("cold", SEARCHES, ids=repr)
def test_the_order_of_the_liked_outfits_is_irrelevant(cold: Any, seed: int, outfits: int, count: int) -> None:
    recommender, liked = some(count, seed=seed), normal(outfits, DIM, seed=seed + 1)
    order = torch.randperm(outfits, generator=Generator().manual_seed(seed))
    assert rows(profile(cold, recommender, liked[order])) == rows(profile(cold, recommender, liked))


@pytest.mark.parametrize(("general", "score"), [(0, "sum"), (2, "mean")])
@pytest.mark.parametrize("cold", [AnchorSearch(), AnchorSearch(reading="closest_mean"), UserSearch()], ids=repr)
def test_with_one_liked_outfit_scores_are_those_of_the_closest_user(cold: Any, general: int, score: str) -> None:
    recommender, outfits = some(general=general, score=score), normal(8, DIM, seed=4)
    for seed in range(10):
        liked = normal(1, DIM, seed=100 + seed)
        with torch.no_grad():
            everybody = [float(recommender.preference(torch.tensor([k]), liked)) for k in range(USERS)]
            scores = cold.score(recommender, cold.profile(recommender, liked), outfits)
            users = torch.tensor([first_best(everybody)])
            torch.testing.assert_close(scores, recommender.score_all(users, outfits)[0])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_user_search_takes_the_user_of_the_highest_mean_score(count: int) -> None:
    recommender = some()
    for seed in range(10):
        liked = normal(count, DIM, seed=200 + seed)
        with torch.no_grad():
            means = [
                sum(float(recommender.preference(torch.tensor([user]), one[None])) for one in liked)
                for user in range(USERS)
            ]
        known = recommender.preference.user_anchors  # type: ignore[attr-defined]  # of Anchors
        assert torch.equal(profile(UserSearch(), recommender, liked), known[first_best(means)].detach())


def test_a_small_case_by_hand() -> None:
    # The first user likes what is right or up, the second what is left or down, and rather down.
    known = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[-3.0, 0.0], [-0.1, -1.0]]]).double()
    recommender = knowing(known, general=0)
    right, down, left = torch.tensor([[1.0, 0.1]]), torch.tensor([[0.1, -1.0]]), torch.tensor([[-1.0, 0.1]])
    both = torch.cat([right, down]).double()
    assert rows(profile(AnchorSearch(), recommender, both)) == rows(torch.stack([known[0, 0], known[1, 1]]))
    both = torch.cat([left, down]).double()
    assert rows(profile(AnchorSearch(), recommender, both)) == rows(known[1])
    # Of three for two anchors, the nearest: down (0.2 rad from its own) is left out.
    three = torch.cat([right, left, down]).double()
    assert rows(profile(AnchorSearch(), recommender, three)) == rows(torch.stack([known[0, 0], known[1, 0]]))
    # Right, left and down are nearest to the second user on average, who has nothing on the right.
    mean = AnchorSearch(reading="closest_mean")
    assert rows(profile(mean, recommender, three)) == rows(torch.stack([known[1, 0], known[1, 1]]))


def test_of_equal_users_and_anchors_the_first_are_taken() -> None:
    axes = torch.eye(DIM, dtype=torch.float64)
    # All are at right angles to the liked outfit.
    recommender = knowing(torch.stack([axes[[0, 1]], axes[[2, 3]], axes[[1, 0]]]), general=0)
    for cold in SEARCHES:
        assert torch.equal(profile(cold, recommender, axes[4:]), axes[[0, 1]])


@pytest.mark.parametrize("cold", SEARCHES, ids=repr)
def test_profiles_of_several_users_are_scored_together(cold: Any) -> None:
    recommender, outfits = some(), normal(7, DIM, seed=4)
    profiles = [cold.profile(recommender, normal(3, DIM, seed=seed)) for seed in range(3)]
    with torch.no_grad():
        together = cold.score(recommender, {"anchors": torch.stack([one["anchors"] for one in profiles])}, outfits)
        assert together.shape == (3, 7)
        for row, one in zip(together, profiles, strict=True):
            torch.testing.assert_close(row, cold.score(recommender, one, outfits))


def learner(**fields: Any) -> AnchorOptimization:
    cold = AnchorOptimization(**fields)
    cold.unobserved(normal(9, DIM, seed=7))
    return cold


def naive_objective(recommender: Recommender, cold: AnchorOptimization, anchors: Tensor, liked: Tensor) -> float:
    general = recommender.preference.general_anchors.tolist()  # type: ignore[attr-defined]  # of Anchors

    def score(z: Vector) -> float:
        return sum(cosine(anchor, z) for anchor in anchors.tolist() + general)

    margins = [score(z) - score(other) for z in liked.tolist() for other in normal(9, DIM, seed=7).tolist()]
    bpr = sum(math.log1p(math.exp(-margin / cold.temperature)) for margin in margins) / len(margins)
    values = torch.linalg.eigvalsh(anchors @ anchors.T)
    return bpr + cold.weight * float((values - values.log()).sum())


def test_a_step_of_the_optimisation_goes_down_the_gradient_of_finite_differences() -> None:
    recommender, liked = some(count=3), normal(2, DIM, seed=5)
    cold = learner(steps=1, lr=0.5, temperature=0.7, weight=0.3, seed=11)
    bound = math.sqrt(3 / DIM)
    start = torch.empty(3, DIM).uniform_(-bound, bound, generator=Generator().manual_seed(11)).double()
    moved = profile(cold, recommender, liked) - start
    for place in range(start.numel()):
        shift = torch.zeros(3 * DIM, dtype=torch.float64)
        shift[place] = 1e-6
        up, down = (naive_objective(recommender, cold, start + sign * shift.view(3, DIM), liked) for sign in (1, -1))
        assert float(moved.flatten()[place]) == pytest.approx(-0.5 * (up - down) / 2e-6, abs=1e-7)


def test_learned_anchors_rank_what_is_liked_above_what_is_not() -> None:
    recommender, cold = some(), learner()
    liked, unobserved = normal(2, DIM, seed=5), normal(9, DIM, seed=7)
    with torch.no_grad():
        found = cold.profile(recommender, liked)
        assert cold.score(recommender, found, liked).min() > cold.score(recommender, found, unobserved).max()


def test_optimisation_is_the_same_in_inference_mode_and_changes_nothing_else() -> None:
    recommender, cold = some(), learner(steps=5)
    before = {name: one.clone() for name, one in recommender.state_dict().items()}
    state = torch.get_rng_state()
    expected = profile(cold, recommender, normal(2, DIM, seed=5))
    with torch.inference_mode():
        cold.unobserved(normal(9, DIM, seed=7))
        found = profile(cold, recommender, normal(2, DIM, seed=5))
        assert torch.is_inference_mode_enabled()
    assert torch.equal(found, expected)
    assert not found.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], one) for name, one in recommender.state_dict().items())
    assert all(one.requires_grad and one.grad is None for one in recommender.parameters())
    with torch.no_grad():
        assert torch.equal(profile(cold, recommender, normal(2, DIM, seed=5)), expected)
        assert not torch.is_grad_enabled()


def test_optimisation_without_unobserved_outfits_says_what_is_missing() -> None:
    for cold in (AnchorOptimization(), learner()):
        if cold._unobserved is not None:
            cold.unobserved(normal(0, DIM, seed=1))
        with pytest.raises(DataError, match="learns from unobserved outfits besides the liked ones") as caught:
            cold.profile(some(), normal(2, DIM, seed=5))
        assert "anchor_search and user_search need liked outfits alone" in caught.value.problems[0].hint


def test_more_anchors_than_dimensions_cannot_be_regularised() -> None:
    with pytest.raises(RecipeError, match="6 anchors in 5 dimensions are always linearly dependent"):
        learner().profile(some(count=6), normal(2, DIM, seed=5))
    assert profile(learner(weight=0.0), some(count=6), normal(2, DIM, seed=5)).isfinite().all()


@pytest.mark.parametrize("cold", [*SEARCHES, learner()], ids=repr)
def test_what_cannot_be_served_is_refused(cold: Any) -> None:
    assert isinstance(cold, ColdStart)
    recommender, outfits = some(), normal(2, DIM, seed=1)
    with pytest.raises(DataError, match="no liked outfits"):
        cold.profile(recommender, normal(0, DIM, seed=1))
    other = served_by(Cosine(users=3, dim=DIM))
    for call in (lambda: cold.profile(other, outfits), lambda: cold.score(other, {}, outfits)):
        with pytest.raises(RecipeError, match="works on the users' anchors, and the preference Cosine has none"):
            call()
    with pytest.raises(RecipeError, match=r"anchors need a vector of 5 numbers for each outfit.* gives tuple"):
        cold.profile(recommender, (outfits,))
    with pytest.raises(RecipeError, match=r"anchors need a vector of 5 numbers .* a tensor of shape \[5\]"):
        cold.profile(recommender, outfits[0])
    found = cold.profile(recommender, outfits)
    with pytest.raises(RecipeError, match=r"anchors need a vector of 5 numbers .* a tensor of shape \[5\]"):
        cold.score(recommender, found, outfits[0])
    for anchors in ({"weight": torch.ones(4)}, {"anchors": torch.ones(DIM)}):
        with pytest.raises(DataError, match="no profile of this strategy"):
            cold.score(recommender, anchors, outfits)
    with pytest.raises(DataError, match="the profile has 3 anchors of 5 numbers, and those of this model are 4 of 5"):
        cold.score(recommender, {"anchors": torch.ones(2, 3, DIM)}, outfits)
    with pytest.raises(DataError, match="not finite"):
        cold.score(recommender, {"anchors": torch.full((COUNT, DIM), math.nan)}, outfits)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("cold", [*SEARCHES, learner()], ids=repr)
def test_liked_outfits_whose_embeddings_are_not_finite_are_refused(cold: Any, value: float) -> None:
    liked = normal(3, DIM, seed=1)
    liked[1, 2] = value
    with pytest.raises(DataError, match="1 of 3 liked outfits have an embedding that is not finite"):
        cold.profile(some(), liked)


def test_unobserved_outfits_are_checked_as_the_liked_ones() -> None:
    cold, liked = learner(), normal(3, DIM, seed=1)
    cold.unobserved(liked * math.nan)
    with pytest.raises(DataError, match="3 of 3 unobserved outfits have an embedding that is not finite"):
        cold.profile(some(), liked)
    cold.unobserved((liked,))
    with pytest.raises(RecipeError, match=r"anchors need a vector of 5 numbers .* gives tuple"):
        cold.profile(some(), liked)


def test_anchors_that_are_learned_too_fast_are_refused() -> None:
    with pytest.raises(RunError, match="the anchors are not finite after 100 steps") as caught:
        learner(lr=1e9).profile(some(), normal(2, DIM, seed=5))
    assert caught.value.problems[0].hint == "lower its lr, which is 1e+09"


def cold_recipe(preference: Any, *strategies: Any) -> dict[str, Any]:
    encoder = {"name": "features", "size": 12, "head": "lpae"}
    cold = {"dataset": {"name": "tiny", "seed": 1, "users": 4}, "strategies": [*strategies], "draws": 2}
    return tiny(
        model={"dim": 16, "encoder": encoder, "aggregator": {"name": "lpae", "blocks": 1}, "preference": preference},
        evaluate={"cold_start": {**cold, "profiles": [1, 5]}},
    )


def test_a_recipe_is_evaluated_on_cold_starters(tmp_path: Path) -> None:
    preference = {"name": "anchors", "anchors": 6}
    names = "anchor_search", "user_search", "anchor_optimization"
    quick = {"name": names[2], "steps": 20, "lr": 0.5}
    # Known users enough for new users to be like some of them.
    many = {"dataset.users": 60, "dataset.items": 300, "evaluate.cold_start.dataset.items": 300}
    readings = [{"name": names[0], "reading": one, "label": one} for one in ("closest_each", "all_users")]
    found = run(cold_recipe(preference, *names[:2], quick, *readings), {"train.epochs": 6, **many}, out=tmp_path)
    assert found.result.cold_start is not None
    strategies = found.result.cold_start["strategies"]
    # With one liked outfit they are one strategy.
    one, other = (strategies[name]["1"]["auc"]["mean"] for name in ("anchor_search", "user_search"))
    assert one == pytest.approx(other)
    assert strategies["anchor_search"]["5"] != strategies["user_search"]["5"]
    # By their labels, two readings stand side by side; the first is the default.
    assert strategies["closest_each"] == strategies["anchor_search"] != strategies["all_users"]
    assert all(strategies[name]["5"]["auc"]["mean"] > 0.6 for name in names)


@pytest.mark.parametrize("name", ["anchor_search", "user_search", "anchor_optimization"])
def test_a_recipe_without_anchors_is_refused(name: str) -> None:
    with pytest.raises(OutfitrecError, match=f"{name} works on the users' anchors, and 'cosine' has none"):
        load_recipe(cold_recipe("cosine", name))


def test_a_recipe_whose_learned_anchors_would_depend_is_refused() -> None:
    preference = {"name": "anchors", "anchors": 17}
    with pytest.raises(OutfitrecError, match="anchor_optimization takes 16 anchors"):
        load_recipe(cold_recipe(preference, "anchor_optimization"))
    load_recipe(cold_recipe(preference, {"name": "anchor_optimization", "weight": 0}))
