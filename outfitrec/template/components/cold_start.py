"""A cold start: serves a user known by a few liked outfits, without training."""

from collections.abc import Mapping

import torch
from torch import Tensor

from outfitrec import Recommender, State, component, field, given


@component
class Mine:
    """The scores of all known users, weighted by how much they like what the new one liked.

    The weights are the softmax of the known users' mean scores of the liked outfits.

    Reference:
        Nobody yet.
    """

    temperature: float = field(default=0.1, above=0, help="mean scores are divided by it; smaller: fewer users count")
    users: int = given("number of known users")

    def profile(self, recommender: Recommender, liked: State) -> Mapping[str, Tensor]:
        """What is kept of the user: tensors. ``liked`` is the state of the liked outfits."""
        scores = self._scores(recommender, liked).mean(dim=1)
        return {"weight": (scores / self.temperature).softmax(dim=0)}

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        """Scores of outfits, ``[outfit]``; of several users by a leading dimension of the profile."""
        return profile["weight"] @ self._scores(recommender, state)

    def _scores(self, recommender: Recommender, state: State) -> Tensor:
        """Of all known users, ``[user, outfit]``."""
        first = state if isinstance(state, Tensor) else state[0]
        with torch.no_grad():
            return recommender.score_all(torch.arange(self.users, device=first.device), state)
