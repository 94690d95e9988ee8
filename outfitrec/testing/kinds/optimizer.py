"""Optimisers."""

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from outfitrec.core.checkpoints import Checkpoints
from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.nested import copied, same
from outfitrec.testing.subject import Subject

STEPS = 4
# So flat that no learning rate that anybody takes is too high.
CURVATURE = 0.01
GROUPS = "pass the groups on to torch: an optimiser of torch keeps their 'lr' and 'weight_decay'"


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Where two parameters begin, each at least 1 from its lowest point, which is at 0."""
    draws = generator("contract", "optimizer")
    start = [torch.randn(4, 3, generator=draws).double(), torch.randn(3, generator=draws).double()]
    return {"start": [one + one.sign() for one in start]}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """Where they are after a few steps down a quadratic."""
    parameters = _parameters(inputs)
    _descend(component.build(_groups(component, parameters)), parameters, STEPS)
    return [one.detach() for one in parameters]


def _parameters(inputs: Mapping[str, Any]) -> list[nn.Parameter]:
    return [nn.Parameter(one.clone()) for one in inputs["start"]]


def _groups(component: Any, parameters: list[nn.Parameter], **second: float) -> list[dict[str, Any]]:
    """A group for each of two parameters, as the trainer makes them."""
    return [{"params": [parameters[0]], "lr": component.lr}, {"params": [parameters[1]], "lr": component.lr, **second}]


def _descend(optimizer: Optimizer, parameters: list[nn.Parameter], steps: int) -> float:
    """Steps down a quadratic, as the trainer takes them; its last value."""
    for _ in range(steps):
        loss = CURVATURE * torch.stack([one.square().sum() for one in parameters]).sum() / 2
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return CURVATURE * sum(float(one.detach().square().sum()) for one in parameters) / 2


@check("optimizer")
def has_a_learning_rate(subject: Subject) -> None:
    """Its ``lr`` is a finite number that is not negative, and that of groups that have none of their own."""
    component, parameters = subject.build(), _parameters(inputs(subject))
    rate = component.lr
    require(
        isinstance(rate, int | float) and math.isfinite(rate) and rate >= 0,
        f"its lr is {rate!r}",
        "give the learning rate as a field lr, or a property: train.groups and lr_batch are relative to it",
    )
    (group,) = component.build([{"params": parameters}]).param_groups
    require(
        group["lr"] == rate,
        f"its lr is {rate:g}, and a group without one of its own gets {group['lr']:g}",
        "hand lr to the optimiser of torch that it builds",
    )


@check("optimizer")
def takes_parameters_in_groups(subject: Subject) -> None:
    """What it builds is an optimiser of torch over the groups that it is given."""
    component, parameters = subject.build(), _parameters(inputs(subject))
    optimizer = component.build(_groups(component, parameters))
    require(
        isinstance(optimizer, Optimizer),
        f"it builds {type(optimizer).__name__}",
        "build gives a torch.optim.Optimizer, or a class derived from it",
    )
    held = [[id(one) for one in group["params"]] for group in optimizer.param_groups]
    require(held == [[id(one)] for one in parameters], f"of two groups of one parameter it makes {len(held)}", GROUPS)


@check("optimizer")
def keeps_the_settings_of_a_group(subject: Subject) -> None:
    """A group's own learning rate and weight decay hold for it, and for no other group."""
    component, parameters = subject.build(), _parameters(inputs(subject))
    own = {"lr": component.lr / 8, "weight_decay": 0.125}
    optimizer = component.build(_groups(component, parameters, **own))
    plain = component.build(_groups(component, _parameters(inputs(subject))))
    first, second = optimizer.param_groups
    for key, value in own.items():
        require(second.get(key) == value, f"a group's {key} of {value:g} becomes {second.get(key)!r}", GROUPS)
        expected = plain.param_groups[0].get(key)
        text = f"where one group has a {key} of its own, another one's becomes {first.get(key)!r}, not {expected!r}"
        require(first.get(key) == expected, text, GROUPS)


