"""No schedule."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler

from outfitrec.core.component import component


@component
class Constant:
    """The same learning rate throughout."""

    every = "epoch"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> LRScheduler:
        return ConstantLR(optimizer, factor=1.0, total_iters=0)
