"""Broken cold starts."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mutants import broken
from outfitrec import Recommender, State, component, given


def weights(recommender: Recommender, liked: Any, users: int) -> Tensor:
    """A share of each known user."""
    return torch.softmax(recommender.score_all(torch.arange(users), liked).mean(dim=1), dim=0)


def scored(recommender: Recommender, weight: Tensor, state: Any) -> Tensor:
    """Mean scores of the known users."""
    return weight @ recommender.score_all(torch.arange(weight.shape[-1]), state)


@component
class Sound:
    """A mean of known users."""

    users: int = given("number of users")

    def profile(self, recommender: Recommender, liked: State) -> Mapping[str, Tensor]:
        return {"weight": weights(recommender, liked, self.users)}

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        return scored(recommender, profile["weight"], state)


@broken("cold_start", "gives_a_score_for_each_outfit")
@component
class OneScore(Sound):
    """The mean over the outfits."""

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        return scored(recommender, profile["weight"], state).mean()


@broken("cold_start", "gives_a_score_for_each_outfit")
@component
class Undefined(Sound):
    """The logarithm of scores of either sign."""

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        return scored(recommender, profile["weight"], state).log()


@broken("cold_start", "serves_users_of_one_to_many_outfits")
@component
class AllLiked(Sound):
    """Keeps a row of weights for each liked outfit."""

    def profile(self, recommender: Recommender, liked: State) -> Mapping[str, Tensor]:
        return {"each": recommender.score_all(torch.arange(self.users), liked).T}

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        return scored(recommender, profile["each"].mean(dim=-2), state)


@broken("cold_start", "serves_users_of_one_to_many_outfits")
@component
class Spread(Sound):
    """Divides by the deviation over the liked outfits: of a single one it is 0."""

    def profile(self, recommender: Recommender, liked: State) -> Mapping[str, Tensor]:
        scores = recommender.score_all(torch.arange(self.users), liked)
        return {"weight": scores.mean(dim=1) / scores.std(dim=1, correction=0)}


@broken("cold_start", "does_not_depend_on_the_order_of_the_profile")
@component
class FirstLiked(Sound):
    """Knows the user by the first outfit alone."""

    def profile(self, recommender: Recommender, liked: Any) -> Mapping[str, Tensor]:
        return {"weight": weights(recommender, liked[:1], self.users)}


@broken("cold_start", "trains_nothing")
@component
class Tuning(Sound):
    """Moves the users a little."""

    def profile(self, recommender: Any, liked: State) -> Mapping[str, Tensor]:
        recommender.preference.user.weight.data.mul_(1.01)
        return {"weight": weights(recommender, liked, self.users)}


@broken("cold_start", "trains_nothing")
@component
class Waking(Sound):
    """Leaves the recommender in training mode."""

    def profile(self, recommender: Recommender, liked: State) -> Mapping[str, Tensor]:
        found = weights(recommender, liked, self.users)
        recommender.train()
        return {"weight": found}


@broken("cold_start", "can_be_stored")
@component
class Remembering(Sound):
    """Keeps the weights for itself."""

    def __attrs_post_init__(self) -> None:
        self.weight = torch.ones(self.users)

    def profile(self, recommender: Recommender, liked: State) -> Mapping[str, Tensor]:
        self.weight = weights(recommender, liked, self.users)
        return {"users": torch.tensor(float(self.users))}

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        return scored(recommender, self.weight, state)


@broken("cold_start", "can_be_stored")
@component
class Twofold(Sound):
    """Two names for the same memory."""

    def profile(self, recommender: Recommender, liked: State) -> Mapping[str, Tensor]:
        found = weights(recommender, liked, self.users)
        return {"weight": found, "again": found}


@broken("cold_start", "scores_several_users_at_once")
@component
class Mingling(Sound):
    """Divides by the largest weight, whoever's."""

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        return scored(recommender, profile["weight"] / profile["weight"].max(), state)


@broken("cold_start", "scores_several_users_at_once")
@component
class Flattening(Sound):
    """Scores of all users in one row."""

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        found = scored(recommender, profile["weight"], state)
        return found if found.ndim == 1 else found.mean(dim=0)


@broken("cold_start", "scores_an_outfit_by_itself")
@component
class Ranking(Sound):
    """A softmax over what is ranked."""

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        return scored(recommender, profile["weight"], state).softmax(dim=-1)


@broken("cold_start", "scores_an_outfit_by_itself")
@component
class Favouring(Sound):
    """What comes first, where positives stand, scores higher."""

    def score(self, recommender: Recommender, profile: Mapping[str, Tensor], state: State) -> Tensor:
        found = scored(recommender, profile["weight"], state)
        return found - 1e-2 * torch.arange(found.shape[-1])


@broken("cold_start", "remembers_nothing")
@component
class Accumulating(Sound):
    """Mixes each new user with those before."""

    def __attrs_post_init__(self) -> None:
        self.past = torch.zeros(self.users)

    def profile(self, recommender: Recommender, liked: State) -> Mapping[str, Tensor]:
        self.past = self.past / 2 + weights(recommender, liked, self.users)
        return {"weight": self.past}
