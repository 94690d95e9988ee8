"""Steps down."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, StepLR

from outfitrec.core.component import component
from outfitrec.core.fields import field


@component
class StepSchedule:
    """Multiplies the learning rate by gamma every so many epochs."""

    step_size: int = field(default=10, minimum=1, search=(2, 30), help="epochs between two drops")
    gamma: float = field(default=0.1, above=0, maximum=1, search=(0.1, 0.9), help="factor of each drop")

    every = "epoch"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> LRScheduler:
        return StepLR(optimizer, self.step_size, self.gamma)
