"""Fashion Hash Net: products of the user's code with the items', and of the items' with each other."""

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from outfitrec import Example, State, component, field, given
from outfitrec_baselines.shared.items import Items, items_of

STD = 0.01
GAMMA = 1.0


@component
class FHN(nn.Module):
    """s = scale · (s_u + s_i), from the codes u of the user and x_i of the n items, of dimension d.

    s_u = 1/(n d) Σ_i Σ_k λ_u[k] u[k] x_i[k], and s_i = 1/(|P| d) Σ_(i,j)∈P Σ_k λ_i[k] x_i[k] x_j[k] over the pairs P of
    items, with the learned weights λ_u and λ_i. The aggregator is ``items``.

    The original has a slot for each item that an outfit may have, copies an only top into the second one, and leaves
    out the pair of tops. With ``duplicate`` this holds for any category: its items count, together, as many times as
    the most that a training outfit has of it (where there are more, once each); pairs within it are left out; and n and
    |P| are sums of these weights.

    With ``binary`` codes are tanh(β x) in training, β = √(epoch·gamma + 1), and signs in evaluation, so that outfits
    are ranked by Hamming distances H: for signs, Σ_k λ[k] a[k] b[k] is Σ_k λ[k] less twice the sum of the λ[k] where a
    and b differ, which is d − 2 H(a, b) for λ = 1. The sign of 0 is 1.

    Reference:
        Lu et al., Learning binary code for personalized fashion recommendation, 2019. The paper compares with raw
        codes (Kim et al. 2021, "Settings").
    """

    fewest: ClassVar[int] = 2

    scale: float = field(default=10.0, above=0, help="factor of the score")
    duplicate: bool = field(
        default=True,
        help="count each category's items as many times as the most that an outfit has of it, and no pairs of them",
    )
    binary: bool = field(default=False, help="codes of signs, learned by a tanh that sharpens from epoch to epoch")
    gamma: float = field(default=GAMMA, minimum=0, help="how fast it sharpens")
    dim: int = given("size of an item embedding")
    users: int = given("number of users")
    most: tuple[int, ...] = given("by category, the most items of it in a training outfit")

    @staticmethod
    def examples() -> Iterable[Example]:
        """With the aggregator that gives it the items."""
        for fields in ({}, {"binary": True}, {"duplicate": False}):
            yield Example(fields=fields, beside={"aggregator": "items"})

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse a rate of what does not happen."""
        complaint = _complaint(config.binary, config.gamma)
        if complaint:
            yield "gamma", complaint

    def __attrs_post_init__(self) -> None:
        complaint = _complaint(self.binary, self.gamma)
        if complaint:
            raise ValueError(f"gamma: {complaint}")
        self.user = nn.Embedding(self.users, self.dim)
        nn.init.normal_(self.user.weight, std=STD)
        self.lambda_u = nn.Parameter(torch.ones(self.dim))
        self.lambda_i = nn.Parameter(torch.ones(self.dim))
        # Neither is a parameter, and neither is stored: the recipe, the data and the epoch give them.
        self.times = nn.Buffer(torch.tensor(self.most, dtype=torch.get_default_dtype()), persistent=False)
        self.beta = nn.Buffer(torch.ones(()), persistent=False)

    def on_epoch(self, epoch: int) -> None:
        """Sharpen the tanh."""
        self.beta.fill_(math.sqrt(epoch * self.gamma + 1))

    def forward(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "..."]:
        """Scores; ``(b, 1) × (k,) → (b, k)`` and ``(p,) × (p,) → (p,)``.

        Raises:
            RecipeError: The aggregator does not give the items.
        """
        items = items_of(state, "preference fhn")
        weight, pairs = self._weights(items)
        code = self._code(items.items)
        mean = (weight.unsqueeze(1) @ code).squeeze(1) / weight.sum(dim=1, keepdim=True).clamp(min=1)
        products = (code * self.lambda_i) @ code.transpose(1, 2)
        # An outfit without a pair has a sum of 0.
        match = (pairs * products).sum(dim=(1, 2)) / pairs.sum(dim=(1, 2)).clamp(min=1)
        taste = self._code(self.user(users)) * self.lambda_u
        column = users.ndim == 2 and users.shape[1] == 1
        liking = taste.squeeze(1) @ mean.T if column else torch.linalg.vecdot(taste, mean)
        score: Tensor = (liking + match) * (self.scale / self.dim)
        return score

    def _code(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        if not self.binary:
            return x
        if self.training:
            return torch.tanh(self.beta * x)
        # What is not a number has no sign, and must not get one: the fault would not show.
        return torch.where(x.isnan(), x, torch.where(x < 0, -1.0, 1.0))

    def _weights(self, items: Items) -> tuple[Float[Tensor, "outfit slot"], Float[Tensor, "outfit slot slot"]]:
        """How often each item and each ordered pair of items counts; empty slots 0."""
        mask, category = items.mask, items.category
        if self.duplicate:
            alike = category.unsqueeze(2) == category.unsqueeze(1)
            count = (alike & mask.unsqueeze(1)).sum(dim=2).clamp(min=1)
            weight = (self.times[category.clamp(min=0)] / count).clamp(min=1) * mask
        else:
            alike = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
            weight = mask.to(self.times.dtype)
        return weight, weight.unsqueeze(2) * weight.unsqueeze(1) * ~alike


def _complaint(binary: bool, gamma: float) -> str:
    """What is wrong with a rate, or an empty string."""
    if binary or gamma == GAMMA:
        return ""
    return "raw codes have no tanh that could sharpen: set binary: true, or leave gamma out"
