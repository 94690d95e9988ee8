"""Aggregators of the items of an outfit."""

from collections.abc import Iterator, Mapping
from itertools import count, islice
from typing import Any

import attrs
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from outfitrec.core.config import components
from outfitrec.core.fields import info
from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.dropout import without_dropout
from outfitrec.testing.kinds.every import draws
from outfitrec.testing.nested import described, distance, tensors
from outfitrec.testing.subject import Subject
from outfitrec.testing.world import DIM, USERS

OUTFITS = 8
# Items of outfits in the inputs, and of large ones.
SIZES = (3, 4)
LARGE = 8
# Empty slots that are added.
MORE = 3
# Far beyond what an item embedding is.
GARBAGE = 100.0
# Deviation of what is added to parameters.
STIR = 0.01
# Of what sums in another order differ by.
CLOSE = 1e-4
# What `ordered` may say.
CATEGORY, SLOTS = "category", "slots"
MASKING = "leave empty slots out: masked_fill(~mask, -inf) before a softmax or maximum, items * mask before a sum"
KEEPING = (
    "a state that keeps the slots is judged by the scores: name the preference that reads it, "
    "Example(beside={'preference': …}) in examples()"
)

Outfits = dict[str, Tensor]


def inputs(subject: Subject) -> Outfits:
    """Eight outfits of three and four items, with empty slots in various places, and all items as candidates."""
    fewest = _seen(subject).fewest
    return outfits(subject, tuple(max(size, fewest) for size in SIZES))


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The outfits' state, after the candidates were shown to it if it asks for them."""
    if hasattr(component, "candidates"):
        component.candidates(inputs["shown"], inputs["shown_category"])
    return component(inputs["items"], inputs["mask"], inputs["category"])


def outfits(subject: Subject, sizes: tuple[int, ...]) -> Outfits:
    """Eight outfits of these sizes in turn, as the engine passes them: zeros and category -1 in empty slots."""
    catalog = subject.world.catalog
    table = torch.randn(len(catalog), DIM, generator=generator("contract", "items"))
    width = max(*sizes, SIZES[-1])
    chosen = torch.full((OUTFITS, width), -1)
    draw = generator("contract", "outfits", *sizes)
    used = [torch.randperm(len(catalog), generator=draw) for _ in range(OUTFITS)]
    for row, order in enumerate(used):
        size = sizes[row % len(sizes)]
        places = torch.randperm(width, generator=draw)[:size]
        # The next item of each category in turn.
        pools = [iter(order[catalog.category[order] == one].tolist()) for one in range(len(catalog.categories))]
        chosen[row, places] = torch.tensor([next(pools[one]) for one in islice(_categories(subject), size)])
    found = catalog.outfits(chosen)
    items = F.embedding(found.items.clamp(min=0), table) * found.mask.unsqueeze(-1)
    return {
        "items": items,
        "mask": found.mask,
        "category": found.category,
        "shown": table,
        "shown_category": catalog.category,
    }


def lowest(*parts: Any) -> int:
    """The fewest items of outfits that these components take."""
    return max(getattr(part, "fewest", 1) for part in parts)


def stirred(component: Any) -> Any:
    """It, with a little added to its parameters: what starts at zero, such as a gate or a bias, has an influence."""
    draw = generator("contract", "stir")
    with torch.no_grad():
        for one in component.parameters() if isinstance(component, nn.Module) else ():
            if one.is_floating_point():
                one.add_(STIR * torch.randn(one.shape, generator=draw))
    return component


def require_number(fewest: Any) -> None:
    """Make sure that what a component says of the fewest items is a number."""
    require(
        isinstance(fewest, int) and fewest >= 1,
        f"it has fewest = {fewest!r}",
        "give the number of items that an outfit must have, 1 or more",
    )


def most(subject: Subject) -> int:
    """The number of items of large outfits: 8, or as many as training outfits have where it asks how many."""
    given = _given(subject)
    if "most" in given:
        return sum(subject.world.given["most"])
    return int(subject.world.given["slots"]) if "slots" in given else LARGE


