"""What known users say of a new one: how alike they are, and scores as a mean of theirs."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from outfitrec.core.errors import DataError
from outfitrec.core.recommender import Recommender
from outfitrec.core.state import State


def needs_persons(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
    """Refuse a model to which all users are alike."""
    preference = recipe.model.preference
    if not getattr(preference.component, "personal", True):
        yield (
            "model.preference",
            f"evaluate.cold_start.strategies: {config.name} is a mean of known users, and to the preference "
            f"{preference.name!r} all are alike: take a strategy for methods that know no users",
        )


@torch.no_grad()
def similarity(recommender: Recommender, liked: State, users: int) -> Float[Tensor, " user"]:
    """Mean score that each known user gives to the outfits that the new one likes (Eq. 20).

    Args:
        recommender: The trained recommender.
        liked: State of the liked outfits.
        users: Number of users that it knows.

    Raises:
        DataError: There is no liked outfit.
    """
    scores = _scores(recommender, liked, users)
    if not scores.shape[1]:
        raise DataError("no liked outfits: a profile is made of one or more")
    return scores.mean(dim=1)


def similar(similarity: Float[Tensor, " user"], threshold: float) -> Bool[Tensor, " user"]:
    """The users above the threshold, and whoever is most similar (Eq. 21): one at least."""
    return (similarity > threshold) | (similarity == similarity.max())


def weighted_scores(
    recommender: Recommender, profile: Mapping[str, Tensor], state: State, users: int
) -> Float[Tensor, "... outfit"]:
    """Scores of the known users, weighted by the profile (Eq. 22 and 24).

    Args:
        recommender: The recommender that the profile was made with.
        profile: ``weight``, ``[user]``, or ``[cold, user]`` of several new users.
        state: State of the outfits.
        users: Number of users that the recommender knows.

    Raises:
        DataError: The profile has no weights, or was made with a model of another number of users.
    """
    weight = profile.get("weight")
    if weight is None or weight.ndim == 0:
        raise DataError("no profile of this strategy: it has a tensor 'weight' with a number for each known user")
    if weight.shape[-1] != users:
        raise DataError(f"the profile is of a model of {weight.shape[-1]} users, and this one knows {users}")
    if not torch.isfinite(weight).all():
        raise DataError("the profile has weights that are not finite: make it anew")
    scores = _scores(recommender, state, users)
    return weight.to(scores.dtype) @ scores


def _scores(recommender: Recommender, state: State, users: int) -> Float[Tensor, "user outfit"]:
    first = state if isinstance(state, Tensor) else state[0]
    return recommender.score_all(torch.arange(users, device=first.device), state)
