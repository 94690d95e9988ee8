"""Augmenters."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import torch
from torch import Generator, Tensor

from outfitrec.core.outfits import Outfits
from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.nested import same
from outfitrec.testing.subject import Subject
from outfitrec.testing.world import World

# Of each category, so few items are in outfits that an augmenter which looks elsewhere is seen.
NARROW = World(pool=6)
BATCH = 24
DRAWS = 8
# Share of the slots that are free, where not all are.
FREE = 0.7
IDLE = "take the declaration away, or give the outfits as they are"


@attrs.frozen
class View:
    """One use of an augmenter.

    Attributes:
        outfits: What it was given.
        free: Slots that it may alter, filled ones.
        view: What it made.
        changed: Slots that it says it altered.
    """

    outfits: Outfits
    free: Tensor
    view: Outfits
    changed: Tensor

    @property
    def differs(self) -> Tensor:
        """Slots that it altered."""
        return (self.view.items != self.outfits.items) | (self.view.category != self.outfits.category)


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Training outfits, some of a single item, and the slots that may be altered: not quite all."""
    outfits = _outfits(subject.world)[-BATCH:]
    return {"outfits": outfits, "free": outfits.mask & _some(outfits, "inputs")}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The views, and what was altered."""
    return component(inputs["outfits"], inputs["free"], generator)


def _outfits(world: World) -> Outfits:
    """The training outfits, and some with all items but one taken away."""
    posted = world.dataset.splits["train"].positives.outfits
    kept = torch.arange(posted.width) == torch.tensor([0, 2, 3])[:, None]
    return Outfits.cat([posted, world.catalog.outfits(posted.items[: len(kept)].where(kept, -1))])


def _some(outfits: Outfits, place: str) -> Tensor:
    return torch.rand(outfits.items.shape, generator=generator("contract", "augmenter", place)) < FREE


def _views(subject: Subject) -> Iterator[View]:
    """Uses of it: all filled slots are free, then those that it did not alter, then some."""
    narrow = attrs.evolve(subject, world=NARROW)
    augmenter, outfits = narrow.build(), _outfits(NARROW)
    for draw in range(DRAWS):
        first = _view(augmenter, outfits, outfits.mask, draw)
        yield first
        yield _view(augmenter, outfits, outfits.mask & ~first.changed, draw + DRAWS)
        yield _view(augmenter, outfits, outfits.mask & _some(outfits, str(draw)), draw)


def _view(augmenter: Any, outfits: Outfits, free: Tensor, draw: int) -> View:
    # Copies, as the engine gives them.
    copy = Outfits(outfits.items.clone(), outfits.category.clone())
    made = augmenter(copy, free.clone(), generator("contract", "augmenter", draw))
    hint = "return (Outfits(items, category), changed): both as wide as the outfits that were given"
    require(
        isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], Outfits) and isinstance(made[1], Tensor),
        f"it gives {type(made).__name__}, and not a pair of Outfits and a tensor",
        hint,
    )
    view, changed = made
    shape = outfits.items.shape
    for name, one, dtype in (
        ("items", view.items, torch.long),
        ("categories", view.category, torch.long),
        ("altered slots", changed, torch.bool),
    ):
        require(
            one.shape == shape and one.dtype == dtype,
            f"its {name} are {tuple(one.shape)} of {one.dtype}, expected {tuple(shape)} of {dtype}",
            hint,
        )
    return View(outfits, free, view, changed)


@check("augmenter")
def gives_outfits_and_what_it_altered(subject: Subject) -> None:
    """It gives as many outfits of as many slots as it was given, and which of the slots it altered."""
    for _ in _views(subject):
        pass


@check("augmenter")
def alters_some_outfits(subject: Subject) -> None:
    """With all slots free, some of many outfits are not as they were; with ``alters = False`` none ever is."""
    views = list(_views(subject))
    if not getattr(subject.component, "alters", True):
        count = sum(bool(one.differs.any()) for one in views)
        require(not count, f"it altered outfits in {count} of {len(views)} uses, and declares alters = False", IDLE)
        return
    free = [one for one in views if bool((one.free == one.outfits.mask).all())]
    require(
        any(bool(one.differs.any()) for one in free),
        f"it left all of {len(_outfits(NARROW))} outfits as they were, each of {len(free)} times",
        "see why no slot is chosen; where examples() sets a probability, set one that is seen. An augmenter that "
        "shall alter nothing declares alters = False",
    )


@check("augmenter")
def gives_items_of_the_catalogue(subject: Subject) -> None:
    """Each slot holds an item of the catalogue with the catalogue's category, or is empty in both."""
    hint = "take items from the catalogue, and their categories with them: catalog.outfits(items)"
    count = len(NARROW.catalog)
    for one in _views(subject):
        items = one.view.items
        wrong = (items < -1) | (items >= count)
        require(not wrong.any(), f"items {items[wrong][:5].tolist()} are not in the catalogue of {count}", hint)
        expected = NARROW.catalog.outfits(items).category
        wrong = expected != one.view.category
        require(
            not wrong.any(),
            f"{int(wrong.sum())} slots have another category than their item: {one.view.category[wrong][:5].tolist()} "
            f"in place of {expected[wrong][:5].tolist()} (-1: empty)",
            hint,
        )


