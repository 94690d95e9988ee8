"""Broken schedules."""

import math
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import ExponentialLR, LambdaLR, ReduceLROnPlateau

from mutants import broken
from outfitrec import UserError, component


@component
class Sound:
    """Keeps to all of it."""

    every = "epoch"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        return ExponentialLR(optimizer, 0.9)


@component
class Patient:
    """Keeps to all of it, and refuses short runs."""

    every = "epoch"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        if epochs < 5:
            raise UserError("five epochs at least")
        return ReduceLROnPlateau(optimizer, mode="max" if higher_is_better else "min", patience=5)


@broken("schedule", "says_when_it_moves")
@component
class Sometimes(Sound):
    """Moves in between."""

    every = "batch"


@broken("schedule", "says_when_it_moves")
@component
class TooOften(Patient):
    """Follows a metric that is not there."""

    every = "step"


@broken("schedule", "makes_a_schedule_of_torch")
@component
class OfItsOwn(Sound):
    """Builds a function."""

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        return lambda: None


@broken("schedule", "makes_a_schedule_of_torch")
@component
class OfAnother(Sound):
    """Moves an optimiser that it made itself."""

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        return ExponentialLR(SGD([nn.Parameter(torch.zeros(1))], lr=0.1), 0.9)


@broken("schedule", "keeps_rates_finite")
@component
class PastItsEnd(Sound):
    """Falls in a straight line, and on below 0."""

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        return LambdaLR(optimizer, lambda epoch: 1 - (epoch + 1) / epochs)


@broken("schedule", "lets_something_be_learned")
@component
class Nothing(Sound):
    """Whole numbers where a share was meant."""

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        return LambdaLR(optimizer, lambda epoch: 1 // (epoch + 2))


@broken("schedule", "stands_a_run_of_one_step")
@component
class Linear(Sound):
    """Divides by the steps after the first."""

    every = "step"

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        last = epochs * steps - 1
        return LambdaLR(optimizer, lambda step: max(0.0, 1 - step / last))


class _Counting:
    """A factor that falls with each call."""

    def __init__(self) -> None:
        self._calls = iter(range(1000))

    def __call__(self, epoch: int) -> float:
        return math.exp(-next(self._calls) / 10)


@broken("schedule", "goes_on_from_a_checkpoint")
@component
class Counting(Sound):
    """Counts its calls where no checkpoint sees it."""

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        counting = _Counting()
        return LambdaLR(optimizer, lambda epoch: counting(epoch))


@broken("schedule", "goes_on_from_a_checkpoint")
@component
class Pickled(Sound):
    """Its state has an object that only pickle reads."""

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        return LambdaLR(optimizer, _Counting())


@broken("schedule", "knows_which_way_is_better")
@component
class OneWay(Sound):
    """Takes a higher value for a worse one, whatever it is."""

    def build(self, optimizer: Optimizer, epochs: int, steps: int, higher_is_better: bool) -> Any:
        return ReduceLROnPlateau(optimizer, mode="min", patience=5)