def padded(found: Outfits) -> Outfits:
    """The same outfits with further empty slots."""
    return {
        **found,
        "items": F.pad(found["items"], (0, 0, 0, MORE)),
        "mask": F.pad(found["mask"], (0, MORE), value=False),
        "category": F.pad(found["category"], (0, MORE), value=-1),
    }


def littered(found: Outfits) -> Outfits:
    """The same outfits with large numbers in their empty slots."""
    litter = GARBAGE * torch.randn(found["items"].shape, generator=generator("contract", "litter"))
    return {**found, "items": torch.where(found["mask"].unsqueeze(-1), found["items"], litter)}


def _categories(subject: Subject) -> Iterator[int]:
    """Categories of an outfit's items: one of each, then a second of each, …; no more of each than it asks for."""
    total = len(subject.world.catalog.categories)
    limits = subject.world.given["most"] if "most" in _given(subject) else ()
    for turn in count():
        full = turn >= max(limits, default=turn + 1)
        yield from (one for one in range(total) if full or not limits or turn < limits[one])


def _given(subject: Subject) -> set[str]:
    """What the engine fills into the component and those in it or beside it."""
    configs = [part for one in (subject.config, *subject.beside.values()) for _, part in components(one)]
    return {one.name for part in configs for one in attrs.fields(part.component) if info(one).given}


def _of(found: Outfits, rows: Tensor) -> Outfits:
    """Some of the outfits, with the same candidates."""
    return {key: value if key.startswith("shown") else value[rows] for key, value in found.items()}


@attrs.frozen
class _Seen:
    """A component, and what can be seen of the states that it makes.

    Attributes:
        subject: The component.
        aggregator: It, built.
        preference: The preference beside it, built; None without.
    """

    subject: Subject
    aggregator: Any
    preference: Any

    def state(self, found: Outfits, *, training: bool = False) -> Any:
        """The state of outfits."""
        with without_dropout(self.aggregator, training=training):
            return call(self.subject, self.aggregator, found, draws())

    def values(self, found: Outfits, *, training: bool = False) -> list[Tensor]:
        """The tensors of the state, or the scores of all users: ``outfit`` comes first."""
        state = self.state(found, training=training)
        if self.preference is None:
            return tensors(state)
        with without_dropout(self.preference, training=training):
            return [self.preference(torch.arange(USERS)[:, None], state).T]

    def gradient(self, found: Outfits) -> Tensor | None:
        """Gradient of the items, in training; None where none flows."""
        items = found["items"].clone().requires_grad_()
        draw = generator("contract", "gradient")
        values = self.values({**found, "items": items}, training=True)
        floating = [one for one in values if one.is_floating_point() and one.requires_grad]
        if not floating:
            return None
        torch.stack([(one * torch.randn(one.shape, generator=draw)).sum() for one in floating]).sum().backward()
        return items.grad

    def equal(self, found: Outfits, other: Outfits, how: str, hint: str, expected: Any = None) -> None:
        """Make sure that what is seen of outfits is what is seen of others."""
        before, after = self.values(found) if expected is None else expected, self.values(other)
        what = "state" if self.preference is None else "scores"
        shapes = [[list(one.shape) for one in values] for values in (before, after)]
        require(shapes[0] == shapes[1], f"{how} its {what} is of shape {shapes[1]}, not {shapes[0]}", KEEPING)
        share = distance(before, after)
        require(share < CLOSE, f"{how} its {what} differs by {share:.1%} of the largest number", hint)

    @property
    def fewest(self) -> int:
        """The fewest items that it takes, with the preference beside it."""
        return lowest(self.aggregator, *([] if self.preference is None else [self.preference]))


def _seen(subject: Subject) -> _Seen:
    preference = subject.beside.get("preference")
    return _Seen(subject, stirred(subject.build()), None if preference is None else stirred(subject.make(preference)))


