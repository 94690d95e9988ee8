"""What the parts that work on a user's anchors share."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from outfitrec import DataError, RecipeError, Recommender, State
from outfitrec_baselines.lpae.preference import Anchors


def without_anchors(who: str, recipe: Any) -> Iterable[tuple[str, str]]:
    """What is wrong with a recipe that shall have anchors: key and message."""
    preference = recipe.model.preference
    if not issubclass(preference.component, Anchors):
        yield "model.preference", f"{who} works on the users' anchors, and {preference.name!r} has none: use 'anchors'"


def dependent_anchors(who: str, recipe: Any) -> Iterable[tuple[str, str]]:
    """What is wrong with a recipe whose anchors shall be independent: key and message."""
    preference, dim = recipe.model.preference, recipe.model.dim
    if issubclass(preference.component, Anchors) and preference.anchors > dim:
        yield "model.preference.anchors", f"{who} takes {dim} anchors (model.dim) at most, not {preference.anchors}"


def anchors_in(recommender: Recommender, who: str) -> Anchors:
    """The recommender's preference.

    Raises:
        RecipeError: It has no anchors.
    """
    preference = recommender.preference
    if not isinstance(preference, Anchors):
        raise RecipeError(
            f"{who} works on the users' anchors, and the preference {type(preference).__name__} has none",
            hint="it serves models whose preference is 'anchors'",
        )
    return preference


def log_det_divergence(anchors: Float[Tensor, "... anchor dim"]) -> Float[Tensor, "..."]:
    """tr(G) - ln det(G) of G = A Aᵀ: smallest, the number of anchors, where they are orthonormal.

    Infinite where they are linearly dependent. There the published code has a switch to the squared entries off G's
    diagonal, against failures of its determinant on a GPU; this one, by an LU factorisation, has no need of it.

    Raises:
        RecipeError: There are more anchors than dimensions.
    """
    count, dim = anchors.shape[-2:]
    if count > dim:
        raise RecipeError(
            f"{count} anchors in {dim} dimensions are always linearly dependent: their log-determinant is infinite",
            hint="take no more anchors than model.dim, or leave the regulariser out",
        )
    divergence: Tensor = anchors.square().sum(dim=(-2, -1)) - torch.linalg.slogdet(anchors @ anchors.mT).logabsdet
    return divergence


def vectors(state: State) -> Float[Tensor, "outfit dim"]:
    """The states as outfit embeddings.

    Raises:
        RecipeError: They are not.
    """
    if not isinstance(state, Tensor):
        raise RecipeError(
            f"anchors need a vector for each outfit, and the aggregator gives {type(state).__name__}",
            hint="set model.aggregator: lpae",
        )
    return state


def vectors_of_liked(state: State) -> Float[Tensor, "outfit dim"]:
    """The same of liked outfits.

    Raises:
        DataError: There is none.
        RecipeError: They are no vectors.
    """
    embedded = vectors(state)
    if not len(embedded):
        raise DataError("no liked outfits: a profile is made of one or more")
    return embedded


def cosines(preference: Anchors, state: Float[Tensor, "outfit dim"]) -> Float[Tensor, "outfit user anchor"]:
    """Cosine of each outfit to each anchor of each known user.

    Summed over the anchors it is the user's score, but for the general anchors' part, which is the same for all users.
    """
    anchors = F.normalize(preference.user_anchors, dim=-1).flatten(0, 1)
    near = F.normalize(state, dim=-1) @ anchors.T
    return near.view(len(state), preference.users, preference.anchors)


def score_profile(
    recommender: Recommender, profile: Mapping[str, Tensor], state: State, who: str
) -> Float[Tensor, "... outfit"]:
    """Scores of users whose profiles are anchors.

    Args:
        recommender: The recommender that the profile was made with.
        profile: ``anchors``, ``[anchor, dim]``, or ``[cold, anchor, dim]`` of several new users.
        state: State of the outfits.
        who: The strategy.

    Raises:
        DataError: The profile has no anchors, or those of another model.
        RecipeError: The model has no anchors.
    """
    preference = anchors_in(recommender, who)
    anchors = profile.get("anchors")
    if anchors is None or anchors.ndim < 2:
        raise DataError("no profile of this strategy: it has a tensor 'anchors', a row for each anchor")
    known = preference.anchors, preference.dim
    if anchors.shape[-2:] != known:
        raise DataError(
            f"the profile has {anchors.shape[-2]} anchors of {anchors.shape[-1]} numbers, "
            f"and those of this model are {known[0]} of {known[1]}"
        )
    if not torch.isfinite(anchors).all():
        raise DataError("the profile has anchors that are not finite: make it anew")
    outfits = vectors(state)
    return preference.score_anchors(anchors.to(outfits.dtype), outfits)
