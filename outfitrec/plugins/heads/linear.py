"""One linear layer."""

from torch import nn

from outfitrec.core.component import component
from outfitrec.core.fields import field, given
from outfitrec.plugins.heads.item_encoder import Layers


@component
class Linear:
    """One linear layer from features to item embeddings: the plainest head."""

    bias: bool = field(default=True, help="whether it has a bias")
    dim: int = given("size of an item embedding")

    def build(self, size: int) -> Layers:
        """The layer for features of this length."""
        return Layers([nn.Linear(size, self.dim, bias=self.bias)])
