"""Cosine of the user's and the outfit's embedding."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec.core.component import component
from outfitrec.core.fields import field, given


@component
class Cosine(nn.Module):
    """r_ij = cos(u_i, o_j), with one embedding a user.

    Reference:
        Kim et al. 2021, Eq. 9.
    """

    std: float = field(default=0.1, above=0, help="standard deviation of the user embeddings at the start")
    dim: int = given("size of an outfit embedding")
    users: int = given("number of users")

    def __attrs_post_init__(self) -> None:
        self.user = nn.Embedding(self.users, self.dim)
        nn.init.normal_(self.user.weight, std=self.std)

    def forward(self, users: Int[Tensor, "..."], state: Float[Tensor, "outfit dim"]) -> Float[Tensor, "..."]:
        """Scores in [-1, 1]; ``(b, 1) × (k,) → (b, k)`` and ``(p,) × (p,) → (p,)``."""
        taste = F.normalize(self.user(users), dim=-1)
        outfit = F.normalize(state, dim=-1)
        if users.ndim == 2 and users.shape[1] == 1:
            return taste.squeeze(1) @ outfit.T
        scores: Tensor = torch.linalg.vecdot(taste, outfit)
        return scores
