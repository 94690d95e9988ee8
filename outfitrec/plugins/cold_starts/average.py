"""The mean of the similar users."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field, given
from outfitrec.core.recommender import Recommender
from outfitrec.core.state import State
from outfitrec.plugins.cold_starts.known_users import needs_persons, similar, similarity, weighted_scores


@component
class Average:
    """A new user's score is the mean of those of similar known users.

    Similar is who scores the liked outfits above the threshold on average, and whoever scores them highest. The profile
    is ``weight``, the share of each known user.

    Reference:
        Kim et al. 2021, Eq. 20–22.
    """

    threshold: float = field(
        default=0.0, search=(-0.2, 0.5), help="mean score of the liked outfits above which a user is similar"
    )
    label: str = field(default="average", help="name in results")
    users: int = given("number of users")

    check_recipe = staticmethod(needs_persons)

    def profile(self, recommender: Recommender, liked: State) -> dict[str, Float[Tensor, " user"]]:
        """Equal shares of the similar users.

        Raises:
            DataError: There is no liked outfit.
        """
        alike = similarity(recommender, liked, self.users)
        near = similar(alike, self.threshold).to(alike.dtype)
        return {"weight": near / near.sum()}

    def score(
        self, recommender: Recommender, profile: Mapping[str, Tensor], state: State
    ) -> Float[Tensor, "... outfit"]:
        """Mean of the similar users' scores.

        Raises:
            DataError: The profile is of another strategy or model.
        """
        return weighted_scores(recommender, profile, state, self.users)