@check("augmenter")
def leaves_an_item_in_each_outfit(subject: Subject) -> None:
    """No outfit is left without an item, not even one of a single item."""
    for one in _views(subject):
        bare = ~one.view.mask.any(dim=1)
        require(
            not bare.any(),
            f"{int(bare.sum())} of {len(bare)} outfits are left without an item",
            "leave an outfit of a single item as it is: outfits.mask.sum(dim=1) says how many it has",
        )


@check("augmenter")
def puts_no_item_in_an_outfit_twice(subject: Subject) -> None:
    """No outfit has the same item in two slots."""
    for one in _views(subject):
        keys = one.view.keys()
        twice = ((keys[:, 1:] == keys[:, :-1]) & (keys[:, 1:] >= 0)).any(dim=1)
        require(
            not twice.any(),
            f"{int(twice.sum())} of {len(twice)} outfits have an item twice, such as {keys[twice][:1].tolist()}",
            "do not choose an item that the outfit has already: (item[:, None] == outfits.items).any(dim=1)",
        )


@check("augmenter")
def alters_free_slots_alone(subject: Subject) -> None:
    """Slots that are not free are as they were."""
    for one in _views(subject):
        wrong = one.differs & ~one.free
        require(
            not wrong.any(),
            f"it altered {int(wrong.sum())} slots that were not free",
            "choose among 'free' alone: (outfits.mask & free)",
        )


@check("augmenter")
def tells_what_it_altered(subject: Subject) -> None:
    """The slots that it says it altered are those that are not as they were."""
    for one in _views(subject):
        silent, idle = int((one.differs & ~one.changed).sum()), int((one.changed & ~one.differs).sum())
        require(
            not silent and not idle,
            f"it altered {silent} slots without saying so, and {idle} that it said it altered are as they were",
            "the second tensor is True where an item was put in, taken out or replaced, and nowhere else",
        )


@check("augmenter")
def keeps_categories_where_it_says_so(subject: Subject) -> None:
    """With ``keeps_categories = True`` no slot is emptied, and each has an item of the category that it had."""
    if not getattr(subject.component, "keeps_categories", False):
        raise NotApplicableError("it does not say that it keeps categories (keeps_categories = True)")
    for one in _views(subject):
        wrong = one.view.category != one.outfits.category
        require(
            not wrong.any(),
            f"{int(wrong.sum())} slots have another category, or are empty, and it declares keeps_categories = True",
            "take the declaration away, or choose items of outfits.category",
        )


@check("augmenter")
def takes_items_of_the_training_split_alone(subject: Subject) -> None:
    """No item is in a view that is in no training outfit: the catalogue has those of validation and test as well."""
    known = NARROW.dataset.splits["train"].positives.outfits.distinct()[0]
    for one in _views(subject):
        wrong = one.view.mask & ~torch.isin(one.view.items, known)
        require(
            not wrong.any(),
            f"{int(wrong.sum())} slots hold items that no training outfit has, such as "
            f"{NARROW.catalog.names[int(one.view.items[wrong][:1].sum())]!r}",
            "choose among the items of the training split (a field 'split' or 'neighbours' by outfitrec.given), or "
            "of the outfits that are given",
        )


@check("augmenter")
def alters_other_slots_when_used_twice(subject: Subject) -> None:
    """Used again with what it altered no longer free, it alters other slots: the two views differ in distinct ones."""
    augmenter, outfits = attrs.evolve(subject, world=NARROW).build(), _outfits(NARROW)
    for draw in range(DRAWS):
        first = _view(augmenter, outfits, outfits.mask, draw)
        second = _view(augmenter, outfits, outfits.mask & ~first.changed, draw + DRAWS)
        both = first.differs & second.differs
        require(
            not both.any(),
            f"{int(both.sum())} slots are altered in both of two views",
            "alter what is free in this call, and remember nothing of the one before",
        )


@check("augmenter")
def works_for_one_outfit_and_for_none_free(subject: Subject) -> None:
    """A batch may be of one outfit; and where no slot is free, all is as it was."""
    augmenter, outfits = attrs.evolve(subject, world=NARROW).build(), _outfits(NARROW)
    for one in (outfits[:1], outfits[-1:]):
        view = _view(augmenter, one, one.mask, 0)
        require(view.view.mask.any(), "an outfit alone in its batch loses all its items", "look at batches of one row")
    found = _view(augmenter, outfits, torch.zeros_like(outfits.mask), 0)
    require(
        same(found.view, outfits) and not found.changed.any(),
        f"with no slot free it alters {int(found.differs.sum())} slots, and says so of {int(found.changed.sum())}",
        "give the outfits as they are where nothing may be altered",
    )