@check("optimizer")
def moves_less_at_a_lower_rate(subject: Subject) -> None:
    """A group with an eighth of the learning rate moves less."""
    component, start = subject.build(), inputs(subject)["start"]
    moved = []
    for rate in (component.lr, component.lr / 8):
        parameters = _parameters(inputs(subject))
        _descend(component.build(_groups(component, parameters, lr=rate, weight_decay=0.0)), parameters, 1)
        moved.append(float((parameters[1].detach() - start[1]).abs().sum()))
    require(
        moved[1] < moved[0],
        f"with a learning rate of {component.lr:g} a group moves by {moved[0]:g}, with an eighth of it by {moved[1]:g}",
        "read the learning rate from the group: group['lr']",
    )


@check("optimizer")
def decays_by_the_groups_weight_decay(subject: Subject) -> None:
    """A group with a weight decay ends elsewhere than one without; another group does not."""
    component = subject.build()
    ends = []
    for decay in (0.0, 0.5):
        parameters = _parameters(inputs(subject))
        optimizer = component.build(_groups(component, parameters, weight_decay=decay))
        if "weight_decay" not in optimizer.defaults:
            raise NotApplicableError("it has no weight decay")
        # Of more than one step: the first one of a normalised gradient is of one length.
        _descend(optimizer, parameters, STEPS)
        ends.append(parameters)
    require(
        not torch.equal(ends[0][1], ends[1][1]),
        "a group's weight decay of 0.5 makes no difference",
        "read the weight decay from the group: group['weight_decay']",
    )
    require(torch.equal(ends[0][0], ends[1][0]), "a group's weight decay changes another group", GROUPS)


@check("optimizer")
def lowers_a_quadratic(subject: Subject) -> None:
    """A few steps down a wide bowl end lower than they began."""
    component, parameters = subject.build(), _parameters(inputs(subject))
    before = CURVATURE * sum(float(one.detach().square().sum()) for one in parameters) / 2
    after = _descend(component.build(_groups(component, parameters)), parameters, STEPS)
    require(
        after < before,
        f"{STEPS} steps down a quadratic bring it from {before:g} to {after:g}",
        "move against the gradient; if it does, its lr is too high, or too low to change a float64",
    )


@check("optimizer")
def leaves_out_what_has_no_gradient(subject: Subject) -> None:
    """A parameter that no objective reached has no gradient (None), and stays finite; the others move."""
    component, parameters = subject.build(), _parameters(inputs(subject))
    optimizer = component.build(_groups(component, parameters))
    before = [copied(one) for one in parameters]
    _descend(optimizer, parameters[:1], STEPS)
    require(
        all(torch.isfinite(one).all() for one in parameters) and not torch.equal(before[0], parameters[0]),
        "with a parameter that has no gradient, values are not finite or the others do not move",
        "go on to the next parameter where parameter.grad is None",
    )


@check("optimizer")
def goes_on_from_a_checkpoint(subject: Subject) -> None:
    """Another one with its saved state takes the steps that it would have taken, bit for bit."""
    component, parameters = subject.build(), _parameters(inputs(subject))
    optimizer = component.build(_groups(component, parameters))
    _descend(optimizer, parameters, STEPS)
    state = saved({"optimizer": optimizer.state_dict(), "parameters": [one.detach() for one in parameters]})
    _descend(optimizer, parameters, STEPS)
    others = [nn.Parameter(one) for one in state["parameters"]]
    again = subject.build()
    resumed = again.build(_groups(again, others))
    resumed.load_state_dict(state["optimizer"])
    _descend(resumed, others, STEPS)
    expected, found = ([one.detach() for one in some] for some in (parameters, others))
    require(
        same(expected, found),
        f"after {STEPS} steps, a checkpoint and {STEPS} more, parameters are off by up to {_gap(expected, found):g}",
        "keep all that a step depends on in the optimiser's state and param_groups, which state_dict saves",
    )


def saved(state: dict[str, Any]) -> dict[str, Any]:
    """A state as it is read back from a checkpoint.

    Raises:
        BrokenContractError: It cannot be saved, or not be read without running code.
    """
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder), "contract")
        try:
            checkpoints.save("last", {"epoch": 0, **state})
            return checkpoints.load("last") or {}
        # The state is anybody's: what fails in pickling or reading it is its author's to know.
        except Exception as error:
            text = f"its state cannot be saved and read without running code: {type(error).__name__}: {error}"
            hint = "keep tensors, numbers, words, and lists and mappings of such in state_dict()"
            require(condition=False, message=text, hint=hint)
            raise


def _gap(one: list[Tensor], other: list[Tensor]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))
