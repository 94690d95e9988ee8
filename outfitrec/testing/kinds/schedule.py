"""Learning-rate schedules."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from outfitrec.core.errors import UserError
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.kinds.optimizer import saved
from outfitrec.testing.subject import Subject

EPOCHS = 12
STEPS = 4
# Of two groups of parameters.
RATES = (0.1, 0.01)
# Epochs in which anything that waits for an improvement loses patience.
LONG = 1000


def inputs(subject: Subject) -> Mapping[str, Any]:
    """The validation metric, epoch by epoch: it rises, then stays."""
    return {"valid": torch.linspace(0.5, 0.8, EPOCHS).clamp(max=0.7)}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The learning rates of both groups before each step of a run, and after the last."""
    values = inputs["valid"].tolist()
    return torch.tensor(_Course(subject, component).run(EPOCHS, STEPS, values.__getitem__))


@attrs.define
class _Course:
    """A run whose learning rate a schedule moves, as the trainer does it."""

    subject: Subject
    component: Any
    higher: bool = True

    def begin(self, epochs: int, steps: int) -> tuple[Optimizer, LRScheduler]:
        """Optimiser and schedule of a run."""
        groups = [{"params": [nn.Parameter(torch.zeros(2))], "lr": rate} for rate in RATES]
        beside = self.subject.beside.get("optimizer")
        # With a momentum, which some schedules move.
        made = (
            torch.optim.SGD(groups, lr=RATES[0], momentum=0.9)
            if beside is None
            else self.subject.make(beside).build(groups)
        )
        return made, self.component.build(made, epochs, steps, self.higher)

    def run(self, epochs: int, steps: int, valid: Callable[[int], float]) -> list[list[float]]:
        """The learning rates of a whole run."""
        optimizer, schedule = self.begin(epochs, steps)
        return self.walk(optimizer, schedule, range(epochs * steps), steps, valid)

    def walk(
        self, optimizer: Optimizer, schedule: LRScheduler, places: range, steps: int, valid: Callable[[int], float]
    ) -> list[list[float]]:
        """The learning rates before each of these steps, and after the last."""
        rates = []
        for place in places:
            rates.append([float(group["lr"]) for group in optimizer.param_groups])
            optimizer.step()
            if self.component.every == "step":
                schedule.step()
            elif (place + 1) % steps == 0:
                if isinstance(schedule, ReduceLROnPlateau):
                    schedule.step(valid(place // steps))
                else:
                    schedule.step()
        return [*rates, [float(group["lr"]) for group in optimizer.param_groups]]


def _of(subject: Subject, *, higher: bool = True) -> _Course:
    return _Course(subject, subject.build(), higher)


def _still(epoch: int) -> float:
    return 0.5


@check("schedule")
def says_when_it_moves(subject: Subject) -> None:
    """Its ``every`` is ``step`` or ``epoch``; what follows the validation metric moves every epoch."""
    course = _of(subject)
    every = course.component.every
    require(every in ("step", "epoch"), f"its every is {every!r}", "say every = 'step' or every = 'epoch'")
    schedule = course.begin(EPOCHS, STEPS)[1]
    require(
        every == "epoch" or not isinstance(schedule, ReduceLROnPlateau),
        "it follows the validation metric, and its every is 'step'",
        "the metric is computed once an epoch: every = 'epoch'",
    )


@check("schedule")
def makes_a_schedule_of_torch(subject: Subject) -> None:
    """What it builds is a learning-rate scheduler of torch, of the optimiser that it is given."""
    optimizer, schedule = _of(subject).begin(EPOCHS, STEPS)
    require(
        isinstance(schedule, LRScheduler),
        f"it builds {type(schedule).__name__}",
        "build gives a torch.optim.lr_scheduler.LRScheduler; LambdaLR makes one of a function",
    )
    require(
        schedule.optimizer is optimizer,
        "its schedule moves another optimiser than the one that it is given",
        "hand the optimizer on, and make no other",
    )


@check("schedule")
def keeps_rates_finite(subject: Subject) -> None:
    """In runs of several lengths each learning rate is finite and not negative, after the last step too."""
    for epochs, steps in ((EPOCHS, STEPS), (2 * EPOCHS, 1), (EPOCHS, 25)):
        for place, rates in enumerate(_of(subject).run(epochs, steps, _still)):
            require(
                all(math.isfinite(rate) and rate >= 0 for rate in rates),
                f"after step {place} of {epochs} epochs of {steps} the learning rates are {_shown(rates)}",
                "the schedule also moves after the last step: it must stand one move more than there are steps",
            )


@check("schedule")
def lets_something_be_learned(subject: Subject) -> None:
    """At some step of a run each group has a learning rate above 0."""
    highest = Tensor(_of(subject).run(EPOCHS, STEPS, _still)[:-1]).amax(dim=0)
    require(
        (highest > 0).all(),
        f"the highest learning rates of the groups are {_shown(highest.tolist())}",
        "it is a factor of the optimiser's learning rate, so 0 throughout trains nothing",
    )


@check("schedule")
def stands_a_run_of_one_step(subject: Subject) -> None:
    """A run of one epoch of one step has finite rates, or is refused with a message of what to change."""
    try:
        rates = _of(subject).run(1, 1, _still)
    except UserError as error:
        raise NotApplicableError(f"it refuses such a run: {error}") from error
    require(
        all(math.isfinite(rate) and rate >= 0 for pair in rates for rate in pair),
        f"in a run of one step the learning rates are {', '.join(map(_shown, rates))}",
        "divide by no number of steps that may be 0, or raise outfitrec.UserError where the run is too short for it",
    )


@check("schedule")
def goes_on_from_a_checkpoint(subject: Subject) -> None:
    """Another one with its saved state, in mid-run, goes on to the same learning rates."""
    course, again = _of(subject), _of(subject)
    valid, total = inputs(subject)["valid"].tolist().__getitem__, EPOCHS * STEPS
    optimizer, schedule = course.begin(EPOCHS, STEPS)
    # Within an epoch, of which checkpoints are kept too.
    middle = total // 2 + 1
    course.walk(optimizer, schedule, range(middle), STEPS, valid)
    state = saved({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()})
    expected = course.walk(optimizer, schedule, range(middle, total), STEPS, valid)
    made, resumed = again.begin(EPOCHS, STEPS)
    made.load_state_dict(state["optimizer"])
    resumed.load_state_dict(state["schedule"])
    found = again.walk(made, resumed, range(middle, total), STEPS, valid)
    first = next((place for place, (one, other) in enumerate(zip(expected, found, strict=True)) if one != other), None)
    require(
        first is None,
        f"resumed after step {middle} the learning rates are {_shown(found[first or 0])} after step "
        f"{middle + (first or 0)}, and not {_shown(expected[first or 0])}",
        "keep what it depends on in numbers that state_dict() saves: LambdaLR saves the attributes of a callable "
        "object, and nothing of a lambda",
    )


@check("schedule")
def knows_which_way_is_better(subject: Subject) -> None:
    """Where it follows the validation metric, it makes a difference whether a higher value is better."""
    if not isinstance(_of(subject).begin(EPOCHS, STEPS)[1], ReduceLROnPlateau):
        raise NotApplicableError("it does not follow the validation metric")

    def rising(epoch: int) -> float:
        return 0.1 + 0.8 * epoch / LONG

    better, worse = (_of(subject, higher=higher).run(LONG, 1, rising)[-1] for higher in (True, False))
    require(
        better != worse,
        f"after {LONG} epochs of a rising metric the learning rates are {_shown(better)}, whether a higher value is "
        "better or worse",
        "pass it on: mode='max' if higher_is_better else 'min'",
    )


def _shown(rates: list[float]) -> str:
    return " and ".join(f"{rate:g}" for rate in rates)