@check("aggregator")
def gives_a_state_for_each_outfit(subject: Subject) -> None:
    """Its state is a tensor or a named tuple of tensors, with a row for each outfit, be it one or many."""
    seen, found = _seen(subject), inputs(subject)
    for number in (1, OUTFITS):
        state = seen.state(_of(found, torch.arange(number)))
        parts = [state] if isinstance(state, Tensor) else state
        require(
            isinstance(parts, list) or (isinstance(parts, tuple) and hasattr(parts, "_fields")),
            f"its state is a {type(state).__name__}",
            "give a tensor, or a NamedTuple of tensors",
        )
        require(
            all(isinstance(one, Tensor) and one.ndim and len(one) == number for one in parts),
            f"of {number} outfits its state is {', '.join(map(described, parts))}",
            "the first dimension is the outfit, even where there is only one: squeeze(dim), not squeeze()",
        )


@check("aggregator")
def keeps_the_type_of_its_state(subject: Subject) -> None:
    """Its state is of the same type and, but for the outfits, shape, for any outfits, in training and evaluation."""
    seen, found = _seen(subject), inputs(subject)
    expected = _form(seen.state(found))
    small = outfits(subject, (seen.fewest,))
    for how, other, training in (
        ("one outfit", _of(found, torch.arange(1)), False),
        (f"outfits of {seen.fewest} items", small, False),
        ("outfits in training", found, True),
    ):
        form = _form(seen.state(other, training=training))
        require(
            form == expected,
            f"its state is {form} for {how}, and {expected} elsewhere",
            "states are put together in one batch: give the same type, dtypes and further dimensions each time",
        )


@check("aggregator")
def does_not_depend_on_the_order_of_slots(subject: Subject) -> None:
    """Items in other slots, empty ones among them, give the same, but for what `ordered` says that it reads."""
    seen, found = _seen(subject), inputs(subject)
    ordered = getattr(seen.aggregator, "ordered", None)
    require(
        ordered in (None, CATEGORY, SLOTS),
        f"it has ordered = {ordered!r}",
        f"say {SLOTS!r} (the order of the slots counts) or {CATEGORY!r} (that of items of one category alone)",
    )
    if ordered == SLOTS:
        raise NotApplicableError("it reads the order of the slots, as it says (ordered)")
    draw = generator("contract", "order")
    order = torch.stack([torch.randperm(found["mask"].shape[1], generator=draw) for _ in range(OUTFITS)])
    if ordered == CATEGORY:
        order = _kept(order, found["category"])
    other = {
        **found,
        "items": found["items"].gather(1, order.unsqueeze(-1).expand_as(found["items"])),
        "mask": found["mask"].gather(1, order),
        "category": found["category"].gather(1, order),
    }
    how = "with the items in other slots"
    hint = (
        "treat all items alike, or sort them by category; where the order is meant to count, say so: "
        f"ordered: ClassVar[str] = {SLOTS!r}, or {CATEGORY!r} if it is that of items of one category alone"
    )
    if seen.preference is None:
        hint += f"; {KEEPING}"
    seen.equal(found, other, how, hint)


@check("aggregator")
def ignores_further_empty_slots(subject: Subject) -> None:
    """The same outfits with more empty slots give the same: how wide a batch is depends on the others in it."""
    seen, found = _seen(subject), inputs(subject)
    seen.equal(found, padded(found), f"with {MORE} empty slots more", MASKING)


@check("aggregator")
def ignores_what_is_in_empty_slots(subject: Subject) -> None:
    """Whatever stands in slots whose mask is False has no influence."""
    seen, found = _seen(subject), padded(inputs(subject))
    seen.equal(found, littered(found), "with other numbers in empty slots", MASKING)


