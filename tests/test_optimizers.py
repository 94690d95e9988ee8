import io
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from outfitrec.core.errors import UserError
from outfitrec.plugins.optimizers.adam import Adam
from outfitrec.plugins.optimizers.adamw import AdamW
from outfitrec.plugins.optimizers.sgd import SGD
from outfitrec.plugins.schedules.constant import Constant
from outfitrec.plugins.schedules.cosine import CosineSchedule
from outfitrec.plugins.schedules.exponential import Exponential
from outfitrec.plugins.schedules.one_cycle import OneCycle
from outfitrec.plugins.schedules.plateau import Plateau
from outfitrec.plugins.schedules.step import StepSchedule
from outfitrec.protocols import Optimizer, Schedule

EPOCHS, STEPS = 6, 5
OPTIMIZERS: list[Callable[[], Optimizer]] = [
    SGD,
    lambda: SGD(nesterov=True, weight_decay=0.1),
    Adam,
    lambda: Adam(amsgrad=True),
    AdamW,
]
SCHEDULES: list[Callable[[], Schedule]] = [
    Constant,
    lambda: CosineSchedule(warmup=1.5, final=0.1),
    OneCycle,
    lambda: OneCycle(cycle_momentum=True, anneal_strategy="linear", three_phase=True),
    lambda: StepSchedule(step_size=2, gamma=0.5),
    Exponential,
    lambda: Plateau(patience=1, cooldown=1, factor=0.5),
]


def updates(optimizer: Optimizer, count: int, gradient: float = 3.0, start: float = 1.0) -> list[float]:
    """The values of one parameter whose gradient is always the same."""
    parameter = nn.Parameter(torch.tensor([start], dtype=torch.float64))
    built = optimizer.build([{"params": [parameter]}])
    values = []
    for _ in range(count):
        parameter.grad = torch.full_like(parameter, gradient)
        built.step()
        values.append(parameter.item())
    return values


def rates(schedule: Schedule, metric: Callable[[int], float] = float, lr: float = 1.0, **run: Any) -> list[float]:
    """The learning rate of each step of a run, and the one after it."""
    run = {"epochs": EPOCHS, "steps": STEPS, "higher_is_better": True} | run
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=lr)
    scheduler: Any = schedule.build(optimizer, **run)
    seen = []
    for epoch in range(run["epochs"]):
        for _ in range(run["steps"]):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if schedule.every == "step":
                scheduler.step()
        if schedule.every == "epoch":
            scheduler.step(*[metric(epoch)] * isinstance(schedule, Plateau))
    return [*seen, optimizer.param_groups[0]["lr"]]


def by_epoch(schedule: Schedule, **more: Any) -> list[float]:
    return rates(schedule, **more)[::STEPS]


def test_sgd_follows_its_formula() -> None:
    assert updates(SGD(lr=0.1, momentum=0.5), 3) == pytest.approx([0.7, 0.25, -0.275])
    assert updates(SGD(lr=0.1, momentum=0.5, nesterov=True), 2) == pytest.approx([1 - 0.45, 1 - 0.45 - 0.525])
    assert updates(SGD(lr=0.1, momentum=0.0, weight_decay=0.5), 1) == pytest.approx([1 - 0.1 * (3 + 0.5)])


