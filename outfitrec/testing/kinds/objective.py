"""Objectives: terms of the training objective, on a step of a small model."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import torch
from torch import Generator, Tensor, nn

from outfitrec.core.outfits import Outfits
from outfitrec.core.recommender import Recommender
from outfitrec.core.seeds import generator
from outfitrec.core.step import NEGATIVE, POSITIVE, Batch, Step
from outfitrec.testing import steps
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.dropout import without_dropout
from outfitrec.testing.nested import copied, near, number, same
from outfitrec.testing.subject import Subject

UNITS = ("pair", "outfit", "item")
# An objective may begin late, or end early.
EPOCHS = (0, 1, 10, 1000)
SIZE = 8
NOTHING = (
    "compute it from step.items, step.state(…), step.positive or step.negative with torch alone, and detach nothing"
)
EXTRA = "give outfits of catalogue items as Catalog.outfits makes them: -1 in empty slots, each with an item at least"
SMALL = "the last step of an epoch may be as small as one: divide by max(count, 1), and take no deviation of one"


def inputs(subject: Subject) -> Mapping[str, Any]:
    """What a step draws: pairs with negatives, outfits or items, eight of them."""
    return {"batch": steps.batch(subject.build().unit, size=SIZE, world=subject.world)}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The further outfits that it asks for, and its value."""
    batch = inputs["batch"]
    step = _encoded(subject, component, batch, draws=generator, device=batch.positives.items.device)
    return [step.batch.extra, _value(component, step)]


def _encoded(
    subject: Subject,
    objective: Any,
    batch: Batch | None = None,
    *,
    taught: bool | None = None,
    epoch: int = 0,
    draws: Generator | None = None,
    device: torch.device | None = None,
) -> Step:
    """The step of a batch, with a teacher where the objective needs one, or as ``taught`` says."""
    place = torch.device("cpu") if device is None else device
    batch = inputs(subject)["batch"] if batch is None else batch
    model = steps.recommender(subject.beside, world=subject.world).to(place)
    with_teacher = objective.needs_teacher if taught is None else taught
    master = steps.teacher(subject.beside, device=place, world=subject.world) if with_teacher else None
    return steps.encoded(
        batch.to(torch.device("cpu")),
        [objective],
        model,
        master,
        generator("contract", "step") if draws is None else draws,
        epoch=epoch,
        device=place,
        world=subject.world,
    )


def _value(objective: Any, step: Step) -> Any:
    """Its value, in full precision as the engine computes it."""
    with torch.autocast(step.items.device.type, enabled=False):
        return objective(step)


def _tried(subject: Subject) -> Iterator[tuple[int, Any, Step]]:
    """It, without dropout, and a step: in each of several epochs."""
    for epoch in EPOCHS:
        objective = subject.build()
        with without_dropout(objective, training=True):
            yield epoch, objective, _encoded(subject, objective, epoch=epoch)


@check("objective")
def draws_one_of_the_units(subject: Subject) -> None:
    """Its ``unit`` is pair, outfit or item."""
    unit = subject.build().unit
    require(
        unit in UNITS,
        f"its unit is {unit!r}",
        "say what its step draws: 'pair' (users with their outfits, and negatives), 'outfit' or 'item'",
    )


@check("objective")
def takes_label_and_weight_from_its_fields(subject: Subject) -> None:
    """Label and weight are recipe keys, and its value depends on neither: the engine multiplies by the weight."""
    fields = {one.name for one in attrs.fields(subject.component)}
    require(
        {"label", "weight"} <= fields,
        f"it has no field {' and no field '.join(sorted({'label', 'weight'} - fields))}",
        "label: str = field(default=…) and weight: float = field(default=1.0): two of it in a recipe need two labels",
    )
    weight = float(subject.config.weight)
    changes: dict[str, Any] = {"label": "another", "weight": weight / 2}
    other = subject.make(attrs.evolve(subject.config, **changes))
    require(
        (other.label, other.weight) == ("another", weight / 2),
        f"with label 'another' and weight {weight / 2:g} it has {other.label!r} and {other.weight!r}",
        "leave both to its fields: no property, no class attribute",
    )
    values = []
    for objective in (subject.build(), other):
        with without_dropout(objective, training=True):
            values.append(_value(objective, _encoded(subject, objective)))
    require(
        near(values[0], values[1]),
        f"with another label and half its weight its value is {number(values[1]):g}, not {number(values[0]):g}",
        "give the value alone, which the engine multiplies by the weight",
    )


