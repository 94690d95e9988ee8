"""The mean of the similar users, weighted by similarity."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field, given
from outfitrec.core.recommender import Recommender
from outfitrec.core.state import State
from outfitrec.plugins.cold_starts.known_users import needs_persons, similar, similarity, weighted_scores


@component
class WeightedAverage:
    """A new user's score is a mean of those of similar known users, in which the more similar count for more.

    Similar is who scores the liked outfits above the threshold on average, and whoever scores them highest; the weights
    are a softmax of these mean scores. The profile is ``weight``, the share of each known user.

    Reference:
        Kim et al. 2021, Eq. 20, 21, 23 and 24.
    """

    threshold: float = field(
        default=0.0, search=(-0.2, 0.5), help="mean score of the liked outfits above which a user is similar"
    )
    temperature: float = field(
        default=0.2, above=0, search=(0.02, 1.0), help="the lower, the more the most similar count"
    )
    label: str = field(default="weighted_average", help="name in results")
    users: int = given("number of users")

    check_recipe = staticmethod(needs_persons)

    def profile(self, recommender: Recommender, liked: State) -> dict[str, Float[Tensor, " user"]]:
        """Shares of the similar users, by a softmax.

        Raises:
            DataError: There is no liked outfit.
        """
        alike = similarity(recommender, liked, self.users)
        near = similar(alike, self.threshold)
        return {"weight": torch.softmax((alike / self.temperature).masked_fill(~near, -torch.inf), dim=0)}

    def score(
        self, recommender: Recommender, profile: Mapping[str, Tensor], state: State
    ) -> Float[Tensor, "... outfit"]:
        """Weighted mean of the similar users' scores.

        Raises:
            DataError: The profile is of another strategy or model.
        """
        return weighted_scores(recommender, profile, state, self.users)
