"""What every component keeps to, of whatever kind."""

import inspect
import random
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch import Generator, nn

from outfitrec.core.checkpoints import Checkpoints
from outfitrec.core.config import config_class
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.seeds import generator
from outfitrec.testing.contract import EVERY, NotApplicableError, check, require, use_of
from outfitrec.testing.dropout import without_dropout
from outfitrec.testing.isolation import settings
from outfitrec.testing.nested import copied, floats, mapped, near, same, tensors
from outfitrec.testing.subject import Subject

SEED = 1
# Kinds of which the engine calls no function on tensors in mixed precision.
OUTSIDE = frozenset({"augmenter", "negatives", "dataset", "metric", "optimizer", "schedule", "logger", "cold_start"})


def used(
    subject: Subject, component: Any = None, inputs: Mapping[str, Any] | None = None, *, training: bool = False
) -> Any:
    """What a component makes of the inputs of its kind; a module in evaluation mode, without dropout.

    Args:
        subject: The component.
        component: It, built; None builds it anew.
        inputs: What it is called with; None for those of its kind.
        training: Whether a module is in training mode; dropout is off all the same.
    """
    use = use_of(subject.kind)
    component = subject.build() if component is None else component
    with without_dropout(component, training=training):
        return use.call(subject, component, use.inputs(subject) if inputs is None else inputs, draws())


def draws() -> Generator:
    """The generator of one use, in the same state each time."""
    return generator("contract", SEED)


@check(EVERY)
def is_built_from_its_fields(subject: Subject) -> None:
    """It is built from its recipe keys and what the engine fills in, and from nothing else."""
    try:
        subject.build()
    except NotApplicableError:
        raise
    except (Exception, SystemExit) as error:
        hint = "an instance is made by @outfitrec.component from its fields; give those without default by examples()"
        require(condition=False, message=f"building it raises {type(error).__name__}: {error}", hint=hint)


@check(EVERY)
def satisfies_its_protocol(subject: Subject) -> None:
    """It has the methods and attributes of its kind, with the parameters that the engine passes."""
    module, _, name = KINDS[subject.kind].protocol.partition(":")
    protocol = getattr(import_module(module), name)
    component = subject.build()
    where = f"see outfitrec.protocols.{name}, or 'outfitrec new-plugin' for a component of this kind that works"
    wanted = {
        one
        for one in (*vars(protocol), *getattr(protocol, "__annotations__", {}))
        if one == "__call__" or not one.startswith("_")
    }
    missing = sorted(one for one in wanted if not hasattr(component, one))
    require(not missing, f"it lacks {', '.join(missing)}: it is no {subject.kind}", where)
    for method in wanted:
        expected = getattr(protocol, method)
        if not inspect.isfunction(expected):
            continue
        # A module is called through its forward.
        has = "forward" if method == "__call__" and isinstance(component, nn.Module) else method
        found = inspect.signature(getattr(component, has))
        needed = [one for one in inspect.signature(expected).parameters if one != "self"]
        optional = {key for key, one in inspect.signature(expected).parameters.items() if one.default is not one.empty}
        try:
            found.bind(*needed)
            found.bind(*[one for one in needed if one not in optional])
        except TypeError as error:
            text = f"{has}{found} cannot be called with ({', '.join(needed)}): {error}"
            require(condition=False, message=text, hint=where)


@check(EVERY)
def refuses_unknown_fields(subject: Subject) -> None:
    """A keyword that is none of its fields is an error, so that no misspelt key is ignored."""
    values = {str(one.alias): value for one, value in subject.values()}
    try:
        subject.component(**values, no_such_key=1)
    except TypeError:
        return
    hint = "leave __init__ to @outfitrec.component: it takes the fields and nothing else"
    require(condition=False, message="it takes the unknown keyword 'no_such_key' without a word", hint=hint)


@check(EVERY)
def explains_itself(subject: Subject) -> None:
    """The class has a docstring of its own, and each field a line of help."""
    doc = subject.component.__dict__.get("__doc__") or ""
    require(
        doc.strip() and not doc.startswith(f"{subject.component.__name__}("),
        "the class has no docstring",
        "say in a line what it does; then formula, and where it is from (Reference: …): 'outfitrec explain' shows it",
    )
    config_class(subject.config.registration)
    for one in attrs.fields(subject.component):
        text = info(one).help
        require(
            text.strip() and "\n" not in text,
            f"the help of {one.name} is {text!r}",
            "give one line that says what it does, with its unit or range",
        )


@check(EVERY)
def repeats_with_its_seed(subject: Subject) -> None:
    """With the same seeds and inputs it gives the same, bit for bit."""
    first, second = used(subject), used(subject)
    require(
        same(first, second),
        "two of it, built and called with the same seeds, give different values",
        "draw from the generator that it is given, and from nothing else; do not depend on time, hashes or addresses",
    )


@check(EVERY)
def remembers_nothing(subject: Subject) -> None:
    """A second call with the same inputs and seed gives the same as the first."""
    component = subject.build()
    first = copied(used(subject, component))
    require(
        same(first, used(subject, component)),
        "the second call gives other values than the first",
        "keep nothing from one call to the next: a run that is interrupted goes on with a new instance",
    )


