"""A preference: user × outfit state → score."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec import component, field, given


@component
class Mine(nn.Module):
    """The cosine of the user's and the outfit's vector, plus a bias of the outfit that all users share.

    Reference:
        Nobody yet.
    """

    std: float = field(default=0.1, above=0, help="standard deviation of the user vectors at the start")
    dim: int = given("size of an outfit's state")
    users: int = given("number of users")

    def __attrs_post_init__(self) -> None:
        self.user = nn.Embedding(self.users, self.dim)
        nn.init.normal_(self.user.weight, std=self.std)
        self.bias = nn.Linear(self.dim, 1)

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        """Scores, higher is better, by broadcasting: ``(b, 1) × (k,) → (b, k)`` and ``(p,) × (p,) → (p,)``.

        Args:
            users: Index of each user.
            state: What the aggregator gives: here a vector for each outfit, ``[outfit, dim]``.
        """
        taste, outfit = F.normalize(self.user(users), dim=-1), F.normalize(state, dim=-1)
        scores: Tensor = torch.linalg.vecdot(taste, outfit) + self.bias(outfit).squeeze(-1)
        return scores
