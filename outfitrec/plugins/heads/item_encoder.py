"""The fully connected part of an encoder, one for all categories."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from outfitrec.core.component import component
from outfitrec.core.fields import field, given


class Layers(nn.ModuleList):
    """Layers one after the other, the same for all categories."""

    def forward(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """Item embeddings."""
        for layer in self:
            features = layer(features)
        return features


@component
class ItemEncoder:
    """Two fully connected layers: f → f/2 → dim.

    The layout, with the last layer free of bias, is that of Fashion Hash Net's image encoder, and the one that
    reproduces the parameter totals of Table 5.

    Reference:
        Kim et al. 2021, "CNN with fully connected layers" and Table 5; Lu et al. 2019.
    """

    dropout: float = field(default=0.5, minimum=0, below=1, search=(0.0, 0.7), help="dropout before each layer")
    dim: int = given("size of an item embedding")

    def build(self, size: int) -> Layers:
        """The layers for features of this length."""
        return Layers(
            [
                nn.Dropout(self.dropout),
                nn.Linear(size, size // 2),
                nn.ReLU(),
                nn.Dropout(self.dropout),
                nn.Linear(size // 2, self.dim, bias=False),
            ]
        )
