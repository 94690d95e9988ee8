"""The anchors of known users that are nearest to the liked outfits."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from outfitrec import Recommender, State, component, field
from outfitrec_baselines.lpae.anchored import AnchorStrategy, anchors_in, cosines, vectors_of_liked


@component
class AnchorSearch(AnchorStrategy):
    """A new user gets anchors of known users: for each liked outfit, an equal share of those most similar to it.

    The description leaves open among whose anchors an outfit's are chosen: of the user closest to that outfit
    (``closest_each``), of the user closest to all liked outfits on average (``closest_mean``), or of all users
    (``all_users``). Closest is who scores highest. With one liked outfit, the first two are the `UserSearch`.

    Where the shares do not divide the number of anchors, the last round goes to the outfits that are most similar to
    their next anchor, so that the order of the liked outfits is irrelevant. Of equals, the first user and anchor. An
    anchor that several outfits choose counts as often. The profile is ``anchors``.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021, "anchor-search".
        Kim et al. 2021, Table 3.
    """

    name = "anchor_search"

    reading: str = field(
        default="closest_each",
        choices=("closest_each", "closest_mean", "all_users"),
        help="whose anchors: of the user closest to each liked outfit, of the one closest on average, or of all",
    )
    label: str = field(default="anchor_search", help="name in results")

    @torch.no_grad()
    def profile(self, recommender: Recommender, liked: State) -> dict[str, Float[Tensor, "anchor dim"]]:
        """The anchors that are found.

        Raises:
            DataError: There is no liked outfit, or one whose embedding is not finite.
            RecipeError: The model has no anchors, or no outfit embeddings.
        """
        preference = anchors_in(recommender, self.name)
        near = cosines(preference, vectors_of_liked(preference, liked))
        count = preference.anchors
        if self.reading == "all_users":
            first = near.new_zeros(len(near), dtype=torch.long)
            near = near.flatten(1)
        else:
            scores = near.sum(dim=2)
            if self.reading == "closest_mean":
                scores = scores.mean(dim=0, keepdim=True)
            closest = scores.argmax(dim=1).expand(len(near))
            first = closest * count
            near = near[torch.arange(len(near), device=near.device), closest]
        chosen = _shares(near, first, count)
        return {"anchors": preference.user_anchors.flatten(0, 1).index_select(0, chosen)}


def _shares(
    near: Float[Tensor, "outfit candidate"], first: Int[Tensor, " outfit"], count: int
) -> Int[Tensor, " chosen"]:
    """The nearest candidates of each outfit, ``count`` in all: the index of each, counted from the outfit's first."""
    share = -(-count // len(near))
    cosine, place = near.sort(dim=1, descending=True, stable=True)
    index = first[:, None] + place[:, :share]
    last, order = index[:, -1].sort(stable=True)
    order = cosine[:, share - 1][order].argsort(descending=True, stable=True)
    return torch.cat([index[:, :-1].flatten(), last[order]])[:count]
