"""Broken negatives."""

import torch
from torch import Generator

from mutants import broken
from outfitrec import Catalog, Drawn, Outfits, Rows, Split, component, given


def others(split: Split, pairs: Rows, generator: Generator) -> Outfits:
    """Outfits that users other than the pair's posted, one a pair."""
    positives = split.positives
    draws = torch.rand(len(pairs), len(positives), generator=generator)
    return positives.outfits[draws.masked_fill(pairs.users[:, None] == positives.users, -1).argmax(dim=1)]


@component
class Sound:
    """Outfits of others."""

    split: Split = given("the split")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        return Drawn(others(self.split, pairs, generator), shared=False)


@broken("negatives", "gives_negatives_of_each_pair")
@component
class OneTooMany:
    """One more than there are pairs."""

    split: Split = given("the split")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        found = others(self.split, pairs, generator)
        return Drawn(Outfits.cat([found, found[:1]]), shared=False)


@broken("negatives", "gives_negatives_of_each_pair")
@component
class TurnedMask:
    """The mask has pairs and negatives the other way round."""

    split: Split = given("the split")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        found = others(self.split, pairs, generator)
        return Drawn(found, shared=False, mask=torch.ones(1, len(found), dtype=torch.bool))


@broken("negatives", "gives_outfits_of_the_catalogue")
@component
class Uncategorised:
    """All items are of the first category."""

    split: Split = given("the split")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        found = others(self.split, pairs, generator)
        return Drawn(Outfits(found.items, torch.zeros_like(found.category)), shared=False)


@broken("negatives", "gives_outfits_of_the_catalogue")
@component
class Bare:
    """The first negative has no item."""

    split: Split = given("the split")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        found = others(self.split, pairs, generator)
        first = torch.arange(len(found))[:, None] == 0
        return Drawn(Outfits(found.items.masked_fill(first, -1), found.category.masked_fill(first, -1)), shared=False)


@broken("negatives", "gives_no_known_positive")
@component
class Unlooking:
    """Items drawn slot by slot, whatever comes of it."""

    split: Split = given("the split")
    catalog: Catalog = given("the items")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        items = self.split.positives.outfits.items
        rows = torch.randint(len(items), (5 * len(pairs), items.shape[1]), generator=generator)
        mixed = items.gather(0, rows)
        mixed[:, 1] = -1
        return Drawn(self.catalog.outfits(mixed), shared=False)


@broken("negatives", "gives_no_known_positive")
@component
class SharedWithAll:
    """What is drawn for one pair is a negative of all, their own among them."""

    split: Split = given("the split")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        return Drawn(others(self.split, pairs, generator), shared=True)


@broken("negatives", "fills_slots_as_the_split_does")
@component
class OfTheCatalogue:
    """Shoes of the whole catalogue."""

    split: Split = given("the split")
    catalog: Catalog = given("the items")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        items = others(self.split, pairs, generator).items.clone()
        shoes = (self.catalog.category == 2).nonzero().flatten()
        items[:, 3] = shoes[torch.randint(len(shoes), (len(items),), generator=generator)]
        return Drawn(self.catalog.outfits(items), shared=False)


@broken("negatives", "fills_slots_as_the_split_does")
@component
class Rotated:
    """Items in each other's slots."""

    split: Split = given("the split")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        found = others(self.split, pairs, generator)
        return Drawn(Outfits(found.items.roll(1, 1), found.category.roll(1, 1)), shared=False)


@component
class OfEachOther:
    """Outfits of the step's other users, who may be none. Nothing is wrong with it."""

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        return Drawn(pairs.outfits, shared=True, mask=pairs.users[:, None] != pairs.users)


@broken("negatives", "draws_for_one_pair")
@component
class OfAnother:
    """The outfit of another pair of the step, which there has to be."""

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        step = torch.randint(1, len(pairs), (len(pairs),), generator=generator)
        return Drawn(pairs.outfits[(torch.arange(len(pairs)) + step) % len(pairs)], shared=False)


@broken("negatives", "draws_from_its_generator_alone")
@component
class Unseeded:
    """Draws from torch's global generator."""

    split: Split = given("the split")

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        return Drawn(others(self.split, pairs, torch.default_generator), shared=False)
