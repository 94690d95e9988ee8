"""What the parts that work on a user's anchors share."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from outfitrec import DataError, Example, RecipeError, Recommender, State
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


def vectors_of_liked(preference: Anchors, state: State) -> Float[Tensor, "outfit dim"]:
    """The states of liked outfits as outfit embeddings.

    Raises:
        DataError: There is none, or one is not finite.
        RecipeError: They are no outfit embeddings.
    """
    embedded = preference.vectors(state)
    if not len(embedded):
        raise DataError("no liked outfits: a profile is made of one or more")
    return finite(embedded, "liked")


def finite(state: Float[Tensor, "outfit dim"], which: str) -> Float[Tensor, "outfit dim"]:
    """The same embeddings, of the outfits that ``which`` says, after a check.

    Raises:
        DataError: One is not finite.
    """
    # A comparison with what is not a number decides nothing, but some anchor would be found all the same.
    wrong = int((~torch.isfinite(state).all(dim=1)).sum())
    if wrong:
        raise DataError(
            f"{wrong} of {len(state)} {which} outfits have an embedding that is not finite",
            hint="look at the features of their items, and at the parameters of the model",
        )
    return state


def cosines(preference: Anchors, state: Float[Tensor, "outfit dim"]) -> Float[Tensor, "outfit user anchor"]:
    """Cosine of each outfit to each anchor of each known user.

    Summed over the anchors it is the user's score, but for the general anchors' part, which is the same for all users.
    """
    anchors = F.normalize(preference.user_anchors, dim=-1).flatten(0, 1)
    near = F.normalize(state, dim=-1) @ anchors.T
    return near.view(len(state), preference.users, preference.anchors)


class AnchorStrategy:
    """A strategy whose profile is ``anchors``, ``[anchor, dim]``; or ``[cold, anchor, dim]``, of several new users."""

    name: ClassVar[str]

    @staticmethod
    def examples() -> Iterator[Example]:
        """With anchors of each user, and some that all share."""
        yield Example(beside={"preference": {"name": "anchors", "anchors": 8, "general": 2}})

    @classmethod
    def check_recipe(cls, config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """There are anchors."""
        yield from without_anchors(cls.name, recipe)

    def score(
        self, recommender: Recommender, profile: Mapping[str, Tensor], state: State
    ) -> Float[Tensor, "... outfit"]:
        """Scores of a user who has the profile's anchors.

        Raises:
            DataError: The profile is of another strategy or model.
            RecipeError: The model has no anchors, or no outfit embeddings.
        """
        preference = anchors_in(recommender, self.name)
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
        outfits = preference.vectors(state)
        return preference.score_anchors(anchors.to(outfits.dtype), outfits)
