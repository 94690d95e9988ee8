"""The mean of an outfit's items."""

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from outfitrec.core.component import component


@component
class Mean(nn.Module):
    """An outfit's embedding is the mean of its items' embeddings: the plainest aggregator."""

    def forward(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> Float[Tensor, "outfit dim"]:
        """Outfit embeddings. Empty slots have no influence, nor has the order of the items."""
        present = mask.unsqueeze(-1).to(items.dtype)
        return (items * present).sum(dim=1) / present.sum(dim=1)
