"""All anchors of the closest known user."""

import torch
from jaxtyping import Float
from torch import Tensor

from outfitrec import Recommender, State, component
from outfitrec_baselines.lpae.anchored import AnchorStrategy, anchors_in, cosines, vectors_of_liked


@component
class UserSearch(AnchorStrategy):
    """A new user gets the anchors of the known user whose mean score of the liked outfits is highest.

    Of users with equal means, the first. The profile is ``anchors``.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021, "user-search".
    """

    name = "user_search"

    @torch.no_grad()
    def profile(self, recommender: Recommender, liked: State) -> dict[str, Float[Tensor, "anchor dim"]]:
        """The anchors of the closest user.

        Raises:
            DataError: There is no liked outfit, or one whose embedding is not finite.
            RecipeError: The model has no anchors, or no outfit embeddings.
        """
        preference = anchors_in(recommender, self.name)
        closest = cosines(preference, vectors_of_liked(preference, liked)).sum(dim=2).mean(dim=0).argmax()
        return {"anchors": preference.anchors_of(closest)}
