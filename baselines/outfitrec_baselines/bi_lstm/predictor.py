"""What comes next in a sequence of items."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

# The original draws all weights from within this distance of 0.
RANGE = 0.08


class Predictor(nn.Module):
    """An LSTM that reads items one by one, and a linear layer that tells the next one's embedding after each.

    Weights start uniform in ±0.08 and biases at 0, but for the forget gate's, which starts at 1: all as in the
    original, which adds that 1 on the fly.

    Args:
        dim: Size of an item embedding.
        hidden: Size of the LSTM's state.
        dropout: Dropout of what the LSTM reads and of what it gives.
    """

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)
        self.output = nn.Linear(hidden, dim)
        weight, recurrent, bias, second = self.lstm.all_weights[0]
        for matrix in (weight, recurrent, self.output.weight):
            nn.init.uniform_(matrix, -RANGE, RANGE)
        for vector in (bias, second, self.output.bias):
            nn.init.zeros_(vector)
        nn.init.ones_(bias[hidden : 2 * hidden])
        # torch adds two biases: learning both would double the learning rate of the one that there is.
        second.requires_grad_(False)

    def forward(self, items: Float[Tensor, "outfit slot dim"]) -> Float[Tensor, "outfit slot dim"]:
        """The embedding predicted for the place after each item. It depends on no later place."""
        hidden, _ = self.lstm(F.dropout(items, self.dropout, self.training))
        predicted: Tensor = self.output(F.dropout(hidden, self.dropout, self.training))
        return predicted
