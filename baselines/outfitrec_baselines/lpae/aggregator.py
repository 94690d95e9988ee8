"""LPAE's outfit embedding."""

from collections.abc import Iterable
from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from outfitrec import component, create, field, given


@component
class LPAEAggregator(nn.Module):
    """The Set Transformer as LPAE has it, and one linear layer after it.

    Attention is added to the projected query, its dot products are divided by the root of a head's size, and no matrix
    mixes the heads.

    Reference:
        Lu et al. 2021, and its published code; Lee et al. 2019, "Set Transformer".
    """

    heads: int = field(default=4, minimum=1, search=(2, 4, 8), help="attention heads; must divide model.dim")
    blocks: int = field(default=2, minimum=0, search=(1, 2, 3), help="set attention blocks before the pooling")
    dim: int = given("size of an item embedding")

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """The heads share the dimension evenly."""
        if recipe.model.dim % config.heads:
            yield "heads", f"{config.heads} heads do not divide model.dim, which is {recipe.model.dim}"

    def __attrs_post_init__(self) -> None:
        self.transformer = create(
            "aggregator",
            "set_transformer",
            heads=self.heads,
            blocks=self.blocks,
            residual="projected",
            scale="head",
            output=False,
            norm=True,
            dim=self.dim,
        )
        self.trans = nn.Linear(self.dim, self.dim)
        nn.init.normal_(self.trans.weight, std=(2 / self.dim) ** 0.5)

    def forward(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> Float[Tensor, "outfit dim"]:
        """Outfit embeddings. Empty slots have no influence, nor has the order of the items."""
        embedded: Tensor = self.trans(self.transformer(items, mask, category))
        return embedded
