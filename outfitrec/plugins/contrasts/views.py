"""What the contrastive losses share."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def view_logits(
    a: Float[Tensor, "outfit dim"], b: Float[Tensor, "outfit dim"], temperature: float
) -> Float[Tensor, "view view"]:
    """Cosine of each view with each other one, in units of the temperature; minus infinity with itself.

    The views are the rows of ``a`` and after them those of ``b``.

    Raises:
        ValueError: The shapes do not fit together.
    """
    # Matrices of different lengths would give a loss of the wrong partners, and a finite one.
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(f"views of shapes {tuple(a.shape)} and {tuple(b.shape)}: expected [outfit, dim] twice")
    views = F.normalize(torch.cat([a, b]), dim=1)
    itself = torch.eye(len(views), dtype=torch.bool, device=views.device)
    return (views @ views.T / temperature).masked_fill(itself, -math.inf)
