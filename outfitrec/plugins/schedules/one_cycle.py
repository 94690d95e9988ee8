"""One cycle."""

from collections.abc import Iterable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from outfitrec.core.component import component
from outfitrec.core.errors import UserError
from outfitrec.core.fields import field


@component
class OneCycle:
    """The learning rate rises to the optimiser's and falls far below where it began.

    Reference:
        Smith and Topin, Super-convergence, 2018.
    """

    pct_start: float = field(
        default=0.3, above=0, below=1, search=(0.1, 0.5), help="share of the run that the rise takes"
    )
    anneal_strategy: str = field(default="cos", choices=("cos", "linear"), help="shape of the slopes")
    cycle_momentum: bool = field(
        default=False, help="move the momentum (of Adam: beta1) against the learning rate, in place of the optimiser's"
    )
    base_momentum: float = field(default=0.85, minimum=0, below=1, help="momentum at the highest learning rate")
    max_momentum: float = field(default=0.95, minimum=0, below=1, help="momentum at the lowest learning rate")
    div_factor: float = field(default=25.0, minimum=1, search=(5.0, 100.0), help="highest learning rate over the first")
    final_div_factor: float = field(default=1e4, minimum=1, help="first learning rate over the last")
    three_phase: bool = field(default=False, help="fall as long as rise, then fade out, in place of one fall")

    every = "step"

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse a rise and a fall that take more than the run."""
        if config.three_phase and config.pct_start > 0.5:
            yield "pct_start", f"must be 0.5 or less with three_phase, and is {config.pct_start:g}"

    def __attrs_post_init__(self) -> None:
        if self.three_phase and self.pct_start > 0.5:
            raise UserError(
                f"one_cycle: with three_phase, rise and fall take 2 · pct_start = {2 * self.pct_start:g} of the run",
                hint="set pct_start to 0.5 or less",
            )

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> LRScheduler:
        if self.cycle_momentum and not {"momentum", "betas"} & optimizer.defaults.keys():
            raise UserError(
                f"one_cycle: {type(optimizer).__name__} has no momentum to cycle", hint="set cycle_momentum: false"
            )
        # One more than there are: the scheduler also moves after the last step, and past its end it would leave the
        # range of the learning rate.
        total = epochs * steps + 1
        if self.pct_start * total == 1:
            raise UserError(
                f"one_cycle: with pct_start {self.pct_start:g} the rise takes no step of the run's {total - 1}",
                hint="choose another pct_start, or train longer",
            )
        return OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            total_steps=total,
            pct_start=self.pct_start,
            anneal_strategy=self.anneal_strategy,  # type: ignore[arg-type]  # its choices are these words
            cycle_momentum=self.cycle_momentum,
            base_momentum=self.base_momentum,
            max_momentum=self.max_momentum,
            div_factor=self.div_factor,
            final_div_factor=self.final_div_factor,
            three_phase=self.three_phase,
        )