def test_adam_follows_its_formula() -> None:
    # Of a constant gradient both means are the gradient's, once they are corrected.
    assert updates(Adam(lr=0.01), 2) == pytest.approx([0.99, 0.98], abs=1e-9)
    assert updates(Adam(lr=0.01, eps=3.0), 1) == pytest.approx([0.995])
    assert updates(AdamW(lr=0.01, weight_decay=0.5), 1) == pytest.approx([1 - 0.01 * 0.5 - 0.01], abs=1e-9)
    # A weight decay of Adam is a part of the gradient, which is scaled to one.
    assert updates(Adam(lr=0.01, weight_decay=0.5), 1) == pytest.approx([0.99], abs=1e-9)
    # After a large gradient, only AMSGrad keeps its denominator.
    plain, kept = (
        Adam(lr=0.01, beta1=0.0, beta2=0.0, amsgrad=amsgrad).build([{"params": [nn.Parameter(torch.zeros(1))]}])
        for amsgrad in (False, True)
    )
    for built, expected in ((plain, -0.02), (kept, -0.0101)):
        parameter = built.param_groups[0]["params"][0]
        for gradient in (100.0, 1.0):
            parameter.grad = torch.tensor([gradient])
            built.step()
        assert parameter.item() == pytest.approx(expected)


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_groups_keep_their_own_rate_and_decay(make: Callable[[], Optimizer]) -> None:
    groups: list[dict[str, Any]] = [{"params": [nn.Parameter(torch.zeros(1))]} for _ in range(2)]
    groups[1] |= {"lr": 0.5, "weight_decay": 0.25}
    optimizer = make()
    first, second = optimizer.build(iter(groups)).param_groups
    assert first["lr"] == optimizer.lr
    assert (second["lr"], second["weight_decay"]) == (0.5, 0.25)


def test_nesterov_without_momentum_is_refused() -> None:
    with pytest.raises(UserError, match="nesterov needs a momentum above 0"):
        SGD(nesterov=True, momentum=0)


def test_constant_is_constant() -> None:
    assert rates(Constant(), lr=0.3) == [0.3] * (EPOCHS * STEPS + 1)


def test_step_and_exponential_multiply() -> None:
    expected = [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert by_epoch(StepSchedule(step_size=2, gamma=0.5)) == pytest.approx(expected)
    assert by_epoch(Exponential(gamma=0.9)) == pytest.approx([0.9**epoch for epoch in range(EPOCHS + 1)])


def test_cosine_is_half_a_cosine() -> None:
    total = EPOCHS * STEPS
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * step / total)) / 2 for step in range(total + 1)]
    assert rates(CosineSchedule(final=0.1)) == pytest.approx(expected)
    torchs = torch.optim.lr_scheduler.CosineAnnealingLR(
        torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0), T_max=total
    )
    assert rates(CosineSchedule(), lr=2.0)[0] == torchs.get_last_lr()[0]
    assert rates(CosineSchedule(), lr=2.0)[total // 2] == pytest.approx(1.0)


def test_cosine_warms_up() -> None:
    seen = rates(CosineSchedule(warmup=2, final=0.0), lr=1.1)
    warm = 2 * STEPS
    assert seen[: warm + 1] == pytest.approx([1.1 * (step + 1) / (warm + 1) for step in range(warm + 1)])
    assert all(one > other for one, other in pairwise(seen[warm:]))
    assert seen[-1] == pytest.approx(0, abs=1e-12)
    half = rates(CosineSchedule(warmup=0.5))
    assert half[:3] == pytest.approx([1 / 3.5, 2 / 3.5, 3 / 3.5])
    with pytest.raises(UserError, match="a warm-up of 6 epochs leaves nothing of a run of 6"):
        rates(CosineSchedule(warmup=6))


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_rises_and_falls_within_its_range(strategy: str) -> None:
    seen = rates(OneCycle(pct_start=0.3, div_factor=10, final_div_factor=100, anneal_strategy=strategy), lr=2.0)
    assert seen[0] == pytest.approx(0.2)
    assert seen[-1] == pytest.approx(0.002)
    peak = seen.index(max(seen))
    assert peak in (8, 9)
    assert 1.9 < seen[peak] <= 2.0
    assert all(one < other for one, other in pairwise(seen[: peak + 1]))
    assert all(one > other for one, other in pairwise(seen[peak:]))


def test_one_cycle_of_three_phases_falls_as_it_rose_and_fades_out() -> None:
    schedule = OneCycle(pct_start=0.3, div_factor=10, three_phase=True, anneal_strategy="linear")
    seen = rates(schedule, epochs=10, steps=10)
    rise = 0.3 * 101 - 1
    assert seen[0] == pytest.approx(0.1)
    assert seen[20] == pytest.approx(0.1 + 0.9 * 20 / rise)
    assert seen[40] == pytest.approx(1 - 0.9 * (40 - rise) / rise)
    assert seen[80] == pytest.approx(0.1 - (0.1 - 1e-5) * (80 - 2 * rise) / (100 - 2 * rise))
    assert seen[100] == pytest.approx(1e-5)


@pytest.mark.parametrize(("make", "key"), [(SGD, "momentum"), (Adam, "betas")])
def test_one_cycle_moves_momentum_only_when_asked(make: Callable[[], Optimizer], key: str) -> None:
    for cycled in (False, True):
        built = make().build([{"params": [nn.Parameter(torch.zeros(1))]}])
        before = built.param_groups[0][key]
        schedule = OneCycle(cycle_momentum=cycled, base_momentum=0.5, max_momentum=0.8, anneal_strategy="linear")
        scheduler = schedule.build(built, EPOCHS, STEPS, True)
        seen = []
        for _ in range(EPOCHS * STEPS):
            value = built.param_groups[0][key]
            seen.append(value if key == "momentum" else value[0])
            built.step()
            scheduler.step()
        if cycled:
            assert seen[0] == pytest.approx(0.8)
            assert 0.5 <= min(seen) < 0.52
        else:
            assert built.param_groups[0][key] == before


def test_one_cycle_refuses_what_it_cannot_do() -> None:
    with pytest.raises(UserError, match="Adagrad has no momentum to cycle"):
        OneCycle(cycle_momentum=True).build(torch.optim.Adagrad([nn.Parameter(torch.zeros(1))]), 2, 2, True)
    with pytest.raises(UserError, match="the rise takes no step of the run's 3"):
        rates(OneCycle(pct_start=0.25), epochs=1, steps=3)
    with pytest.raises(UserError, match=r"rise and fall take 2 · pct_start = 1\.2 of the run"):
        OneCycle(three_phase=True, pct_start=0.6)


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 2), (2, 1), (1, 7)])
@pytest.mark.parametrize("make", SCHEDULES)
def test_the_shortest_runs_work(make: Callable[[], Schedule], epochs: int, steps: int) -> None:
    schedule = make()
    if isinstance(schedule, CosineSchedule):
        schedule = CosineSchedule(warmup=0.5)
    seen = rates(schedule, epochs=epochs, steps=steps)
    assert all(0 <= rate <= 1 for rate in seen)


