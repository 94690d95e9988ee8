"""Cosine annealing."""

import math
from collections.abc import Iterable
from typing import Any

import attrs
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from outfitrec.core.component import component
from outfitrec.core.errors import UserError
from outfitrec.core.fields import field


@component
class CosineSchedule:
    """The learning rate rises linearly for the warm-up, then falls along half a cosine to the end of the run.

    Reference:
        Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017 (without restarts).
    """

    warmup: float = field(default=0.0, minimum=0, help="epochs that the rise takes; parts of an epoch are allowed")
    final: float = field(default=0.0, minimum=0, maximum=1, help="last learning rate as a share of the optimiser's")

    every = "step"

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse a warm-up as long as the run."""
        if config.warmup and config.warmup >= recipe.train.epochs:
            yield "warmup", f"must be less than train.epochs ({recipe.train.epochs}), and is {config.warmup:g}"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> LRScheduler:
        if self.warmup >= epochs:
            raise UserError(
                f"cosine: a warm-up of {self.warmup:g} epochs leaves nothing of a run of {epochs}",
                hint="set warmup below the number of epochs",
            )
        return LambdaLR(optimizer, _Curve(warmup=self.warmup * steps, total=epochs * steps, final=self.final))


@attrs.define(slots=False)
class _Curve:
    """Factor of the learning rate after so many steps.

    An object, since its attributes are part of LambdaLR's state, which is then plain numbers; a closure would be lost.
    """

    warmup: float
    total: int
    final: float

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        progress = min(1.0, (step - self.warmup) / (self.total - self.warmup))
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2
