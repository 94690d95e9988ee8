"""Drops on a plateau of the validation metric."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from outfitrec.core.component import component
from outfitrec.core.fields import field


@component
class Plateau:
    """Multiplies the learning rate by factor when the validation metric has stopped improving.

    Its scheduler is stepped with the metric. Better is what the metric says: higher or lower.
    """

    factor: float = field(default=0.1, above=0, below=1, search=(0.1, 0.9), help="factor of each drop")
    patience: int = field(
        default=10, minimum=0, search=(2, 20), help="epochs without improvement that are let pass before a drop"
    )
    threshold: float = field(default=1e-4, minimum=0, help="improvement that counts, see threshold_mode")
    threshold_mode: str = field(
        default="rel",
        choices=("rel", "abs"),
        help="threshold is a share of the best value, which must be above 0, or a difference to it",
    )
    cooldown: int = field(default=0, minimum=0, help="epochs after a drop that do not count")
    min_lr: float = field(default=0.0, minimum=0, help="learning rate below which no drop goes")
    eps: float = field(default=1e-8, minimum=0, help="a drop by less than this is left out")

    every = "epoch"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> ReduceLROnPlateau:
        return ReduceLROnPlateau(
            optimizer,
            mode="max" if higher_is_better else "min",
            factor=self.factor,
            patience=self.patience,
            threshold=self.threshold,
            threshold_mode=self.threshold_mode,  # type: ignore[arg-type]  # its choices are these words
            cooldown=self.cooldown,
            min_lr=self.min_lr,
            eps=self.eps,
        )