def test_plateau_drops_when_the_metric_stops_improving_in_its_direction() -> None:
    falling = [0.9, 0.8, 0.7, 0.7, 0.7, 0.7]
    plateau = Plateau(patience=1, factor=0.5)
    # Lower is better: the third epoch was the last that improved, and one more is let pass.
    expected = [1, 1, 1, 1, 1, 0.5, 0.5]
    assert by_epoch(plateau, metric=falling.__getitem__, higher_is_better=False) == pytest.approx(expected)
    assert by_epoch(plateau, metric=falling.__getitem__) == pytest.approx([1, 1, 1, 0.5, 0.5, 0.25, 0.25])
    rising = [1 - value for value in falling]
    assert by_epoch(plateau, metric=rising.__getitem__) == pytest.approx(expected)


def test_every_field_of_plateau_counts() -> None:
    def flat(epoch: int) -> float:
        return 0.5

    def creeping(epoch: int) -> float:
        return 0.5 + 0.01 * epoch

    plain = Plateau(patience=0, factor=0.5)
    assert by_epoch(plain, metric=flat) == pytest.approx([1, 1, 2**-1, 2**-2, 2**-3, 2**-4, 2**-5])
    cooled = Plateau(patience=0, factor=0.5, cooldown=1)
    assert by_epoch(cooled, metric=flat) == pytest.approx([1, 1, 0.5, 0.5, 0.25, 0.25, 0.125])
    floored = Plateau(patience=0, factor=0.5, min_lr=0.3)
    assert by_epoch(floored, metric=flat) == pytest.approx([1, 1, 0.5, 0.3, 0.3, 0.3, 0.3])
    too_small = Plateau(patience=0, factor=0.5, eps=0.4)
    assert by_epoch(too_small, metric=flat) == pytest.approx([1, 1, 0.5, 0.5, 0.5, 0.5, 0.5])
    # A step of 0.01 is 2 % of the value.
    for mode, threshold, drops in (("abs", 0.005, 0), ("abs", 0.015, 1), ("rel", 0.015, 0), ("rel", 0.025, 1)):
        schedule = Plateau(patience=0, factor=0.5, threshold=threshold, threshold_mode=mode)
        assert (by_epoch(schedule, metric=creeping)[-1] < 1) == bool(drops)


