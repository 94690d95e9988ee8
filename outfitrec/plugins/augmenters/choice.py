"""What the augmenters share."""

import torch
from jaxtyping import Bool
from torch import Generator, Tensor
from torch.nn import functional as F


def one_of(allowed: Bool[Tensor, "row option"], generator: Generator) -> Bool[Tensor, "row option"]:
    """One of the allowed options of each row, all equally likely; none where none is allowed.

    Args:
        allowed: On any device.
        generator: On the CPU.
    """
    draws = torch.rand(allowed.shape, generator=generator).to(allowed.device).masked_fill(~allowed, -1)
    return F.one_hot(draws.argmax(dim=1), allowed.shape[1]).bool() & allowed
