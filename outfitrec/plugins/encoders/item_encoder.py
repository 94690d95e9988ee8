"""The fully connected part of an encoder, one for all categories."""

from torch import nn


def item_encoder(size: int, dim: int, dropout: float, *, norm: bool = False) -> nn.Sequential:
    """Backbone features ``[item, size]`` → item embeddings ``[item, dim]``: f → f/2 → dim.

    The layout, with the last layer free of bias, is that of Fashion Hash Net's image encoder, and the one that
    reproduces the parameter totals of the paper's Table 5. With ``norm`` each item's features are brought to mean 0 and
    deviation 1 first.
    """
    return nn.Sequential(
        # Frozen features have any scale, and the same learning rate must do for all: ImageNet's SqueezeNet gives a
        # deviation of 6, with which gradient descent leaves no unit alive.
        nn.LayerNorm(size, elementwise_affine=False) if norm else nn.Identity(),
        nn.Dropout(dropout),
        nn.Linear(size, size // 2),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(size // 2, dim, bias=False),
    )
