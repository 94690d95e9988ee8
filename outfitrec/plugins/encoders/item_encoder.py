"""The fully connected part of an encoder, one for all categories."""

from torch import nn


def item_encoder(size: int, dim: int, dropout: float) -> nn.Sequential:
    """Backbone features ``[item, size]`` → item embeddings ``[item, dim]``: f → f/2 → dim.

    The layout, with the last layer free of bias, is that of Fashion Hash Net's image encoder, and the one that
    reproduces the parameter totals of the paper's Table 5.
    """
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(size, size // 2),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(size // 2, dim, bias=False),
    )
