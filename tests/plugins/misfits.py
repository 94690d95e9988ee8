"""A plugin file for tests: parts of a model that fit no others."""

from typing import NamedTuple

from torch import Tensor, nn

from outfitrec import component
from outfitrec.hooks import Register, hookimpl


class Two(NamedTuple):
    """A state of two tensors."""

    one: Tensor
    other: Tensor


@component
class Several(nn.Module):
    """Gives two tensors, where others want one."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Two:
        return Two(items.sum(dim=1), items.sum(dim=1))


@component
class Flat(nn.Module):
    """Gives the outfits back, and no scores."""

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        return state


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's components."""
    register.component("aggregator", "several", ":Several", "a state of two tensors")
    register.component("preference", "flat", ":Flat", "no scores")