@pytest.mark.parametrize("make", SCHEDULES)
def test_groups_keep_the_ratio_of_their_rates(make: Callable[[], Schedule]) -> None:
    schedule = make()
    groups: list[dict[str, Any]] = [{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (1.0, 0.01)]
    optimizer = SGD().build(groups)
    scheduler: Any = schedule.build(optimizer, EPOCHS, STEPS, True)
    for step in range(8):
        first, second = optimizer.param_groups
        assert second["lr"] == pytest.approx(first["lr"] / 100)
        optimizer.step()
        scheduler.step(*[float(-step)] * isinstance(schedule, Plateau))


class Loop:
    """A training loop in small: noisy gradients, and a metric that goes up and down."""

    def __init__(self, optimizer: Optimizer, schedule: Schedule) -> None:
        torch.manual_seed(5)
        self.model = nn.Linear(3, 2).double()
        groups: list[dict[str, Any]] = [{"params": [self.model.weight]}, {"params": [self.model.bias], "lr": 0.02}]
        self.optimizer = optimizer.build(groups)
        self.scheduler: Any = schedule.build(self.optimizer, EPOCHS, STEPS, True)
        self.schedule = schedule

    def train(self, start: int, stop: int) -> list[float]:
        seen = []
        for step in range(start, stop):
            noise = torch.Generator().manual_seed(step)
            self.optimizer.zero_grad()
            loss: Tensor = self.model(torch.randn(4, 3, generator=noise, dtype=torch.float64)).square().sum()
            loss.backward()
            self.optimizer.step()
            if self.schedule.every == "step":
                self.scheduler.step()
            elif (step + 1) % STEPS == 0:
                self.scheduler.step(*[math.sin(step)] * isinstance(self.schedule, Plateau))
            seen += [group["lr"] for group in self.optimizer.param_groups]
        return seen

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.scheduler.state_dict(),
        }


@pytest.mark.parametrize("stop", [3, 2 * STEPS])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_stored_state_goes_on_as_if_never_stopped(
    optimizer: Callable[[], Optimizer], schedule: Callable[[], Schedule], stop: int
) -> None:
    whole = Loop(optimizer(), schedule())
    rates = whole.train(0, EPOCHS * STEPS)
    first = Loop(optimizer(), schedule())
    seen = first.train(0, stop)
    file = io.BytesIO()
    torch.save(first.state(), file)
    file.seek(0)
    stored = torch.load(file, weights_only=True)
    second = Loop(optimizer(), schedule())
    second.model.load_state_dict(stored["model"])
    second.optimizer.load_state_dict(stored["optimizer"])
    second.scheduler.load_state_dict(stored["schedule"])
    seen += second.train(stop, EPOCHS * STEPS)
    assert seen == rates
    for one, other in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SGD(lr=0),
        lambda: SGD(momentum=1),
        lambda: Adam(beta1=1.0),
        lambda: AdamW(weight_decay=-1),
        lambda: CosineSchedule(final=1.5),
        lambda: OneCycle(pct_start=0),
        lambda: OneCycle(anneal_strategy="linaer"),
        lambda: StepSchedule(step_size=0),
        lambda: Exponential(gamma=1.1),
        lambda: Plateau(factor=1.0),
        lambda: Plateau(threshold_mode="relative"),
    ],
)
def test_values_out_of_range_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()
