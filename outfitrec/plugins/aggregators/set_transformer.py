"""The Set Transformer: an outfit's embedding by attention among its items."""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from outfitrec.core.component import component
from outfitrec.core.example import Example
from outfitrec.core.fields import field, given
from outfitrec.plugins.aggregators.attention import AttentionBlock


@component
class SetTransformer(nn.Module):
    """Set attention blocks, then pooling by attention from one learned seed.

    The defaults are the paper's (249,344 parameters at 128 dimensions). Lee et al.'s published code has
    ``residual: projected, scale: dim, output: false, norm: false``; LPAE ``residual: projected, output: false``.

    Reference:
        Kim et al. 2021, Eq. 1–8; Lee et al. 2019, "Set Transformer".
    """

    heads: int = field(default=8, minimum=1, search=(2, 4, 8), help="attention heads; must divide model.dim")
    blocks: int = field(default=2, minimum=0, search=(1, 2, 3), help="set attention blocks before the pooling")
    residual: str = field(default="raw", choices=("raw", "projected"), help="what attention is added to")
    scale: str = field(
        default="head", choices=("head", "dim"), help="dot products are divided by the root of this size"
    )
    output: bool = field(default=True, help="mix the heads by an output matrix (W^M of Eq. 3)")
    norm: bool = field(default=True, help="layer normalisation")
    dim: int = given("size of an item embedding")

    @staticmethod
    def examples() -> Iterable[Example]:
        """The paper's, and Lee et al.'s."""
        yield Example()
        yield Example(fields={"residual": "projected", "scale": "dim", "output": False, "norm": False})

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """The heads share the dimension evenly."""
        if recipe.model.dim % config.heads:
            yield "heads", f"{config.heads} heads do not divide model.dim, which is {recipe.model.dim}"

    def __attrs_post_init__(self) -> None:
        if self.dim % self.heads:
            raise ValueError(f"{self.heads} heads do not divide the dimension {self.dim}")
        options = (self.dim, self.heads, self.residual, self.scale, self.output, self.norm)
        self.attention = nn.ModuleList(AttentionBlock(*options) for _ in range(self.blocks))
        self.seed = nn.Parameter(torch.empty(1, self.dim))
        nn.init.xavier_uniform_(self.seed)
        self.pooling = AttentionBlock(*options)

    def forward(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> Float[Tensor, "outfit dim"]:
        """Outfit embeddings. Empty slots have no influence, nor has the order of the items."""
        for block in self.attention:
            items = block(items, items, mask)
        pooled: Tensor = self.pooling(self.seed.expand(len(items), 1, self.dim), items, mask)
        return pooled.squeeze(1)
