"""Cosines of an outfit to several anchors of a user."""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec import Example, RecipeError, State, component, field, given


@component
class Anchors(nn.Module):
    """r_ij = Σ_k cos(a_ik, z_j) over the user's anchors and those that all users share.

    LPAE-u has 64 anchors a user, LPAE-g 32 a user and 32 general ones.

    The published code takes the sum of the cosines; of the paper their mean is reported. The ranking is the same, and
    in a loss the sum is the mean at a temperature of 1 / number of anchors. The sum is the default: it is what the code
    was trained with, and what learns at a temperature of 1. The mean has the range of a cosine, [-1, 1].

    Attributes:
        user_anchors: ``[user, anchor, dim]``.
        general_anchors: ``[general, dim]``.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021, and its published code.
    """

    anchors: int = field(default=64, minimum=1, search=(16, 64), help="anchors of each user")
    general: int = field(default=0, minimum=0, search=(0, 64), help="anchors that all users share, besides their own")
    score: str = field(default="sum", choices=("sum", "mean"), help="what is taken of the cosines to the anchors")
    dim: int = given("size of an outfit embedding")
    users: int = given("number of users")

    @staticmethod
    def examples() -> Iterable[Example]:
        """With and without general anchors."""
        yield Example(beside={"aggregator": "lpae"})
        yield Example(fields={"anchors": 4, "general": 3, "score": "mean"})

    def __attrs_post_init__(self) -> None:
        self.user_anchors = nn.Parameter(torch.empty(self.users, self.anchors, self.dim))
        self.general_anchors = nn.Parameter(torch.empty(self.general, self.dim))
        # Anchors of length 1 on average.
        for one in (self.user_anchors, self.general_anchors):
            nn.init.uniform_(one, -self.bound, self.bound)

    @property
    def bound(self) -> float:
        """The largest entry of an anchor at the start."""
        return float((3 / self.dim) ** 0.5)

    def forward(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "..."]:
        """Scores; ``(b, 1) × (k,) → (b, k)`` and ``(p,) × (p,) → (p,)``.

        Raises:
            RecipeError: The states are no outfit embeddings.
        """
        outfit = F.normalize(self.vectors(state), dim=-1)
        # Of as many users as there are, or more, tastes are gathered, each of which is a sum of many anchors.
        if users.numel() < self.users:
            taste = self.taste(self.anchors_of(users))
        else:
            taste = F.embedding(users, self.taste(self.user_anchors))
        if users.ndim == 2 and users.shape[1] == 1:
            return taste.squeeze(1) @ outfit.T
        scores: Tensor = torch.linalg.vecdot(taste, outfit)
        return scores

    def vectors(self, state: State) -> Float[Tensor, "outfit dim"]:
        """The states as outfit embeddings.

        Raises:
            RecipeError: They are none.
        """
        if isinstance(state, Tensor) and state.ndim == 2 and state.shape[1] == self.dim:
            return state
        found = f"a tensor of shape {list(state.shape)}" if isinstance(state, Tensor) else type(state).__name__
        raise RecipeError(
            f"anchors need a vector of {self.dim} numbers for each outfit, and the aggregator gives {found}",
            hint="set model.aggregator: lpae, or another one that gives outfit embeddings, such as set_transformer",
        )

    def anchors_of(self, users: Int[Tensor, "..."]) -> Float[Tensor, "... anchor dim"]:
        """The anchors of each user."""
        anchors: Tensor = F.embedding(users, self.user_anchors.flatten(1)).unflatten(-1, (self.anchors, self.dim))
        return anchors

    def taste(self, anchors: Float[Tensor, "... anchor dim"]) -> Float[Tensor, "... dim"]:
        """What scores as these anchors and the general ones do: Σ_k cos(a_k, z) is the product of Σ_k â_k and ẑ."""
        every = F.normalize(anchors, dim=-1).sum(dim=-2) + F.normalize(self.general_anchors, dim=-1).sum(dim=0)
        taste: Tensor = every if self.score == "sum" else every / (anchors.shape[-2] + self.general)
        return taste

    def score_anchors(
        self, anchors: Float[Tensor, "... anchor dim"], state: Float[Tensor, "outfit dim"]
    ) -> Float[Tensor, "... outfit"]:
        """Scores of a user who has these anchors; the general ones are added to them."""
        return self.taste(anchors) @ F.normalize(state, dim=-1).T
