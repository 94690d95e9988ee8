"""Broken optimisers."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer

from mutants import broken
from outfitrec import component, field


@component
class Sound:
    """Keeps to all of it."""

    lr: float = field(default=0.1, above=0, help="learning rate")

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return SGD(groups, lr=self.lr, momentum=0.9)


@component
class Bare:
    """Keeps to all of it, and has no weight decay."""

    lr: float = field(default=0.1, above=0, help="learning rate")

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return Plain(groups, lr=self.lr)


class Plain(Optimizer):
    """Steps against the gradient; what is overridden is broken."""

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr})

    def move(self, parameter: Tensor, group: dict[str, Any]) -> None:
        parameter -= group["lr"] * parameter.grad

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.move(parameter, group)


@broken("optimizer", "has_a_learning_rate")
@component
class OtherRate(Sound):
    """Builds with another rate than it says."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return SGD(groups, lr=0.5)


@broken("optimizer", "takes_parameters_in_groups")
@component
class OneGroup(Sound):
    """Puts all parameters in one group."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return SGD([one for group in groups for one in group["params"]], lr=self.lr)


@broken("optimizer", "takes_parameters_in_groups")
@component
class NoOptimizer(Sound):
    """Builds something else."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return list(groups)


@broken("optimizer", "keeps_the_settings_of_a_group")
@component
class OwnSettings(Sound):
    """Takes nothing but the parameters of a group."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return SGD([{"params": group["params"]} for group in groups], lr=self.lr)


class _OfTheFirst(Plain):
    def move(self, parameter: Tensor, group: dict[str, Any]) -> None:
        parameter -= self.defaults["lr"] * parameter.grad


@broken("optimizer", "moves_less_at_a_lower_rate")
@component
class DeafToRates(Sound):
    """Keeps the rates of groups, and does not look at them."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return _OfTheFirst(groups, lr=self.lr)


class _Undecayed(Plain):
    def __init__(self, groups: Iterable[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, lr)
        self.defaults["weight_decay"] = 0.0


@broken("optimizer", "decays_by_the_groups_weight_decay")
@component
class Undecayed(Sound):
    """Has a weight decay of no effect."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return _Undecayed(groups, lr=self.lr)


@broken("optimizer", "lowers_a_quadratic")
@component
class Climbing(Sound):
    """Moves along the gradient."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return SGD(groups, lr=self.lr, maximize=True)


class _Everywhere(Plain):
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        for group in self.param_groups:
            for parameter in group["params"]:
                self.move(parameter, group)


@broken("optimizer", "leaves_out_what_has_no_gradient")
@component
class Everywhere(Sound):
    """Expects a gradient of every parameter."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return _Everywhere(groups, lr=self.lr)


class _Ageing(Plain):
    """Its rate falls with a count of its own."""

    steps = 0

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        self.steps += 1
        return super().step(closure)

    def move(self, parameter: Tensor, group: dict[str, Any]) -> None:
        parameter -= group["lr"] / self.steps * parameter.grad


@broken("optimizer", "goes_on_from_a_checkpoint")
@component
class Ageing(Sound):
    """Counts its steps, and saves no count."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return _Ageing(groups, lr=self.lr)


class _Pickled(Plain):
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "made": object()}


@broken("optimizer", "goes_on_from_a_checkpoint")
@component
class Pickled(Sound):
    """Saves an object that only pickle reads."""

    def build(self, groups: Iterable[dict[str, Any]]) -> Any:
        return _Pickled(groups, lr=self.lr)
