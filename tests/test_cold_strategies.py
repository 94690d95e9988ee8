"""Strategies for cold starters, against naive loops."""

from typing import Any

import pytest
import torch
from colds import naive_weights
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

from outfitrec.core.errors import DataError
from outfitrec.core.recommender import Recommender
from outfitrec.plugins.aggregators.mean import Mean
from outfitrec.plugins.cold_starts.average import Average
from outfitrec.plugins.cold_starts.weighted_average import WeightedAverage
from outfitrec.plugins.encoders.features import Features
from outfitrec.plugins.heads.item_encoder import ItemEncoder
from outfitrec.plugins.preferences.cosine import Cosine
from outfitrec.protocols import ColdStart

STRATEGIES = [Average, WeightedAverage]
USERS = 9
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    return knowing(vectors(USERS, seed=100))


def knowing(tastes: Tensor) -> Recommender:
    """A recommender of these users; states are vectors of the same length."""
    preference = Cosine(users=USERS, dim=4)
    with torch.no_grad():
        preference.user.weight.copy_(tastes)
    return Recommender(Features(size=4, head=ItemEncoder(dim=4)), Mean(), preference).double()


def vectors(count: int, seed: int) -> Tensor:
    return torch.randn(count, 4, generator=Generator().manual_seed(seed), dtype=torch.float64)


def score(recommender: Recommender, user: int, outfit: Tensor) -> float:
    """One score, r_ij."""
    with torch.no_grad():
        return float(recommender.preference(torch.tensor([[user]]), outfit[None]))


def made(strategy: type[Any], threshold: float = 0.0) -> ColdStart:
    cold: ColdStart = strategy(threshold=threshold, users=USERS)
    return cold


@pytest.mark.parametrize("threshold", [0.0, 0.3, -0.2])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_profile_and_scores_are_those_of_naive_loops(
    recommender: Recommender, strategy: type[Any], threshold: float
) -> None:
    cold, temperature = made(strategy, threshold), 0.2 if strategy is WeightedAverage else None
    liked, outfits = vectors(5, seed=1), vectors(7, seed=2)
    with torch.no_grad():
        profile = cold.profile(recommender, liked)
        scores = cold.score(recommender, profile, outfits)
    means = [sum(score(recommender, user, outfit) for outfit in liked) / len(liked) for user in range(USERS)]
    weights = naive_weights(means, threshold, temperature)
    assert 1 < sum(weight > 0 for weight in weights) < USERS
    assert profile["weight"].tolist() == pytest.approx(weights, abs=1e-12)
    for place, outfit in enumerate(outfits):
        expected = sum(weight * score(recommender, user, outfit) for user, weight in enumerate(weights))
        assert float(scores[place]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_where_nobody_is_above_the_threshold_the_most_similar_user_decides(
    recommender: Recommender, strategy: type[Any]
) -> None:
    liked, outfits = vectors(3, seed=3), vectors(6, seed=4)
    cold = made(strategy, threshold=1.0)
    with torch.no_grad():
        everybody = recommender.score_all(torch.arange(USERS), torch.cat([liked, outfits]))
        scores = cold.score(recommender, cold.profile(recommender, liked), outfits)
    best = everybody[:, :3].mean(dim=1).argmax()
    torch.testing.assert_close(scores, everybody[best, 3:])


def test_where_everybody_is_above_the_threshold_the_average_is_that_of_all(recommender: Recommender) -> None:
    liked, outfits = vectors(3, seed=3), vectors(6, seed=4)
    cold = made(Average, threshold=-1.0)
    with torch.no_grad():
        scores = cold.score(recommender, cold.profile(recommender, liked), outfits)
        torch.testing.assert_close(scores, recommender.score_all(torch.arange(USERS), outfits).mean(dim=0))


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 1.0])
def test_a_high_temperature_makes_the_weighted_average_the_average(recommender: Recommender, threshold: float) -> None:
    liked = vectors(3, seed=5)
    flat = WeightedAverage(threshold=threshold, temperature=1e9, users=USERS).profile(recommender, liked)
    torch.testing.assert_close(flat, made(Average, threshold).profile(recommender, liked))


@given(seeds, st.integers(1, 6), st.floats(-1, 1))
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_weights_sum_to_one_and_the_order_of_the_profile_is_irrelevant(
    recommender: Recommender, strategy: type[Any], seed: int, count: int, threshold: float
) -> None:
    cold, liked = made(strategy, threshold), vectors(count, seed)
    weight = cold.profile(recommender, liked)["weight"]
    assert (weight >= 0).all()
    assert float(weight.sum()) == pytest.approx(1, abs=1e-12)
    order = torch.randperm(count, generator=Generator().manual_seed(seed))
    torch.testing.assert_close(cold.profile(recommender, liked[order])["weight"], weight, rtol=0, atol=1e-12)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_several_users_are_scored_by_a_leading_dimension(recommender: Recommender, strategy: type[Any]) -> None:
    cold, outfits = made(strategy), vectors(6, seed=4)
    profiles = [cold.profile(recommender, vectors(3, seed)) for seed in range(3)]
    together = {"weight": torch.stack([one["weight"] for one in profiles])}
    scores = cold.score(recommender, together, outfits)
    assert scores.shape == (3, 6)
    for row, profile in zip(scores, profiles, strict=True):
        torch.testing.assert_close(row, cold.score(recommender, profile, outfits))


def test_users_who_are_equally_similar_have_the_same_share() -> None:
    twins = knowing(torch.eye(4)[:3].repeat(3, 1))
    for strategy in STRATEGIES:
        weight = made(strategy, threshold=1.0).profile(twins, torch.eye(4).double()[1:2])["weight"]
        assert weight.tolist() == pytest.approx([0, 1 / 3, 0] * 3)


def test_defaults_are_the_papers() -> None:
    strategies = Average(users=1), WeightedAverage(users=1)
    assert [one.threshold for one in strategies] == [0, 0]
    assert strategies[1].temperature == 0.2
    assert all(isinstance(one, ColdStart) for one in strategies)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_no_profile_is_refused(recommender: Recommender, strategy: type[Any]) -> None:
    cold, outfits = made(strategy), vectors(2, seed=1)
    with pytest.raises(DataError, match="no liked outfits"):
        cold.profile(recommender, vectors(0, seed=1))
    with pytest.raises(DataError, match="the profile is of a model of 8 users, and this one knows 9"):
        cold.score(recommender, {"weight": torch.ones(2, 8).double()}, outfits)
    for profile in ({"anchors": torch.ones(9)}, {"weight": torch.tensor(1.0)}):
        with pytest.raises(DataError, match="no profile of this strategy"):
            cold.score(recommender, profile, outfits)