@check("objective")
def asks_for_valid_outfits(subject: Subject) -> None:
    """What it asks for by ``extra`` is None, or outfits of items of the catalogue, none of them empty."""
    objective, catalog = subject.build(), subject.world.catalog
    for size in (SIZE, 1):
        batch = steps.batch(objective.unit, size=size, world=subject.world)
        before = copied(batch)
        found = objective.extra(batch, generator("contract", "extra"))
        require(
            same(before, batch),
            "extra changes the batch",
            "make new tensors: no x[…] = …, no function that ends in '_' on what was given",
        )
        if found is None:
            continue
        require(isinstance(found, Outfits), f"extra gives {type(found).__name__}", "give outfitrec.Outfits, or None")
        # None in this step, which another one may have.
        if not len(found):
            continue
        items, mask = found.items, found.mask
        require(
            items.ndim == 2 and items.dtype == torch.long and items.min() >= -1 and items.max() < len(catalog),
            f"extra gives items of {items.dtype} and shape {tuple(items.shape)} from {int(items.min())} to "
            f"{int(items.max())}, of a catalogue of {len(catalog)}",
            EXTRA,
        )
        expected = torch.where(mask, catalog.category[items.clamp(min=0)], -1)
        require(torch.equal(found.category, expected), "the categories of its outfits are not their items'", EXTRA)
        require(mask.any(dim=1).all(), f"{int((~mask.any(dim=1)).sum())} of its outfits have no item", EXTRA)


@check("objective")
def is_a_scalar(subject: Subject) -> None:
    """Its value is one finite number."""
    for epoch, objective, step in _tried(subject):
        _finite(_value(objective, step), f"in epoch {epoch}", "give the mean over what the step drew")


@check("objective")
def trains_something(subject: Subject) -> None:
    """A finite gradient flows from its value to the recommender or to parameters of its own."""
    reached = False
    for epoch, objective, step in _tried(subject):
        parameters = [*_trainable(step.recommender).values(), *_trainable(objective).values()]
        value = _value(objective, step)
        found = _gradients(value, parameters)
        require(
            all(torch.isfinite(one).all() for one in found if one is not None),
            f"in epoch {epoch} its value is {number(value):g}, and its gradient is not finite",
            "the root of 0, and the length of a vector of zeros, have none: F.normalize has one",
        )
        reached = reached or any(one is not None for one in found)
    require(reached, "no gradient flows from its value to any parameter", NOTHING)


@check("objective")
def trains_its_own_parameters(subject: Subject) -> None:
    """Each parameter of its own that can be trained gets a gradient."""
    idle = set(_trainable(subject.build()))
    if not idle:
        raise NotApplicableError("it has no parameters of its own")
    for _, objective, step in _tried(subject):
        own = _trainable(objective)
        found = _gradients(_value(objective, step), list(own.values()))
        idle -= {name for name, one in zip(own, found, strict=True) if one is not None}
    require(
        not idle,
        f"no gradient reaches {', '.join(sorted(idle))}",
        "use it in the value, set requires_grad to False, or keep it as a buffer (register_buffer)",
    )


@check("objective")
def needs_a_teacher_as_it_says(subject: Subject) -> None:
    """It reads the teacher's scores where ``needs_teacher`` is true, and only there."""
    needs = subject.build().needs_teacher
    require(isinstance(needs, bool), f"its needs_teacher is {needs!r}", "say True or False")
    raised = []
    for epoch in EPOCHS:
        objective = subject.build()
        with without_dropout(objective, training=True):
            step = _encoded(subject, objective, taught=False, epoch=epoch)
            try:
                _value(objective, step)
            # What it raises without a teacher is its own affair.
            except Exception as error:
                raised.append(f"in epoch {epoch} {type(error).__name__}: {error}")
    if needs:
        require(
            raised,
            "its needs_teacher is True, and it does without a teacher",
            "a recipe would train a teacher for nothing: say needs_teacher = False",
        )
    else:
        require(
            not raised,
            f"its needs_teacher is False, and without a teacher it raises {raised[0] if raised else ''}",
            "say needs_teacher = True if it reads the teacher: a recipe without one is then refused at once",
        )


@check("objective")
def leaves_the_step_alone(subject: Subject) -> None:
    """Embeddings, states, scores and outfits of the step are as they were: other objectives read them too."""
    for _, objective, step in _tried(subject):
        before = copied(_read(step))
        master = step.teacher.recommender if objective.needs_teacher else None
        _value(objective, step)
        require(
            same(before, _read(step)),
            "after it is called, what other objectives read of the step is another",
            "make new tensors: no x += …, no function that ends in '_' on anything of the step",
        )
        require(
            master is None or not (master.training or _trainable(master)),
            "after it is called, the teacher is in training mode, or its parameters can be trained",
            "the teacher is frozen: ask step.teacher for scores and states, and change nothing of it",
        )


