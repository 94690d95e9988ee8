"""Negatives."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import attrs
import torch
from torch import Generator, Tensor

from outfitrec.core.data import Rows, Split
from outfitrec.core.drawn import Drawn
from outfitrec.core.outfits import Outfits
from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.nested import copied, tensors
from outfitrec.testing.subject import Subject
from outfitrec.testing.world import World

# Its outfits are a third of all that can be put together: who draws without looking, draws positives.
NARROW = World(pool=6)
BATCH = 10
DRAWS = 6


@attrs.frozen
class Draw:
    """One use of it.

    Attributes:
        pairs: The pairs that it was asked for.
        outfits: The distinct rows that it gave, as wide as the split's outfits.
        row: Row of each negative of each pair, ``[pair, negative]``.
        counts: Which of them count, ``[pair, negative]``.
    """

    pairs: Rows
    outfits: Outfits
    row: Tensor
    counts: Tensor


def inputs(subject: Subject) -> Mapping[str, Any]:
    """The pairs of a step, in any order; all positives of the split where it is for evaluation."""
    return {"pairs": _batch(subject.component, subject.world.given["split"])}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """What it draws."""
    return component.draw(inputs["pairs"], generator)


def _trains(component: type[Any]) -> bool:
    return bool(getattr(component, "for_training", True))


def _batch(component: type[Any], split: Split) -> Rows:
    if not _trains(component):
        return _copied(split.positives)
    return split.positives[torch.randperm(len(split), generator=generator("contract", "negatives"))[:BATCH]]


def _copied(rows: Rows) -> Rows:
    # The world is used again: what a component does to its inputs is not done to it.
    return cast(Rows, copied(rows))


def _draws(subject: Subject) -> Iterator[Draw]:
    """Draws for a step's pairs and for all of a small split, several times."""
    narrow = attrs.evolve(subject, world=NARROW)
    component, split = narrow.build(), NARROW.given["split"]
    for number in range(DRAWS):
        for pairs in (_batch(subject.component, split), _copied(split.positives)):
            yield _draw(component, pairs, split, number)


def _draw(component: Any, pairs: Rows, split: Split, number: int) -> Draw:
    drawn = component.draw(pairs, generator("contract", "draw", number))
    require(
        isinstance(drawn, Drawn) and all(map(isinstance, (drawn.outfits, drawn.shared), (Outfits, bool))),
        f"it gives {type(drawn).__name__}, and not Drawn(outfits, shared, mask)",
        "return outfitrec.Drawn: 'shared' is True where all pairs have all of the outfits",
    )
    places = {one.device.type for one in tensors(drawn)}
    require(places == {"cpu"}, f"its tensors are on {', '.join(sorted(places))}", "make all tensors on the CPU")
    outfits, count = drawn.outfits, len(pairs)
    wide = split.positives.outfits.width
    require(
        outfits.items.ndim == 2 and outfits.items.shape == outfits.category.shape and outfits.width <= wide,
        f"its outfits are {tuple(outfits.items.shape)}, their categories {tuple(outfits.category.shape)}, "
        f"and the outfits of the split have {wide} slots",
        "give a row for each outfit, and no more slots than the split's outfits have",
    )
    fits = len(outfits) > 0 if drawn.shared else len(outfits) >= count and len(outfits) % count == 0
    require(
        fits,
        f"for {count} pairs it gives {len(outfits)} outfits, {'shared' if drawn.shared else 'not shared'}",
        "give one or more where they are shared, else as many for each pair, pair by pair",
    )
    row = torch.arange(len(outfits))
    row = row.expand(count, -1) if drawn.shared else row.view(count, -1)
    mask = torch.ones_like(row, dtype=torch.bool) if drawn.mask is None else drawn.mask
    require(
        mask.shape == row.shape and mask.dtype == torch.bool,
        f"its mask is {tuple(mask.shape)} of {mask.dtype}, expected {tuple(row.shape)} of torch.bool",
        "the mask is [pair, negative], True where a negative counts for a pair",
    )
    # Outfits of the step's other pairs may be all that there is.
    if count > 1:
        hint = "the mask is True where a negative counts, and False where not"
        require(mask.any(), f"no negative counts for any of {count} pairs", hint)
    return Draw(pairs, outfits.padded(wide), row, mask)