@check("aggregator")
def passes_no_gradient_to_empty_slots(subject: Subject) -> None:
    """In training, empty slots get no gradient."""
    found = padded(inputs(subject))
    gradient = _seen(subject).gradient(found)
    if gradient is None:
        raise NotApplicableError("no gradient flows at all")
    largest = float(gradient[~found["mask"]].abs().max())
    require(largest == 0, f"the items in empty slots get a gradient of up to {largest:.2g}", MASKING)


@check("aggregator")
def passes_a_gradient_to_the_items(subject: Subject) -> None:
    """In training, a gradient reaches the items, and is finite."""
    found = inputs(subject)
    gradient = _seen(subject).gradient(found)
    require(
        gradient is not None and gradient.any(),
        "no gradient flows from its state to the items",
        "do not detach, and compute with torch alone: the encoder learns through it",
    )
    require(gradient is not None and torch.isfinite(gradient).all(), "the gradient of the items is not finite", FINITE)


@check("aggregator")
def treats_each_outfit_alone(subject: Subject) -> None:
    """In evaluation an outfit's state depends on no other outfit of the batch, given the same candidates."""
    seen, found = _seen(subject), inputs(subject)
    alone = [seen.values(_of(found, torch.tensor([row]))) for row in range(OUTFITS)]
    hint = (
        "in evaluation use no figure of the batch; what other outfits may tell is shown by candidates(items, category)"
    )
    seen.equal(found, found, "together", hint, [torch.cat(parts) for parts in zip(*alone, strict=True)])
    turned = _of(found, torch.arange(OUTFITS).flip(0))
    seen.equal(found, turned, "in another order", hint, [one.flip(0) for one in seen.values(found)])


@check("aggregator")
def takes_the_smallest_outfits(subject: Subject) -> None:
    """Outfits of one item, or of as many as `fewest` says, have a finite state and gradient, padded or not."""
    seen = _seen(subject)
    require_number(getattr(seen.aggregator, "fewest", 1))
    _takes(seen, seen.fewest, "say fewest: ClassVar[int] = 2, if it makes no sense of single items")


@check("aggregator")
def takes_large_outfits(subject: Subject) -> None:
    """Outfits of eight items, or of as many as training outfits have, have a finite state and gradient."""
    seen = _seen(subject)
    _takes(seen, max(most(subject), seen.fewest), "let the number of items be what the mask tells")


FINITE = "look for norms, roots and divisions of zero: F.normalize, and clamp before the root or the division"


def _takes(seen: _Seen, size: int, hint: str) -> None:
    found = outfits(seen.subject, (size,))
    # As narrow as can be: all slots of all outfits are filled.
    order = (~found["mask"]).to(torch.int8).argsort(dim=1, stable=True)[:, :size]
    narrow = {
        **found,
        "items": found["items"].gather(1, order.unsqueeze(-1).expand(-1, -1, DIM)),
        "mask": found["mask"].gather(1, order),
        "category": found["category"].gather(1, order),
    }
    values = [one for one in seen.values(narrow) if one.is_floating_point()]
    text = f"of outfits of {size} items its state is not finite"
    require(all(torch.isfinite(one).all() for one in values), text, f"{FINITE}; {hint}")
    seen.equal(narrow, padded(narrow), f"of outfits of {size} items, with empty slots,", MASKING)
    for one in (narrow, padded(narrow)):
        gradient = seen.gradient(one)
        text = f"of outfits of {size} items the gradient is not finite"
        require(gradient is None or torch.isfinite(gradient).all(), text, f"{FINITE}; {hint}")


def _form(state: Any) -> str:
    parts = [described(one[:0]).replace("[0", "[outfit") for one in tensors(state)]
    return f"{type(state).__name__} of {', '.join(parts)}"


def _kept(order: Tensor, category: Tensor) -> Tensor:
    """The same order of slots but for items of one category, which keep theirs."""
    kept = order.clone()
    for row, kinds in enumerate(category.gather(1, order)):
        for kind in kinds.unique():
            kept[row, kinds == kind] = order[row, kinds == kind].sort().values
    return kept
