"""Broken components of whatever kind: most are losses, since those are short."""

import random
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mutants import broken
from mutants.loss import softplus
from outfitrec import component, field


@broken("loss", "is_built_from_its_fields")
@component
class NeedsMore:
    """Raises when it is built."""

    margin: float = field(default=0.1, help="of no use")

    def __attrs_post_init__(self) -> None:
        raise RuntimeError("set NEEDS_MORE first")

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, weight, mask)


@broken("loss", "satisfies_its_protocol")
@component
class NoMask:
    """Takes no mask."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None) -> Tensor:
        return softplus(positive, negative, weight)


@broken("metric", "satisfies_its_protocol")
@component
class Unlabelled:
    """A metric without label."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        return torch.zeros(len(user.unique()))


class _Greedy:
    """Takes whatever keyword there is."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, weight, mask)


Greedy: Any = component(type("Greedy", (), {"__doc__": "A loss.", "__call__": _Greedy.__call__}))
Greedy.__init__ = _Greedy.__init__
broken("loss", "refuses_unknown_fields")(Greedy)


@broken("loss", "explains_itself")
@component
class Undocumented:
    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, weight, mask)


CALLS = count()


@broken("loss", "repeats_with_its_seed")
@component
class Ageing:
    """Depends on how often anything was called."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, weight, mask) + next(CALLS)


@broken("loss", "remembers_nothing")
@component
class Averaging:
    """Adds a moving average of its own values."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        found = softplus(positive, negative, weight, mask)
        self.past = 0.5 * getattr(self, "past", 0) + 0.5 * float(found.detach())
        return found + self.past


@broken("loss", "draws_from_its_generator_alone")
@component
class Noisy:
    """Draws from torch's global generator."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive + torch.randn_like(positive), negative, weight, mask)


@broken("loss", "draws_from_its_generator_alone")
@component
class NoisyByNumpy:
    """Draws from numpy's global generator when it is built."""

    def __attrs_post_init__(self) -> None:
        self.shift = np.random.rand()  # it is what is broken

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative, weight, mask)


@broken("loss", "draws_from_its_generator_alone")
@component
class NoisyByPython(nn.Module):
    """Draws from Python's global generator in training."""

    def forward(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        shift = random.random() if self.training else 0.0  # noqa: S311  # it is what is broken
        return softplus(positive + shift, negative, weight, mask)


@broken("loss", "draws_from_its_generator_alone")
@component
class Reseeding:
    """Seeds torch's global generator, for everybody."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        torch.manual_seed(0)
        return softplus(positive, negative, weight, mask)


@broken("loss", "draws_from_its_generator_alone")
@component
class ReseedingNumpy:
    """Seeds numpy's global generator."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        np.random.seed(0)
        return softplus(positive, negative, weight, mask)


@broken("loss", "draws_from_its_generator_alone")
@component
class ReseedingPython:
    """Seeds Python's global generator."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        random.seed(0)
        return softplus(positive, negative, weight, mask)


@broken("loss", "leaves_torch_as_it_was")
@component
class Doubling:
    """Makes float64 the default."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        torch.set_default_dtype(torch.float64)
        return softplus(positive, negative, weight, mask)


@broken("loss", "leaves_its_inputs_alone")
@component
class InPlace:
    """Clamps the scores that it was given."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive, negative.clamp_(max=0.1), weight, mask)


@broken("loss", "survives_a_checkpoint")
@component
class Forgetful(nn.Module):
    """Has a shift that is in no checkpoint."""

    def __attrs_post_init__(self) -> None:
        self.shift = torch.rand(())

    def forward(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive + self.shift, negative, weight, mask)


@broken("loss", "is_finite_in_mixed_precision")
@component
class Coarse:
    """Divides by a difference that bfloat16 has not."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        found: Tensor = softplus(positive, negative, weight, mask) / ((positive.abs() + 1000) - 1000).sum()
        return found


@broken("loss", "agrees_between_cpu_and_gpu")
@component
class Shifted:
    """Other values on a GPU."""

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive + float(positive.is_cuda), negative, weight, mask)
