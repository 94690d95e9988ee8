"""OutfitNet's second stage: a user's taste for each item, weighted by her attention to it."""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec import Example, State, component, field, given
from outfitrec_baselines.shared.items import Items, items_of

# Numbers of the largest intermediate tensor: 64 MiB of 32 bits.
LARGEST = 2**24
_WHO = "preference outfitnet"


@component
class OutfitNet(nn.Module):
    """r = Σ_i a_ui t_ui over an outfit's items: tastes t_ui under attention a_ui.

    The taste is t_ui = cos(u, W e_i), or the inner product uᵀ W e_i, which has no bound: it needs no temperature below
    1, and soon diverges with one. The attention is a_ui = softmax_i(wᵀ tanh(V e_i + U u)) over the items that are
    there, so that an outfit may have any number of them.

    W starts as the identity and w as zero: the score starts as the mean of the user's tastes, in the space that the
    item embeddings have learned before, and with even attention. User embeddings start small, at random, as those of
    the built-in ``cosine``.

    Reference:
        Lin et al., OutfitNet: fashion outfit recommendation with attention-based multiple instance learning, 2020: the
        outfit preference network. A re-implementation from the published description, which leaves layers and formulas
        open; the attention is that of Ilse et al., Attention-based deep multiple instance learning, 2018, with the user
        in it.
    """

    taste: str = field(
        default="cosine", choices=("cosine", "inner"), help="of a user for an item: cosine or inner product"
    )
    attention: int = field(default=64, minimum=1, search=(16, 128), help="size of the attention's hidden layer")
    std: float = field(default=0.1, above=0, help="standard deviation of the user embeddings at the start")
    dim: int = given("size of an item embedding")
    users: int = given("number of users")

    @staticmethod
    def examples() -> Iterable[Example]:
        """With the aggregator that gives it the items."""
        for taste in ("cosine", "inner"):
            yield Example(fields={"taste": taste}, beside={"aggregator": "items"})

    def __attrs_post_init__(self) -> None:
        self.user = nn.Embedding(self.users, self.dim)
        self.item = nn.Linear(self.dim, self.dim, bias=False)
        self.attention_user = nn.Linear(self.dim, self.attention, bias=False)
        self.attention_item = nn.Linear(self.dim, self.attention, bias=False)
        self.attention_weight = nn.Linear(self.attention, 1, bias=False)
        nn.init.normal_(self.user.weight, std=self.std)
        nn.init.eye_(self.item.weight)
        nn.init.zeros_(self.attention_weight.weight)

    def forward(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "..."]:
        """Scores; ``(b, 1) × (k,) → (b, k)`` and ``(p,) × (p,) → (p,)``.

        The hidden layer of the attention has a vector for each user and item. Of many users, few outfits are scored at
        once, so that memory does not grow with both.

        Args:
            users: User indices.
            state: `Items` of outfits, each with at least one.

        Raises:
            RecipeError: The state holds no items.
        """
        outfits = items_of(state, _WHO)
        if users.ndim == 1:
            return self._score(users, outfits)
        size = LARGEST // max(users.numel() * outfits.mask.shape[1] * self.attention, 1)
        parts = zip(*(part.split(max(size, 1)) for part in outfits), strict=True)
        return torch.cat([self._score(users, Items(*part)) for part in parts], dim=1)

    def attention_of(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "... slot"]:
        """Attention to each item, of sum 1; 0 in empty slots. Users and outfits are broadcast as in a call."""
        outfits = items_of(state, _WHO)
        hidden = self.attention_item(outfits.items) + self.attention_user(self.user(users)).unsqueeze(-2)
        weight = self.attention_weight(hidden.tanh()).squeeze(-1)
        attention: Tensor = weight.masked_fill(~outfits.mask, -torch.inf).softmax(dim=-1)
        return attention

    def taste_of(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "... slot"]:
        """Taste for each item. Users and outfits are broadcast as in a call."""
        taste: Tensor = self.user(users)
        items: Tensor = self.item(items_of(state, _WHO).items)
        if self.taste == "cosine":
            taste, items = F.normalize(taste, dim=-1), F.normalize(items, dim=-1)
        if users.ndim == 2:
            # One product of matrices; a broadcast one would copy the items for each user.
            products = taste.squeeze(1) @ items.flatten(0, 1).T
            return products.view(len(users), *items.shape[:2])
        tastes: Tensor = torch.linalg.vecdot(taste.unsqueeze(-2), items)
        return tastes

    def _score(self, users: Int[Tensor, "..."], outfits: Items) -> Float[Tensor, "..."]:
        return (self.attention_of(users, outfits) * self.taste_of(users, outfits)).sum(dim=-1)
