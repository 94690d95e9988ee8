"""Tensors by the rule of the originals' figures: deterministic, without a random generator."""

import torch
from torch import Tensor


def ruled(number: int, *shape: int) -> Tensor:
    """Tensor ``number``: the flat values 0.5·sin(0.37·k + 1.1·number + 0.5), k = 0, 1, …, in 64 bits."""
    k = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (0.5 * torch.sin(0.37 * k + 1.1 * number + 0.5)).view(shape)
