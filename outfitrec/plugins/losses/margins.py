"""What the ranking losses share."""

import math

from jaxtyping import Bool, Float
from torch import Tensor


def margins(
    positive: Float[Tensor, " pair"],
    negative: Float[Tensor, "pair negative"],
    weight: Float[Tensor, "pair negative"] | None,
    mask: Bool[Tensor, "pair negative"] | None,
    temperature: float,
) -> Float[Tensor, "pair negative"]:
    """How far each weighted negative is above its positive, in units of the temperature; minus infinity where masked.

    Raises:
        ValueError: The shapes do not fit together.
    """
    for name, tensor in (("weight", weight), ("mask", mask)):
        if tensor is not None and tensor.shape != negative.shape:
            raise ValueError(f"{name} of shape {tuple(tensor.shape)} for negatives of shape {tuple(negative.shape)}")
    # A stray dimension would broadcast to a loss that is wrong and finite.
    if negative.ndim != 2 or positive.shape != negative.shape[:1]:
        raise ValueError(
            f"positive of shape {tuple(positive.shape)} with negatives of shape {tuple(negative.shape)}: "
            "expected [pair] and [pair, negative]"
        )
    weighted = negative if weight is None else weight * negative
    margin = (weighted - positive[:, None]) / temperature
    # After weighting: a weight may be negative, and minus infinity times it would be plus infinity.
    return margin if mask is None else margin.masked_fill(~mask, -math.inf)
