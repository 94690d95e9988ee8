"""A schedule: the learning rate over the run."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from outfitrec import component, field


@component
class Mine:
    """Rises linearly to the optimiser's learning rate, and falls linearly to zero.

    Reference:
        Nobody yet.
    """

    warmup: float = field(default=0.1, minimum=0, below=1, search=(0.0, 0.3), help="share of the run in which it rises")

    # When it moves: after each step, or after each epoch.
    every = "step"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> LRScheduler:
        """The schedule of a run of so many epochs of so many steps each."""
        total = epochs * steps
        rising = self.warmup * total

        def factor(step: int) -> float:
            return min((step + 1) / (rising + 1), max(total - step, 0) / max(total - rising, 1), 1.0)

        return LambdaLR(optimizer, factor)
