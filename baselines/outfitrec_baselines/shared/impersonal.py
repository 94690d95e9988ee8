"""Unknown users, served by a method that knows no users."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from outfitrec import DataError, Example, RecipeError, Recommender, State, component

INSTEAD = "choose a strategy that needs known users, such as weighted_average"


@component
class Impersonal:
    """A new user's scores are everybody's: for preferences that ignore the user.

    The profile is ``liked``, the number of liked outfits, and has no influence.

    Reference:
        Kim et al. 2021, Table 3, the rows of methods without users.
    """

    @staticmethod
    def examples() -> Iterator[Example]:
        """With methods that know no users."""
        for aggregator in ("bi_lstm", "sce_net"):
            yield Example(beside={"aggregator": aggregator, "preference": "compatibility"})

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse a preference that knows users."""
        preference = recipe.model.preference
        if getattr(preference.component, "personal", True):
            yield (
                "evaluate.cold_start.strategies",
                f"impersonal is for methods that know no users, and the preference {preference.name!r} does: {INSTEAD}",
            )

    def profile(self, recommender: Recommender, liked: State) -> dict[str, Float[Tensor, ""]]:
        """The number of liked outfits, which may be 0.

        Raises:
            RecipeError: The preference knows users.
        """
        _check(recommender)
        first = _first(liked)
        return {"liked": torch.full((), float(len(first)), device=first.device)}

    def score(
        self, recommender: Recommender, profile: Mapping[str, Tensor], state: State
    ) -> Float[Tensor, "... outfit"]:
        """The scores of any user.

        Raises:
            DataError: The profile is of another strategy.
            RecipeError: The preference knows users.
        """
        _check(recommender)
        liked = profile.get("liked")
        if liked is None:
            raise DataError("no profile of this strategy: it has a tensor 'liked' with the number of liked outfits")
        anybody = torch.zeros(1, dtype=torch.long, device=_first(state).device)
        return recommender.score_all(anybody, state)[0].expand(*liked.shape, -1)


def _check(recommender: Recommender) -> None:
    preference = type(recommender.preference)
    if getattr(preference, "personal", True):
        raise RecipeError(
            f"cold start impersonal is for methods that know no users, and the preference {preference.__name__} does",
            hint=INSTEAD,
        )


def _first(state: State) -> Tensor:
    return state if isinstance(state, Tensor) else state[0]
