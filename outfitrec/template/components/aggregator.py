"""An aggregator: an outfit's items → its state."""

from torch import Tensor, nn

from outfitrec import component, field, given


@component
class Mine(nn.Module):
    """A weighted mean of an outfit's items, whose weights a small network gives.

    Reference:
        Nobody yet.
    """

    hidden: int = field(default=32, minimum=1, help="size of the network's hidden layer")
    dim: int = given("size of an item embedding")

    def __attrs_post_init__(self) -> None:
        self.weigh = nn.Sequential(nn.Linear(self.dim, self.hidden), nn.Tanh(), nn.Linear(self.hidden, 1))

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        """The state of each outfit: here a vector, ``[outfit, dim]``.

        Args:
            items: Embeddings, ``[outfit, slot, dim]``; zeros in empty slots.
            mask: True where a slot holds an item, ``[outfit, slot]``.
            category: Category of each item, ``[outfit, slot]``; -1 in empty slots.
        """
        weight: Tensor = self.weigh(items).squeeze(-1).masked_fill(~mask, float("-inf")).softmax(dim=1)
        return (weight.unsqueeze(-1) * items).sum(dim=1)