@check("objective")
def stands_small_steps(subject: Subject) -> None:
    """A step of one or two pairs, outfits or items has a finite value and gradient, in training mode too."""
    for size in (2, 1):
        objective = subject.build()
        with torch.random.fork_rng(devices=()):
            if isinstance(objective, nn.Module):
                objective.train()
            step = _encoded(subject, objective, steps.batch(objective.unit, size=size, world=subject.world))
            value = _value(objective, step)
        where = f"in a step of {size} {objective.unit}{'s' if size > 1 else ''}"
        _finite(value, where, SMALL)
        found = _gradients(value, [*_trainable(step.recommender).values(), *_trainable(objective).values()])
        whole = all(one is None or torch.isfinite(one).all() for one in found)
        require(whole, f"{where} its gradient is not finite", SMALL)


@check("objective")
def takes_negatives_in_every_form(subject: Subject) -> None:
    """Negatives that pairs share or have each their own, with and without a mask, give a finite value."""
    if subject.build().unit != "pair":
        raise NotApplicableError("its steps have no negatives")
    for shared in (True, False):
        for masked in (True, False):
            for count in (6, 1):
                objective = subject.build()
                batch = steps.batch(size=SIZE, negatives=count, shared=shared, masked=masked, world=subject.world)
                with without_dropout(objective, training=True):
                    value = _value(objective, _encoded(subject, objective, batch))
                _finite(
                    value,
                    f"with {count} negatives {'of all pairs' if shared else 'of each pair'}, "
                    f"{'some of them masked' if masked else 'none masked'},",
                    "step.negative and step.mask are [pair, negative] in either case, and step.mask may be None",
                )


@check("objective")
def logs_numbers(subject: Subject) -> None:
    """Each figure that it logs is one number, and none has the name of another term."""
    for _, objective, step in _tried(subject):
        _value(objective, step)
        for name, figure in step.logged.items():
            require(
                figure.numel() == 1,
                f"it logs {name!r} of shape {tuple(figure.shape)}",
                "log a tensor of one number: its mean over the epoch stands in metrics.jsonl",
            )
            require(
                name not in ("loss", objective.label),
                f"it logs a figure called {name!r}, which is what the engine logs",
                "begin names with its label and a point: f'{self.label}.share'",
            )


@check("objective")
def reports_in_words(subject: Subject) -> None:
    """Its ``report``, where it has one, gives texts, whatever figures there are."""
    if not hasattr(subject.build(), "report"):
        raise NotApplicableError("it has no report")
    for _, objective, step in _tried(subject):
        value = number(_value(objective, step))
        figures = {objective.label: value, "loss": value, **{name: number(one) for name, one in step.logged.items()}}
        for case, means in (
            ("the figures of a step", figures),
            ("figures of 0", dict.fromkeys(figures, 0.0)),
            ("figures of 1", dict.fromkeys(figures, 1.0)),
            ("figures that are not finite", dict.fromkeys(figures, math.nan)),
            ("no figures, as of a run of no epoch,", {}),
        ):
            found = objective.report(means)
            texts = [] if isinstance(found, str) else list(found)
            require(
                not isinstance(found, str) and all(isinstance(one, str) and one for one in texts),
                f"for {case} its report is {found!r}",
                "yield one text for each warning: no text alone, and nothing that is none",
            )


def _finite(value: Any, where: str, hint: str) -> None:
    found = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
    scalar = isinstance(value, Tensor) and value.shape == ()
    require(scalar, f"{where} its value is {found}, and not one number", "give a tensor without dimensions: .mean()")
    require(math.isfinite(number(value)), f"{where} its value is {number(value):g}", hint)


def _trainable(module: Any) -> dict[str, nn.Parameter]:
    if not isinstance(module, nn.Module):
        return {}
    return {name: one for name, one in module.named_parameters() if one.requires_grad}


def _gradients(value: Tensor, parameters: list[nn.Parameter]) -> list[Tensor | None]:
    if not value.requires_grad or not parameters:
        return [None] * len(parameters)
    return list(torch.autograd.grad(value, parameters, allow_unused=True))


def _read(step: Step) -> list[Any]:
    """What objectives read of a step."""
    roles = step.batch.roles()
    scores = [step.positive, step.negative] if {POSITIVE, NEGATIVE} <= roles.keys() else []
    weights: Recommender = step.recommender
    return [
        step.batch,
        step.ids,
        step.category,
        step.features,
        step.items,
        {role: step.state(role) for role in roles},
        scores,
        dict(weights.state_dict()),
    ]
