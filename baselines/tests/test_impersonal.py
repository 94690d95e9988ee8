"""Unknown users, served by methods that know no users."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny
from torch import Generator, Tensor

import outfitrec
from outfitrec import DataError, RecipeError, Recommender
from outfitrec.core.recipe import load_recipe
from outfitrec.protocols import ColdStart
from outfitrec_baselines.shared.compatibility import Compatibility
from outfitrec_baselines.shared.impersonal import Impersonal
from outfitrec_baselines.shared.items import Items

LENGTHS = """
import torch
from outfitrec import component
from outfitrec.hooks import hookimpl

@component
class First(torch.nn.Module):
    '''An outfit's state is the first number of its first item.'''

    def forward(self, items, mask, category):
        return items[:, 0, 0]

@hookimpl
def outfitrec_register(register):
    register.component("aggregator", "first", ":First", "a number an outfit")
"""


def recommender() -> Recommender:
    encoder = outfitrec.create("encoder", "features", size=4, head=outfitrec.create("head", "identity", dim=4))
    return Recommender(encoder, outfitrec.create("aggregator", "mean"), Compatibility())


def personal() -> Recommender:
    preference = outfitrec.create("preference", "cosine", dim=4, users=3)
    return Recommender(recommender().encoder, outfitrec.create("aggregator", "mean"), preference)


def states(count: int) -> Tensor:
    return torch.randn(count, generator=Generator().manual_seed(count))


@given(st.integers(0, 6), st.integers(0, 9))
def test_scores_are_those_of_any_user_whatever_the_profile(liked: int, count: int) -> None:
    cold, model, state = Impersonal(), recommender(), states(count)
    profile = cold.profile(model, states(liked))
    assert {name: int(tensor) for name, tensor in profile.items()} == {"liked": liked}
    scores = cold.score(model, profile, state)
    assert torch.equal(scores, model.score_all(torch.tensor([7]), state)[0])
    assert torch.equal(scores, state)


def test_several_users_are_scored_by_a_leading_dimension() -> None:
    cold, model, state = Impersonal(), recommender(), states(4)
    profiles = [cold.profile(model, states(count)) for count in (1, 5, 2)]
    together = {"liked": torch.stack([one["liked"] for one in profiles])}
    scores = cold.score(model, together, state)
    assert scores.shape == (3, 4)
    assert torch.equal(scores, state.expand(3, -1))


def test_it_is_a_cold_start_and_takes_states_of_several_tensors() -> None:
    cold, model, state = outfitrec.create("cold_start", "impersonal"), recommender(), (states(3), states(3) * 2)
    assert isinstance(cold, ColdStart)
    assert torch.equal(cold.score(model, cold.profile(model, state), state), states(3))


@pytest.mark.parametrize("users", [torch.zeros(2, 1).long(), torch.zeros(3).long()], ids=["column", "row"])
def test_a_compatibility_of_several_numbers_an_outfit_is_refused(users: Tensor) -> None:
    mask, category = torch.ones(3, 2, dtype=torch.bool), torch.zeros(3, 2).long()
    for state, shape in (
        (torch.ones(3, 4), r"\[3, 4\]"),
        (torch.ones(3, 1), r"\[3, 1\]"),
        (Items(torch.ones(3, 2, 4), mask, category), r"\[3, 2, 4\]"),
    ):
        with pytest.raises(RecipeError, match=f"one number for each outfit.* {shape}") as caught:
            Compatibility()(users, state)
        assert caught.value.problems[0].hint == "set model.aggregator: bi_lstm, type_aware or sce_net"


def test_the_profile_of_another_strategy_is_refused() -> None:
    with pytest.raises(DataError, match="no profile of this strategy: it has a tensor 'liked'"):
        Impersonal().score(recommender(), {"weight": torch.ones(3)}, states(2))


def test_a_preference_that_knows_users_is_refused_where_it_is_served() -> None:
    cold, model, state = Impersonal(), personal(), torch.ones(2, 4)
    with pytest.raises(RecipeError, match=r"the preference Cosine does[^$]*weighted_average"):
        cold.profile(model, state)
    with pytest.raises(RecipeError, match="the preference Cosine does"):
        cold.score(model, {"liked": torch.tensor(2)}, state)


def impersonal_recipe(**model: Any) -> dict[str, Any]:
    """A recipe with an evaluation on unknown users, whom nobody is like."""
    unknown = {"dataset": {"name": "tiny", "seed": 1, "users": 4}, "strategies": ["impersonal"], "draws": 2}
    encoder = {"name": "features", "size": 12}
    return tiny(
        model={"dim": 16, "encoder": encoder, **model}, evaluate={"cold_start": {**unknown, "profiles": [1, 5]}}
    )


def test_a_recipe_whose_preference_knows_users_is_refused() -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(impersonal_recipe())
    assert str(caught.value) == (
        "evaluate.cold_start.strategies: impersonal is for methods that know no users, and the preference 'cosine' "
        "does: choose a strategy that needs known users, such as weighted_average"
    )


def test_figures_are_the_same_for_profiles_of_any_size(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text(LENGTHS)
    recipe = impersonal_recipe(aggregator="first", preference="compatibility")
    recipe["plugins"] += [str(tmp_path / "first.py")]
    found = outfitrec.run(recipe, {"train.epochs": 1}, out=tmp_path / "runs").result.cold_start
    assert found is not None
    sizes = found["strategies"]["impersonal"]
    assert set(sizes) == {"1", "5"}
    assert sizes["1"] == sizes["5"]
    assert sizes["1"]["auc"]["deviation"] == 0
