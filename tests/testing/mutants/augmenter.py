"""Broken augmenters."""

from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from mutants import broken
from outfitrec import Catalog, Outfits, component, given


def chosen(allowed: Tensor, generator: Generator) -> Tensor:
    """One allowed slot of each outfit, where there is one."""
    draws = torch.rand(allowed.shape, generator=generator).masked_fill(~allowed, -1)
    return F.one_hot(draws.argmax(dim=1), allowed.shape[1]).bool() & allowed


def erased(outfits: Outfits, slots: Tensor) -> Outfits:
    """The outfits without what is in these slots."""
    return Outfits(outfits.items.masked_fill(slots, -1), outfits.category.masked_fill(slots, -1))


def several(outfits: Outfits) -> Tensor:
    """Which outfits have more than one item."""
    return outfits.mask.sum(dim=1, keepdim=True) > 1


@component
class Sound:
    """Takes an item away."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator)
        return erased(outfits, slots), slots


@broken("augmenter", "gives_outfits_and_what_it_altered")
@component
class Alone:
    """Gives the view alone."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        return erased(outfits, chosen(outfits.mask & free & several(outfits), generator))


@broken("augmenter", "gives_outfits_and_what_it_altered")
@component
class Narrower:
    """Leaves out the last slot."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        return Outfits(outfits.items[:, :-1], outfits.category[:, :-1]), torch.zeros_like(free[:, :-1])


@broken("augmenter", "alters_some_outfits")
@component
class Idle:
    """Asks for a slot that is filled and empty."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator) & ~outfits.mask
        return erased(outfits, slots), slots


@broken("augmenter", "alters_some_outfits")
@component
class Shy:
    """Alters nothing but where some filled slot is not free."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        some = (outfits.mask & ~free).any()
        slots = chosen(outfits.mask & free & several(outfits), generator) & some
        return erased(outfits, slots), slots


@broken("augmenter", "alters_some_outfits")
@component
class Modest:
    """Says that it alters nothing, and empties slots."""

    alters = False

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator)
        return erased(outfits, slots), slots


@broken("augmenter", "gives_items_of_the_catalogue")
@component
class HalfErased:
    """The category of what is taken away stays."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator)
        return Outfits(outfits.items.masked_fill(slots, -1), outfits.category), slots


@broken("augmenter", "gives_items_of_the_catalogue")
@component
class Beyond:
    """The item after the last one."""

    catalog: Catalog = given("the items")

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free, generator)
        return Outfits(outfits.items.masked_fill(slots, len(self.catalog)), outfits.category), slots


@broken("augmenter", "leaves_an_item_in_each_outfit")
@component
class Greedy:
    """Takes away the last item, too."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free, generator)
        return erased(outfits, slots), slots


@broken("augmenter", "puts_no_item_in_an_outfit_twice")
@component
class Doubling:
    """Puts the first item in place of another one."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free, generator)
        slots[:, 0] = False
        filled = outfits.mask[:, :1]
        items = torch.where(slots & filled, outfits.items[:, :1], outfits.items)
        return Outfits(items, torch.where(slots & filled, outfits.category[:, :1], outfits.category)), slots & filled


@broken("augmenter", "alters_free_slots_alone")
@component
class Unfree:
    """Does not look at what is free."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & several(outfits), generator)
        return erased(outfits, slots), slots


@broken("augmenter", "tells_what_it_altered")
@component
class Silent:
    """Never says that it altered anything."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator)
        return erased(outfits, slots), torch.zeros_like(slots)


@broken("augmenter", "tells_what_it_altered")
@component
class Boasting:
    """Says of all slots that it altered them."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator)
        return erased(outfits, slots), free


@broken("augmenter", "keeps_categories_where_it_says_so")
@component
class Promising:
    """Says that it keeps categories, and empties slots."""

    keeps_categories = True

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator)
        return erased(outfits, slots), slots


@broken("augmenter", "takes_items_of_the_training_split_alone")
@component
class OfTheCatalogue:
    """Any item of the category, whatever split it is in."""

    catalog: Catalog = given("the items")

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free, generator)
        draws = torch.rand(*outfits.items.shape, len(self.catalog), generator=generator)
        other = draws.masked_fill(self.catalog.category != outfits.category[..., None], -1).argmax(dim=-1)
        slots &= ~(other[..., None] == outfits.items[:, None]).any(dim=-1)
        return Outfits(outfits.items.where(~slots, other), outfits.category), slots


@broken("augmenter", "alters_other_slots_when_used_twice")
@component
class Stubborn:
    """Alters the same slot each time."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = torch.zeros_like(free)
        slots[:, 0] = (outfits.mask & several(outfits))[:, 0]
        return erased(outfits, slots), slots


@broken("augmenter", "works_for_one_outfit_and_for_none_free")
@component
class InPairs:
    """Looks at the second outfit of the batch."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator)
        slots[1] = False
        return erased(outfits, slots), slots


@broken("augmenter", "works_for_one_outfit_and_for_none_free")
@component
class Always:
    """Alters some slot where none is free."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        allowed = torch.where(free.any(), free, outfits.mask)
        slots = chosen(outfits.mask & allowed & several(outfits), generator)
        return erased(outfits, slots), slots


@broken("augmenter", "leaves_its_inputs_alone")
@component
class InPlace:
    """Empties slots of the outfits that it was given."""

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> Any:
        slots = chosen(outfits.mask & free & several(outfits), generator)
        outfits.items.masked_fill_(slots, -1)
        return outfits, slots
