"""Exponential decay."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ExponentialLR, LRScheduler

from outfitrec.core.component import component
from outfitrec.core.fields import field


@component
class Exponential:
    """Multiplies the learning rate by gamma after each epoch."""

    gamma: float = field(default=0.95, above=0, maximum=1, search=(0.8, 1.0), help="factor of each epoch")

    every = "epoch"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> LRScheduler:
        return ExponentialLR(optimizer, self.gamma)