@check("negatives")
def gives_negatives_of_each_pair(subject: Subject) -> None:
    """It gives outfits that all pairs share, or as many for each pair, with a mask of pairs and negatives or none."""
    for _ in _draws(subject):
        pass


@check("negatives")
def gives_outfits_of_the_catalogue(subject: Subject) -> None:
    """A negative has one item or more, none of them twice, all of the catalogue and with the catalogue's category."""
    hint = "put them together as catalog.outfits(items) does: -1 where a slot is empty"
    catalog = NARROW.catalog
    for one in _draws(subject):
        items, keys = one.outfits.items, one.outfits.keys()
        outside = (items < -1) | (items >= len(catalog))
        require(not outside.any(), f"it gives items {items[outside][:5].tolist()} of {len(catalog)}", hint)
        wrong = int((catalog.outfits(items).category != one.outfits.category).sum())
        require(not wrong, f"{wrong} slots have another category than their item", hint)
        bare = int((~one.outfits.mask.any(dim=1)).sum())
        require(not bare, f"{bare} of {len(items)} negatives have no item", hint)
        twice = int(((keys[:, 1:] == keys[:, :-1]) & (keys[:, 1:] >= 0)).any(dim=1).sum())
        require(not twice, f"{twice} of {len(items)} negatives have an item twice", "draw those again")


@check("negatives")
def gives_no_known_positive(subject: Subject) -> None:
    """No negative that counts for a pair is an outfit that the pair's user posted in the split, in whatever order."""
    positives = NARROW.given["split"].positives
    for one in _draws(subject):
        every = torch.cat([positives.outfits.keys(), one.outfits.keys()])
        code = every.unique(dim=0, return_inverse=True)[1]
        posted, drawn = code[: len(positives)], code[len(positives) :]
        known = positives.users * len(every) + posted
        found = one.pairs.users[:, None] * len(every) + drawn[one.row]
        wrong = one.counts & torch.isin(found, known)
        require(
            not wrong.any(),
            f"{int(wrong.sum())} of {int(one.counts.sum())} negatives are outfits that the pair's own user posted",
            "draw those again, or leave them out by the mask; an outfit is its set of items (Outfits.keys)",
        )


@check("negatives")
def fills_slots_as_the_split_does(subject: Subject) -> None:
    """In each slot there are items that outfits of the split have, of a category that they have there."""
    positives = NARROW.given["split"].positives.outfits
    known = positives.distinct()[0]
    for one in _draws(subject):
        strange = one.outfits.mask & ~torch.isin(one.outfits.items, known)
        require(
            not strange.any(),
            f"{int(strange.sum())} slots hold items that no outfit of the split has: those of other splits among them",
            "draw items from the positives of 'split', not from the catalogue",
        )
        for slot in range(positives.width):
            usual = positives.category[:, slot].unique()
            wrong = one.outfits.mask[:, slot] & ~torch.isin(one.outfits.category[:, slot], usual)
            names = [NARROW.catalog.categories[index] for index in usual.tolist() if index >= 0]
            require(
                not wrong.any(),
                f"slot {slot} has {int(wrong.sum())} items of other categories than in the split ({', '.join(names)})",
                "draw each slot from the items that the split's positives have in it",
            )


@check("negatives")
def draws_for_one_pair(subject: Subject) -> None:
    """A step may be of a single pair, the last one of an epoch for instance."""
    if not _trains(subject.component):
        raise NotApplicableError("it is for evaluation alone (for_training = False)")
    split = NARROW.given["split"]
    component = attrs.evolve(subject, world=NARROW).build()
    for row in (0, len(split) - 1):
        _draw(component, split.positives[row : row + 1], split, 0)
