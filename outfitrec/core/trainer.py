"""The one trainer. Devices, precision and processes are Lightning Fabric's business."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from outfitrec.core.batches import Batches
from outfitrec.core.checkpoints import Checkpoints
from outfitrec.core.errors import RecipeError, RunError
from outfitrec.core.groups import parameter_groups, within
from outfitrec.core.program import Program
from outfitrec.core.progress import Advance, Progress
from outfitrec.core.seeds import seed_of
from outfitrec.core.settings import TrainSettings
from outfitrec.core.team import Team
from outfitrec.protocols import Optimizer, Schedule

# Steps between two looks at the loss on a device where looking waits for it.
LOOK = 20


@attrs.define
class Fitted:
    """What training left behind.

    Attributes:
        epochs: Epochs that were trained.
        best_epoch: Epoch with the best validation value, from 1; the last where none is computed.
        best: That value; NaN where none is computed.
        figures: Mean of each logged figure over the last epoch.
        first: The same over the first epoch.
        seconds: Time spent training, validation apart.
        idle: Parts of the model that no objective reached in the first epoch.
    """

    epochs: int = 0
    best_epoch: int = 0
    best: float = math.nan
    figures: dict[str, float] = attrs.field(factory=dict)
    first: dict[str, float] = attrs.field(factory=dict)
    seconds: float = 0.0
    idle: list[str] = attrs.field(factory=list)


@attrs.frozen
class Direction:
    """Which way a validation metric is better."""

    label: str
    higher: bool

    def better(self, new: float, old: float) -> bool:
        """Whether ``new`` beats ``old``. NaN never does, and is always beaten."""
        if math.isnan(new):
            return False
        return math.isnan(old) or (new > old if self.higher else new < old)


class Trainer:
    """Trains a program.

    Args:
        fabric: Device, precision and processes.
        program: Recommender and objectives.
        batches: What each step draws.
        settings: The recipe's ``train``.
        optimizer: The optimiser component.
        schedule: The schedule component.
        direction: Metric that selects the best epoch; None for the last epoch, which needs no validation.
        validate: Gives the validation metrics of the program as it stands.
        record: Receives a line of figures an epoch.
        checkpoints: Where the state is kept.
        progress: Told how it goes.

    Raises:
        RecipeError: The settings do not go together.
    """

    def __init__(
        self,
        fabric: Fabric,
        program: Program,
        batches: Batches,
        settings: TrainSettings,
        *,
        optimizer: Optimizer,
        schedule: Schedule,
        direction: Direction | None,
        validate: Callable[[Team], Mapping[str, float]],
        record: Callable[[Mapping[str, Any]], None],
        checkpoints: Checkpoints,
        progress: Progress,
    ) -> None:
        self._fabric = fabric
        self._program = program
        self._batches = batches
        self._settings = settings
        self._direction = direction
        self._validate = validate
        self._record = record
        self._checkpoints = checkpoints
        self._progress = progress
        scale = settings.batch / settings.lr_batch if settings.lr_batch else 1.0
        # What is frozen needs no settings, whatever a base recipe says of it.
        asked = {
            key: one for key, one in settings.groups.items() if not any(within(key, part) for part in program.frozen)
        }
        groups = parameter_groups(program.trainable(), asked, optimizer.lr, scale)
        self._schedule_every = schedule.every
        self._made = optimizer.build(groups)
        higher = direction.higher if direction else False
        self._schedule = schedule.build(self._made, max(settings.epochs, 1), batches.steps, higher)
        if direction is None and isinstance(self._schedule, ReduceLROnPlateau):
            message = "train.schedule: it follows the validation value, and train.select names no metric"
            raise RecipeError(message, hint="name a metric, or choose another schedule")
        self._sums: dict[str, float] = {}
        self._fitted = Fitted()
        self._idle = dict(program.trainable())

    def fit(self, team: Team) -> Fitted:
        """Train from the last checkpoint, or from the start; leave the program as it was at the best epoch.

        Args:
            team: The processes that train together; the leader alone writes.

        Raises:
            RunError: The loss is not finite, a checkpoint is damaged, or no epoch has a defined validation value.
        """
        self._team = team
        self._program.join(team)
        self._wrapped, self._optimizer = self._fabric.setup(self._program, self._made)
        start = self._restore()
        done = self._fitted.epochs * self._batches.count
        with self._progress.task(
            "training", self._settings.epochs * self._batches.count, f"{self._batches.unit}s"
        ) as advance:
            advance(done)
            while self._fitted.epochs < self._settings.epochs and not self._out_of_patience():
                self._epoch(self._fitted.epochs, start, advance)
                start = 0
        if self._direction is not None:
            best = self._load("best")
            if best is None:
                raise RunError(f"no epoch has a defined {self._direction.label} on the validation split")
            self._program.load_state_dict(best["program"])
        return self._fitted

    def _epoch(self, epoch: int, start: int, advance: Advance) -> None:
        began = time.perf_counter()
        order = self._batches.order(epoch)
        self._wrapped.train()
        every = self._settings.checkpoint_steps or 0
        look = 1 if self._fabric.device.type == "cpu" else LOOK
        waiting: list[tuple[int, dict[str, Tensor]]] = []
        for step in range(start, self._batches.steps):
            waiting.append((step, self._step(order, epoch, step)))
            last = step + 1 == self._batches.steps
            due = every > 0 and (step + 1) % every == 0 and not last
            # A checkpoint holds the figures of all its steps, and never a state that is not finite.
            if len(waiting) == look or last or due:
                loss = self._look(epoch, waiting)
                size = sum(len(order[k * self._settings.batch : (k + 1) * self._settings.batch]) for k, _ in waiting)
                advance(size, loss=loss, **self._shown())
                waiting = []
            if due:
                self._save(epoch, step + 1)
        figures = {name: total / self._batches.steps for name, total in self._sums.items()}
        self._sums = {}
        rates = [group["lr"] for group in self._optimizer.param_groups]
        trained = time.perf_counter() - began
        self._fitted.seconds += trained
        values = dict(self._validate(self._team)) if self._direction else {}
        value = values[self._direction.label] if self._direction else math.nan
        if self._schedule_every == "epoch":
            if isinstance(self._schedule, ReduceLROnPlateau):
                self._schedule.step(value)
            else:
                self._schedule.step()
        self._fitted.epochs = epoch + 1
        self._fitted.figures = figures
        if not self._fitted.first:
            self._fitted.first = figures
            self._fitted.idle = sorted({".".join(name.split(".")[:2]) for name in self._idle})
        better = self._direction is not None and self._direction.better(value, self._fitted.best)
        if better or self._direction is None:
            self._fitted.best, self._fitted.best_epoch = value, epoch + 1
        if self._team.leads:
            self._note(epoch, start, figures, values, rates, began, trained)
        self._save(epoch + 1, 0)
        if better:
            self._save_best()

    def _note(
        self,
        epoch: int,
        start: int,
        figures: Mapping[str, float],
        values: Mapping[str, float],
        rates: list[float],
        began: float,
        trained: float,
    ) -> None:
        self._record(
            {
                "epoch": epoch + 1,
                "train": figures,
                "valid": values,
                "lr": rates,
                "seconds": round(time.perf_counter() - began, 3),
                "pairs_per_second": round((self._batches.count - start * self._settings.batch) / max(trained, 1e-9), 1),
            }
        )

    def _shown(self) -> dict[str, float]:
        """The best validation value so far, for people."""
        if self._direction is None or math.isnan(self._fitted.best):
            return {}
        return {self._direction.label: self._fitted.best}

    def _step(self, order: Tensor, epoch: int, step: int) -> dict[str, Tensor]:
        try:
            return self._advance(order, epoch, step)
        except Exception as error:
            # It may come of anybody's component: the traceback says of which, and this when.
            error.add_note(self._at(epoch, step))
            raise

    def _advance(self, order: Tensor, epoch: int, step: int) -> dict[str, Tensor]:
        # A plugin that draws from torch's own generator repeats too, and draws the same in every process.
        torch.manual_seed(seed_of(self._settings.seed, "draws", epoch, step))
        batch, generator = self._batches.draw(order, epoch, step)
        for role, outfits in batch.roles().items():
            self._program.recommender.check_sizes(outfits, f"outfits of the step: {role}")
        # Dropout draws from torch's own generator: seeded for the step, like every other draw.
        torch.manual_seed(seed_of(self._settings.seed, "dropout", epoch, step, self._fabric.global_rank))
        loss, figures = self._wrapped(batch.to(self._fabric.device), epoch, generator)
        self._optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(loss)
        self._idle = {name: one for name, one in self._idle.items() if one.grad is None}
        self._clip()
        self._optimizer.step()
        if self._schedule_every == "step":
            self._schedule.step()
        return dict(figures)

    def _clip(self) -> None:
        if self._settings.clip_norm is not None:
            self._fabric.clip_gradients(
                self._wrapped, self._optimizer, max_norm=self._settings.clip_norm, error_if_nonfinite=False
            )
        if self._settings.clip_value is not None:
            self._fabric.clip_gradients(self._wrapped, self._optimizer, clip_val=self._settings.clip_value)

    def _look(self, epoch: int, waiting: list[tuple[int, dict[str, Tensor]]]) -> float:
        loss = math.nan
        for step, figures in waiting:
            values = {name: float(value) for name, value in figures.items()}
            loss = values["loss"]
            if not math.isfinite(loss):
                raise RunError(self._obituary(epoch, step, values), hint="lower the learning rate, or clip gradients")
            for name, value in values.items():
                self._sums[name] = self._sums.get(name, 0.0) + value
        return loss

    def _obituary(self, epoch: int, step: int, values: Mapping[str, float]) -> str:
        terms = ", ".join(f"{name} {value:g}" for name, value in values.items())
        rates = ", ".join(f"{group['lr']:g}" for group in self._optimizer.param_groups)
        sick = [name for name, p in self._program.trainable() if not torch.isfinite(p).all()]
        before = (
            f" The mean loss of the epoch before that step was {self._sums['loss'] / step:g}."
            if step and self._sums.get("loss")
            else ""
        )
        parameters = (
            f" Parameters that are not finite: {', '.join(sick[:5])}{' …' if len(sick) > 5 else ''}." if sick else ""
        )
        return f"the loss is not finite {self._at(epoch, step)}: {terms}; learning rate {rates}.{before}{parameters}"

    def _at(self, epoch: int, step: int) -> str:
        return f"in epoch {epoch + 1}, step {step + 1} of {self._batches.steps}"

    def _out_of_patience(self) -> bool:
        patience = self._settings.patience
        return patience is not None and self._fitted.epochs - self._fitted.best_epoch >= patience

    def _save(self, epoch: int, step: int) -> None:
        if not self._team.leads:
            return
        state = {
            "epoch": epoch,
            "step": step,
            "program": self._program.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "precision": self._fabric.strategy.precision.state_dict(),
            "sums": self._sums,
            "fitted": attrs.asdict(self._fitted),
        }
        self._checkpoints.save("last", state)

    def _save_best(self) -> None:
        """Save the program as that of the best epoch, which the last checkpoint names by now.

        In this order the two never disagree, and no checkpoint is written over itself: an epoch may be trained again
        after one that a killed process did not save.
        """
        if self._team.leads:
            self._checkpoints.save("best", {"epoch": self._fitted.best_epoch, "program": self._program.state_dict()})

    def _restore(self) -> int:
        """Take up the last checkpoint; the step of its epoch to start from."""
        state = self._load("last")
        if state is None:
            return 0
        self._program.load_state_dict(state["program"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._fabric.strategy.precision.load_state_dict(state["precision"])
        self._sums = dict(state["sums"])
        self._fitted = Fitted(**state["fitted"])
        step = int(state["step"])
        if self._direction is not None and step == 0 and self._fitted.best_epoch == self._fitted.epochs:
            # The process may have been killed between this checkpoint and that of the best epoch, which it is.
            best = self._load("best")
            if best is None or best["epoch"] != self._fitted.best_epoch:
                self._save_best()
        return step

    def _load(self, name: str) -> dict[str, Any] | None:
        """A checkpoint, read by the leader for all processes."""
        state: dict[str, Any] | None = self._team.broadcast(self._checkpoints.load(name) if self._team.leads else None)
        return state
