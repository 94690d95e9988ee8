"""Broken objectives."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from mutants import broken
from outfitrec import Outfits, component, field


def softplus(step: Any) -> Tensor:
    """A value that keeps to the contract."""
    return F.softplus(step.negative - step.positive[:, None]).mean()


@component
class Sound:
    """Keeps to all of it."""

    weight: float = field(default=1.0, minimum=0, help="factor in the sum of objectives")
    label: str = field(default="sound", help="name in logs and overrides")

    unit = "pair"
    needs_teacher = False

    def extra(self, batch: Any, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Any) -> Tensor:
        return softplus(step)


@component
class Late(Sound):
    """Keeps to all of it: begins in the tenth epoch, with the teacher, and says so."""

    needs_teacher = True

    def __call__(self, step: Any) -> Tensor:
        if step.epoch < 10:
            return torch.zeros(())
        step.log(f"{self.label}.teacher", step.teacher_positive.mean())
        found: Tensor = softplus(step) + (step.positive - step.teacher_positive).square().mean()
        return found

    def report(self, means: Mapping[str, float]) -> Iterable[str]:
        if means.get(self.label) == 0:
            yield "it never began"


@component
class OfItems(Sound):
    """Keeps to all of it: of items."""

    unit = "item"

    def __call__(self, step: Any) -> Tensor:
        found: Tensor = step.items.square().mean()
        return found


@broken("objective", "draws_one_of_the_units")
@component
class OfUsers(Sound):
    """Draws what no step has."""

    unit = "user"


@component
class _Scaled(Sound):
    def __call__(self, step: Any) -> Tensor:
        return self.weight * softplus(step)


@broken("objective", "takes_label_and_weight_from_its_fields")
@component
class Weighted(_Scaled):
    """Multiplies by its own weight."""


@broken("objective", "takes_label_and_weight_from_its_fields")
@component
class Nameless:
    """Has a fixed label and weight."""

    label = "nameless"
    weight = 1.0
    unit = "pair"
    needs_teacher = False
    extra = Sound.extra

    def __call__(self, step: Any) -> Tensor:
        return softplus(step)


@broken("objective", "takes_label_and_weight_from_its_fields")
@component
class FixedRole(Sound):
    """Looks for what it asked for under another label than its own."""

    label: str = field(default="fixed", help="name in logs and overrides")

    def extra(self, batch: Any, generator: Generator) -> Outfits | None:
        return batch.positives  # type: ignore[no-any-return]  # a batch of anything

    def __call__(self, step: Any) -> Tensor:
        found: Tensor = step.state("fixed").square().mean()
        return found


@broken("objective", "asks_for_valid_outfits")
@component
class AsksForNothing(Sound):
    """Asks for outfits without items."""

    def extra(self, batch: Any, generator: Generator) -> Outfits | None:
        positives = batch.positives
        return Outfits(torch.full_like(positives.items, -1), torch.full_like(positives.category, -1))


@broken("objective", "asks_for_valid_outfits")
@component
class AsksForStrangers(Sound):
    """Asks for items with categories of others."""

    def extra(self, batch: Any, generator: Generator) -> Outfits | None:
        positives = batch.positives
        return Outfits(positives.items.where(positives.items < 0, positives.items.flip(0)), positives.category.flip(0))


@broken("objective", "asks_for_valid_outfits")
@component
class Emptying(Sound):
    """Empties a slot of the batch itself."""

    def extra(self, batch: Any, generator: Generator) -> Outfits | None:
        batch.positives.items[0, 0] = -1
        return None


@broken("objective", "is_a_scalar")
@component
class ByPair(Sound):
    """One number for each pair."""

    def __call__(self, step: Any) -> Tensor:
        found: Tensor = -step.positive
        return found


@broken("objective", "is_a_scalar")
@component
class Undefined(Sound):
    """The logarithm of scores, which may be negative."""

    def __call__(self, step: Any) -> Tensor:
        found: Tensor = step.positive.log().mean()
        return found


@broken("objective", "trains_something")
@component
class Detached(Sound):
    """No gradient."""

    def __call__(self, step: Any) -> Tensor:
        return softplus(step).detach()


@broken("objective", "trains_something")
@component
class Rooted(Sound):
    """The length of what is 0."""

    def __call__(self, step: Any) -> Tensor:
        found: Tensor = softplus(step) + (step.positive - step.positive).square().sum().sqrt()
        return found


@broken("objective", "trains_its_own_parameters")
@component
class Idle(nn.Module):
    """Has a layer that it does not use."""

    weight: float = field(default=1.0, minimum=0, help="factor in the sum of objectives")
    label: str = field(default="idle", help="name in logs and overrides")

    unit = "pair"
    needs_teacher = False
    extra = Sound.extra

    def __attrs_post_init__(self) -> None:
        self.used, self.unused = nn.Linear(1, 1), nn.Linear(1, 1)

    def forward(self, step: Any) -> Tensor:
        found: Tensor = self.used(softplus(step)[None]).squeeze()
        return found


@broken("objective", "needs_a_teacher_as_it_says")
@component
class Secretive(Sound):
    """Reads the teacher, and does not say so."""

    def __call__(self, step: Any) -> Tensor:
        found: Tensor = softplus(step) + (step.positive - step.teacher_positive).square().mean()
        return found


@broken("objective", "needs_a_teacher_as_it_says")
@component
class Demanding(Sound):
    """Asks for a teacher that it does not read."""

    needs_teacher = True


@broken("objective", "leaves_the_step_alone")
@component
class InPlace(Sound):
    """Clamps the scores of the step."""

    def __call__(self, step: Any) -> Tensor:
        step.negative.clamp_(min=0)
        return softplus(step)


@broken("objective", "leaves_the_step_alone")
@component
class Waking(Sound):
    """Brings the teacher into training mode."""

    needs_teacher = True

    def __call__(self, step: Any) -> Tensor:
        step.teacher.recommender.train()
        return softplus(step)


@broken("objective", "stands_small_steps")
@component
class Standardised(Sound):
    """Divides by the deviation over the pairs."""

    def __call__(self, step: Any) -> Tensor:
        found: Tensor = -(step.positive / step.positive.detach().var().sqrt()).mean()
        return found if len(step.users) > 1 else found * torch.nan


@broken("objective", "takes_negatives_in_every_form")
@component
class AlwaysMasked(Sound):
    """Expects a mask."""

    def __call__(self, step: Any) -> Tensor:
        margin = F.softplus(step.negative - step.positive[:, None])
        found: Tensor = (margin * step.mask).sum() / step.mask.sum()
        return found


@broken("objective", "logs_numbers")
@component
class LogsAll(Sound):
    """Logs the scores."""

    def __call__(self, step: Any) -> Tensor:
        step.log(f"{self.label}.positive", step.positive)
        return softplus(step)


@broken("objective", "logs_numbers")
@component
class LogsItself(Sound):
    """Logs under the name of the sum."""

    def __call__(self, step: Any) -> Tensor:
        step.log("loss", softplus(step))
        return softplus(step)


@broken("objective", "reports_in_words")
@component
class OneText(Sound):
    """Its report is a text, which is one of letters."""

    def report(self, means: Mapping[str, float]) -> Any:
        return f"{self.label} was low" if means.get(self.label) == 0 else ()


@broken("objective", "reports_in_words")
@component
class Presuming(Sound):
    """Expects figures of a run that had no epoch."""

    def report(self, means: Mapping[str, float]) -> Iterable[str]:
        if means[self.label] > 1:
            yield "it is high"
