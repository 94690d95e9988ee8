"""LPAE's item embedding."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from outfitrec import component, field, given


class ItemEmbedding(nn.ModuleList):
    """Layers one after the other, the same for all categories."""

    def forward(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """Item embeddings."""
        for layer in self:
            features = layer(features)
        return features


@component
class LPAEHead:
    """One linear layer, normalised: Linear → LayerNorm → ReLU → Dropout.

    Weights begin as He et al.'s uniform ones, biases as zeros.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021, and its published code.
    """

    dropout: float = field(default=0.2, minimum=0, below=1, search=(0.0, 0.7), help="dropout of the item embeddings")
    dim: int = given("size of an item embedding")

    def build(self, size: int) -> ItemEmbedding:
        """The layers for features of this length."""
        linear = nn.Linear(size, self.dim)
        nn.init.kaiming_uniform_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        return ItemEmbedding([linear, nn.LayerNorm(self.dim), nn.ReLU(), nn.Dropout(self.dropout)])
