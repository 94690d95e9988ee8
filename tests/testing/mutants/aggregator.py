"""Broken aggregators."""

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from mutants import broken
from outfitrec import component


def mean(items: Tensor, mask: Tensor) -> Tensor:
    """Mean of the items that are there."""
    present = mask.unsqueeze(-1)
    return items.masked_fill(~present, 0).sum(dim=1) / mask.sum(dim=1, keepdim=True)


@component
class Sound(nn.Module):
    """Keeps to all of it."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        return mean(items, mask)


class Two(NamedTuple):
    """Mean and number of items."""

    mean: Tensor
    number: Tensor


@component
class Ordered(nn.Module):
    """The first item counts twice, as it says."""

    ordered: ClassVar[str] = "slots"

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Two:
        first = items[torch.arange(len(items)), mask.int().argmax(dim=1)]
        return Two(mean(items, mask) + first, mask.sum(dim=1))


@component
class Pooling(nn.Module):
    """The largest entry, which one item has, and an embedding dropped out by a function."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        largest = items.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(dim=1)
        return nn.functional.dropout(largest, 0.5, self.training)


@broken("aggregator", "gives_a_state_for_each_outfit")
@component
class Squeezed(nn.Module):
    """Loses the dimension of the outfits where there is one."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        return mean(items, mask).squeeze()


@broken("aggregator", "gives_a_state_for_each_outfit")
@component
class Mapped(nn.Module):
    """A dictionary."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Any:
        return {"mean": mean(items, mask)}


@broken("aggregator", "gives_a_state_for_each_outfit")
@component
class Total(nn.Module):
    """The number of items of all outfits beside their means."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Two:
        return Two(mean(items, mask), mask.sum())


@broken("aggregator", "keeps_the_type_of_its_state")
@component
class Fickle(nn.Module):
    """A tensor in evaluation, a tuple in training."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Any:
        found = mean(items, mask)
        return Two(found, mask.sum(dim=1)) if self.training else found


@broken("aggregator", "does_not_depend_on_the_order_of_slots")
@component
class FirstMost(nn.Module):
    """The first item counts twice, and nothing says so."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        first = items[torch.arange(len(items)), mask.int().argmax(dim=1)]
        return mean(items, mask) + first


@broken("aggregator", "does_not_depend_on_the_order_of_slots")
@component
class MoreOrdered(FirstMost):
    """Says that the order within a category counts, and all of it does."""

    ordered: ClassVar[str] = "category"


@broken("aggregator", "does_not_depend_on_the_order_of_slots")
@component
class Misspelt(FirstMost):
    """Says what is not known."""

    ordered: ClassVar[bool] = True


@broken("aggregator", "ignores_further_empty_slots")
@component
class OverAllSlots(nn.Module):
    """Divides by the number of slots."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        return items.mean(dim=1)


@broken("aggregator", "ignores_further_empty_slots")
@component
class Slotted(nn.Module):
    """Keeps the slots, and names no preference that reads them."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        return items * mask.unsqueeze(-1)


@broken("aggregator", "ignores_what_is_in_empty_slots")
@component
class Trusting(nn.Module):
    """Takes empty slots for zeros."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        return items.sum(dim=1) / mask.sum(dim=1, keepdim=True)


@broken("aggregator", "passes_no_gradient_to_empty_slots")
@component
class Leaking(nn.Module):
    """The value of empty slots is taken off again, their gradient is not."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        empty = items.masked_fill(mask.unsqueeze(-1), 0)
        return mean(items, mask) + (empty - empty.detach()).sum(dim=1)


@broken("aggregator", "passes_a_gradient_to_the_items")
@component
class Detached(nn.Module):
    """The encoder learns nothing."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        return mean(items.detach(), mask)


@broken("aggregator", "treats_each_outfit_alone")
@component
class Centred(nn.Module):
    """Takes the mean of the batch off."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        found = mean(items, mask)
        return found - found.mean(dim=0)


@broken("aggregator", "takes_the_smallest_outfits")
@component
class Deviating(nn.Module):
    """The deviation of items, which a single one has not."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        centre = mean(items, mask)
        spread = (items - centre.unsqueeze(1)).square().masked_fill(~mask.unsqueeze(-1), 0).sum(dim=1)
        return (spread / (mask.sum(dim=1, keepdim=True) - 1)).sqrt()


@broken("aggregator", "takes_the_smallest_outfits")
@component
class RootOfNothing(nn.Module):
    """The deviation of items, which is finite for a single one, and its gradient is not."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        spread = (items - mean(items, mask).unsqueeze(1)).square()
        return mean(spread, mask).sqrt()


@broken("aggregator", "takes_the_smallest_outfits")
@component
class Wordy(Sound):
    """Says in a word how many items it needs."""

    fewest: ClassVar[float] = 0.5


@broken("aggregator", "takes_large_outfits")
@component
class Placed(nn.Module):
    """Has weights for four items alone, the rest of which it gives none."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        number = mask.sum(dim=1, keepdim=True)
        return mean(items, mask) / (number <= 4)
