"""The processes of a training.

Every process draws the whole step and sees the whole step; the encoding alone is divided. Each encodes its part of the
distinct items, then its part of the outfits, and what they found is put together before any objective reads it.
Objectives, metrics and plugins therefore need to know nothing of processes, and each item of a step is encoded once
among all of them.
"""

from typing import Any, Protocol, TypeVar, runtime_checkable

import attrs
import torch
from torch import Tensor
from torch import distributed as dist


@runtime_checkable
class Rows(Protocol):
    """Anything with rows: a tensor, outfits, crops."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Tensor, /) -> Any: ...


R = TypeVar("R", bound=Rows)


@attrs.frozen
class Team:
    """One of several processes that train together.

    Attributes:
        rank: Number of this process, from 0.
        size: Number of processes.
        group: torch's process group of what the team sends. It is not that of the gradients: a parameter that one
            process has no use for is ready there before anything is sent, and the two would be taken for each other.
    """

    rank: int = 0
    size: int = 1
    group: Any = attrs.field(default=None, eq=False, repr=False)

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and talks."""
        return self.rank == 0

    def part(self, rows: R) -> R:
        """The rows of this process: as many for each, the last row again where they do not divide evenly."""
        if self.size == 1:
            return rows
        each = -(-len(rows) // self.size)
        index = torch.arange(self.rank * each, (self.rank + 1) * each).clamp(max=len(rows) - 1)
        device = rows.device if isinstance(rows, Tensor) else "cpu"
        found: R = rows[index.to(device)]
        return found

    def whole(self, part: Tensor, count: int) -> Tensor:
        """All ``count`` rows, of the parts of all processes. Its gradient is the sum of all processes' gradients.

        A loss that every process computes from it alike thus counts once for each process, and the mean over
        processes that follows is its gradient.
        """
        if self.size == 1:
            return part
        found: Tensor = _Whole.apply(part, self)
        return found[:count]

    def broadcast(self, value: Any) -> Any:
        """What the leader gives, in every process: tensors on the CPU and plain values."""
        if self.size == 1:
            return value
        held = [value]
        dist.broadcast_object_list(held, src=0, group=self.group, device=torch.device("cpu"))
        return held[0]


ALONE = Team()


class _Whole(torch.autograd.Function):
    """The parts of all processes, one after the other."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, team: Team) -> Tensor:
        ctx.team = team
        parts = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(team.size)]
        dist.all_gather(parts, part.contiguous(), group=team.group)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].contiguous()
        # all_reduce works in place, and the gradient may be somebody else's.
        total = total.clone()
        dist.all_reduce(total, group=ctx.team.group)
        return total.chunk(ctx.team.size)[ctx.team.rank], None
