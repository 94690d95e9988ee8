"""The state of outfits: what an aggregator returns and a preference scores."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

# A tensor, or a named tuple of tensors, whose first dimension is the outfit.
State: TypeAlias = Tensor | tuple[Tensor, ...]


def map_state(function: Callable[[Tensor], Tensor], state: State) -> State:
    """The state with ``function`` applied to each of its tensors."""
    if isinstance(state, Tensor):
        return function(state)
    return _like(state, [function(part) for part in state])


def cat_states(states: Sequence[State]) -> State:
    """The states of all outfits of several batches, in order."""
    first = states[0]
    if isinstance(first, Tensor):
        return torch.cat([one for one in states if isinstance(one, Tensor)])
    return _like(first, [torch.cat(tensors) for tensors in zip(*states, strict=True)])


def _like(state: tuple[Tensor, ...], tensors: Sequence[Tensor]) -> State:
    make: Callable[[Sequence[Tensor]], State] = getattr(type(state), "_make", tuple)
    return make(tensors)