@check(EVERY)
def draws_from_its_generator_alone(subject: Subject) -> None:
    """No call draws from a global generator or seeds one, and building draws from torch's alone."""
    hint = (
        "draw from the generator that it is given: torch.rand(…, generator=generator); what is given none may drop at "
        "random in training, by nn.Dropout or F.dropout"
    )
    before = _stirred()
    component = subject.build()
    require(before["numpy"] == _drawn()["numpy"], "building it draws from numpy's global generator", hint)
    for training in (False, True):
        how = "a call in training (dropout apart)" if training else "a call"
        before = _stirred()
        used(subject, component, training=training)
        for name, state in _drawn().items():
            require(state == before[name], f"{how} draws from {name}'s global generator, or seeds it", hint)
    # Others, such as checkers of types, draw from Python's: what it gives must not depend on that.
    (first, before), (second, after) = _by_random(subject, 1), _by_random(subject, 2)
    require(same(first, second), "what it gives depends on the global generator of Python's random", hint)
    require(before != after, "it seeds the global generator of Python's random", hint)


@check(EVERY)
def leaves_torch_as_it_was(subject: Subject) -> None:
    """It changes neither the grad mode nor the default dtype, the number of threads or the default device."""
    before = settings()
    used(subject)
    changed = [name for name, value in settings().items() if value != before[name]]
    require(
        not changed,
        f"it changes {', '.join(changed)} for everybody",
        "use the context managers torch.no_grad(), torch.device(…), and give dtypes where tensors are made",
    )


@check(EVERY)
def leaves_its_inputs_alone(subject: Subject) -> None:
    """What it is called with is the same afterwards."""
    inputs = use_of(subject.kind).inputs(subject)
    before = copied(inputs)
    used(subject, inputs=inputs)
    require(
        same(before, inputs),
        "a call changes its inputs",
        "make new tensors: no x += …, no x[…] = …, no function that ends in '_' on what was given",
    )


@check(EVERY)
def survives_a_checkpoint(subject: Subject) -> None:
    """Saved and loaded by a checkpoint, another one of it gives the same."""
    component = subject.build(seed=1)
    if not isinstance(component, nn.Module):
        raise NotApplicableError("it is no module of torch: it has no state")
    first = copied(used(subject, component))
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder), "contract")
        hint = "keep tensors in parameters and persistent buffers, and get_extra_state to plain values"
        try:
            checkpoints.save("one", {"epoch": 0, "model": component.state_dict()})
            state = checkpoints.load("one") or {}
        except Exception as error:
            text = f"its state cannot be saved and read without running code: {type(error).__name__}: {error}"
            require(condition=False, message=text, hint=hint)
    other = subject.build(seed=2)
    other.load_state_dict(state["model"])
    require(
        same(first, used(subject, other)),
        "another one with its state gives other values",
        "what the result depends on belongs in parameters and persistent buffers (register_buffer)",
    )


@check(EVERY)
def is_finite_in_mixed_precision(subject: Subject) -> None:
    """With float32 and with bfloat16 its values are finite."""
    require(
        all(torch.isfinite(one).all() for one in tensors(used(subject)) if one.is_floating_point()),
        "it gives values that are not finite",
        "look for logarithms and divisions of zero, and for exp of large numbers: logsumexp and softplus help",
    )
    if subject.kind in OUTSIDE:
        return
    component = subject.build()
    inputs = use_of(subject.kind).inputs(subject)
    with torch.autocast("cpu", torch.bfloat16):
        given = inputs if isinstance(component, nn.Module) else floats(inputs, torch.bfloat16)
        found = used(subject, component, given)
    require(
        all(torch.isfinite(one).all() for one in tensors(found) if one.is_floating_point()),
        "in mixed precision (bfloat16) it gives values that are not finite",
        "compute what is delicate in float32: x.float(), or torch.autocast(…, enabled=False)",
    )


@check(EVERY)
def agrees_between_cpu_and_gpu(subject: Subject) -> None:
    """On a GPU it gives what it gives on the CPU, up to rounding."""
    if subject.kind in {"dataset", "negatives", "augmenter", "logger"}:
        raise NotApplicableError("the engine uses it on the CPU")
    if not torch.cuda.is_available():
        raise NotApplicableError("there is no GPU")
    component = subject.build()
    expected = copied(used(subject, component))
    other = subject.build()
    if isinstance(other, nn.Module):
        other.cuda()
    inputs = mapped(use_of(subject.kind).inputs(subject), lambda tensor: tensor.cuda())
    found = mapped(used(subject, other, inputs), lambda tensor: tensor.cpu())
    require(
        near(expected, found, rtol=1e-3, atol=1e-4),
        "on a GPU it gives other values than on the CPU",
        "make new tensors on the device of the inputs (x.new_zeros, device=x.device); draw on the CPU, then move",
    )


def _drawn() -> dict[str, Any]:
    """The states of the global generators of torch and numpy."""
    name, keys, *rest = np.random.get_state()  # to see whether somebody draws from it
    return {"torch": torch.get_rng_state().numpy().tobytes(), "numpy": (name, np.asarray(keys).tobytes(), *rest)}


def _stirred() -> dict[str, Any]:
    """The same, in a state that no seed gives: who seeds them is seen by that, as often as it was done before."""
    torch.rand(1)
    np.random.rand()  # see above
    return _drawn()


def _by_random(subject: Subject, seed: int) -> tuple[Any, Any]:
    """What it gives, built and called anew, with Python's global generator in a certain state; and its state then."""
    random.seed(seed)
    return [copied(used(subject, training=training)) for training in (False, True)], random.getstate()
