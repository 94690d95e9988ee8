"""Broken preferences."""

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from mutants import broken
from outfitrec import component, given


@component
class Sound(nn.Module):
    """The product of the user's and the outfit's embedding."""

    dim: int = given("size of an outfit embedding")
    users: int = given("number of users")

    def __attrs_post_init__(self) -> None:
        self.user = nn.Embedding(self.users, self.dim)

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        score: Tensor = (self.user(users) * state).sum(dim=-1)
        return score


class Kept(NamedTuple):
    """Items, and which slots they are in."""

    items: Tensor
    mask: Tensor


@component
class Keeping(nn.Module):
    """An aggregator whose state keeps the slots."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Kept:
        return Kept(items, mask)


@component
class FromZero(Sound):
    """All users start alike."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        nn.init.zeros_(self.user.weight)


@component
class Everybodys(nn.Module):
    """Users play no part, as it says."""

    personal: ClassVar[bool] = False
    dim: int = given("size of an outfit embedding")

    def __attrs_post_init__(self) -> None:
        self.taste = nn.Linear(self.dim, 1)

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        score: Tensor = self.taste(state).squeeze(-1)
        return score.expand(torch.broadcast_shapes(users.shape, score.shape))


@broken("preference", "broadcasts_over_users_and_outfits")
@component
class Crossing(Sound):
    """Every user with every outfit, whatever their shape."""

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        crossed: Tensor = self.user(users.flatten()) @ state.T
        return crossed


@broken("preference", "broadcasts_over_users_and_outfits")
@component
class Halved(Sound):
    """Other scores for a column of users than pair by pair."""

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        return super().forward(users, state) / users.ndim


@broken("preference", "treats_each_pair_alone")
@component
class Ranked(Sound):
    """Scores above the mean of the batch."""

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        score = super().forward(users, state)
        return score - score.mean()


@broken("preference", "depends_on_the_user")
@component
class Blind(Sound):
    """Reads the parameters of the first user for everybody."""

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        return super().forward(torch.zeros_like(users), state)


@broken("preference", "ignores_the_user_where_it_says_so")
@component
class Denying(Sound):
    """Says that users play no part, and they do."""

    personal: ClassVar[bool] = False


@broken("preference", "takes_every_user")
@component
class OneShort(Sound):
    """Counts users from 1."""

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        return super().forward(users + 1, state)


@broken("preference", "takes_every_user")
@component
class LastIsNobody(Sound):
    """The last user has no parameters yet."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        nn.init.constant_(self.user.weight[-1], torch.nan)


@broken("preference", "learns_of_each_user")
@component
class Fixed(Sound):
    """Users have vectors that are never trained, and a factor that is."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.user.requires_grad_(False)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        return super().forward(users, state) + self.bias


@broken("preference", "takes_the_smallest_outfits", beside={"aggregator": "mean"})
@component
class Greedy(Sound):
    """Says that it needs no item."""

    fewest: ClassVar[int] = 0


@broken("preference", "takes_the_smallest_outfits", beside={"aggregator": Keeping})
@component
class Deviating(Sound):
    """The deviation of the items, which a single one has not."""

    def forward(self, users: Tensor, state: Any) -> Tensor:
        items, mask = state
        return super().forward(users, deviation(items, mask))


@broken("preference", "ignores_empty_slots", beside={"aggregator": Keeping})
@component
class OverAllSlots(Sound):
    """The mean over slots, empty ones among them."""

    def forward(self, users: Tensor, state: Any) -> Tensor:
        return super().forward(users, state[0].mean(dim=1))


def deviation(items: Tensor, mask: Tensor) -> Tensor:
    """The deviation of the items that are there."""
    present, number = mask.unsqueeze(-1), mask.sum(dim=1, keepdim=True)
    centre = (items * present).sum(dim=1) / number
    spread = ((items - centre.unsqueeze(1)).square() * present).sum(dim=1)
    return (spread / (number - 1)).sqrt()


@component
class OverItems(Sound):
    """The product with the mean of the items that a state keeps."""

    def forward(self, users: Tensor, state: Any) -> Tensor:
        present = state.mask.unsqueeze(-1)
        total = state.items.masked_fill(~present, 0).sum(dim=1)
        return super().forward(users, total / state.mask.sum(dim=1, keepdim=True))
