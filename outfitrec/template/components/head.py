"""A head: an encoder's features → item embeddings."""

from torch import Tensor, nn

from outfitrec import component, field, given


@component
class Mine:
    """A linear layer after a layer normalisation, and an offset for each category.

    Reference:
        Nobody yet.
    """

    offset: bool = field(default=True, help="whether each category has an offset of its own")
    dim: int = given("size of an item embedding")
    categories: tuple[str, ...] = given("name of each category")

    def build(self, size: int) -> nn.Module:
        """The module for features of this length: ``([item, size], [item]) → [item, dim]``."""
        return Layers(size, self.dim, len(self.categories) if self.offset else 0)


class Layers(nn.Module):
    """What is trained.

    Args:
        size: Length of the features.
        dim: Size of an item embedding.
        categories: Number of categories; 0 for no offset.
    """

    def __init__(self, size: int, dim: int, categories: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.linear = nn.Linear(size, dim)
        self.offset = nn.Embedding(categories, dim) if categories else None

    def forward(self, features: Tensor, category: Tensor) -> Tensor:
        """Item embeddings."""
        found: Tensor = self.linear(self.norm(features))
        return found if self.offset is None else found + self.offset(category)
