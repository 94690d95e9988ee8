"""A head of its own for each category."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from outfitrec import component, given, part
from outfitrec.protocols import Head


class Branches(nn.ModuleList):
    """One module a category; the parameters of a category's are named ``<index of the category>.<name>``."""

    def forward(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """Each item's embedding, by the module of its category."""
        if category.is_meta:  # what it costs is computed without values, and is the same for each category
            embedded: Tensor = self[0](features, category)
            return embedded
        order = category.argsort(stable=True)
        # The one wait for a GPU here: how many items each module gets.
        counts = category.bincount(minlength=len(self)).tolist()
        parts = (rows.index_select(0, order).split(counts) for rows in (features, category))
        # A category that no item has is called as well: its parameters then have a gradient of zeros, and not none.
        items = torch.cat([module(*some) for module, *some in zip(self, *parts, strict=True)])
        return items.index_select(0, order.argsort())


@component
class ByCategory:
    """As many heads as there are categories, each for the items of its own.

    Reference:
        Lu et al. 2019, "type-dependent hashing".
    """

    head: Head = part("head", default="item_encoder", help="features → item embeddings, built once for each category")
    categories: tuple[str, ...] = given("names of the categories")

    def build(self, size: int) -> Branches:
        """The heads for features of this length."""
        return Branches([self.head.build(size) for _ in self.categories])
