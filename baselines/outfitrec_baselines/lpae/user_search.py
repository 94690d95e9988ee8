"""All anchors of the closest known user."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from outfitrec import Recommender, State, component
from outfitrec_baselines.lpae.anchored import anchors_in, cosines, score_profile, vectors_of_liked, without_anchors


@component
class UserSearch:
    """A new user gets the anchors of the known user whose mean score of the liked outfits is highest.

    Of users with equal means, the first. The profile is ``anchors``.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021, "user-search".
    """

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """There are anchors."""
        yield from without_anchors("user_search", recipe)

    @torch.no_grad()
    def profile(self, recommender: Recommender, liked: State) -> dict[str, Float[Tensor, "anchor dim"]]:
        """The anchors of the closest user.

        Raises:
            DataError: There is no liked outfit.
            RecipeError: The model has no anchors.
        """
        preference = anchors_in(recommender, "user_search")
        closest = cosines(preference, vectors_of_liked(liked)).sum(dim=2).mean(dim=0).argmax()
        return {"anchors": preference.anchors_of(closest)}

    def score(
        self, recommender: Recommender, profile: Mapping[str, Tensor], state: State
    ) -> Float[Tensor, "... outfit"]:
        """Scores of a user who has the profile's anchors.

        Raises:
            DataError: The profile is of another strategy or model.
            RecipeError: The model has no anchors.
        """
        return score_profile(recommender, profile, state, "user_search")
