"""Contrastive losses."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from outfitrec.core.errors import UserError
from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.nested import number, tensors
from outfitrec.testing.subject import Subject

OUTFITS = 6
DIM = 8
# Lengths of embeddings far beyond, and far below, those of a training.
LENGTHS = (1e4, 1e-4)
# Of the sums in another order.
CLOSE = 1e-5
FINITE = "F.normalize and F.cosine_similarity stand zeros; use logsumexp and log_softmax in place of log(…exp(…)…)"


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Two views of six outfits, and their labels: those of four users."""
    draws = generator("contract", "contrast")
    a = torch.randn(OUTFITS, DIM, generator=draws)
    b = a + 0.5 * torch.randn(OUTFITS, DIM, generator=draws)
    return {"a": a, "b": b, "label": torch.tensor([4, 0, 4, 9, 2, 0])}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """Its value with the labels that there are, and with a label of its own for each outfit."""
    a, b, label = inputs["a"], inputs["b"], inputs["label"]
    return [component(a, b, label), component(a, b, torch.arange(len(a), device=label.device))]


def _views(subject: Subject) -> tuple[Tensor, Tensor, Tensor]:
    found = inputs(subject)
    return found["a"], found["b"], found["label"]


@check("contrast")
def is_a_scalar(subject: Subject) -> None:
    """It is one number, from which a gradient flows to the views."""
    a, b, label = _views(subject)
    views = (a.requires_grad_(), b.requires_grad_())
    found = subject.settled()(a, b, label)
    shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
    require(
        isinstance(found, Tensor) and found.shape == (),
        f"it gives {shape}, and not one number",
        "give the mean over the outfits, as a tensor without dimensions",
    )
    gradients = torch.autograd.grad(found, views, allow_unused=True) if found.requires_grad else ()
    require(
        any(one is not None for one in gradients),
        "no gradient flows from it to either view",
        "do not detach both views, and compute with torch alone",
    )


@check("contrast")
def takes_labels_or_leaves_them(subject: Subject) -> None:
    """It takes labels, which the engine gives; without, it is one finite number, or says that it needs them."""
    contrast, (a, b, label) = subject.settled(), _views(subject)
    found = contrast(a, b, label)
    require(
        math.isfinite(number(found)),
        f"with labels it is {number(found):g}",
        "a label is the number of the outfit's user: any integer, once or several times in a step",
    )
    try:
        without = contrast(a, b)
    except (ValueError, UserError) as error:
        require(
            "label" in str(error),
            f"without labels it raises {type(error).__name__}: {error}",
            "take label=None, or raise a ValueError that says that it needs labels",
        )
    else:
        require(
            isinstance(without, Tensor) and without.shape == () and math.isfinite(number(without)),
            f"without labels it is {without}",
            "without labels treat each outfit as one of its own, or raise a ValueError that says that it needs labels",
        )


@check("contrast")
def is_finite_at_extreme_embeddings(subject: Subject) -> None:
    """For embeddings very long or short, all equal, or zero, value and gradient are finite."""
    contrast, (a, b, label) = subject.settled(), _views(subject)
    zero = a.clone()
    zero[::2] = 0
    cases = {
        **{f"embeddings {length:g} times as long": (a * length, b * length) for length in LENGTHS},
        "views of opposite signs": (a, -a),
        "the same embedding throughout": (a[:1].repeat(OUTFITS, 1), a[:1].repeat(OUTFITS, 1)),
        "zeros among the first views": (zero, b),
        "nothing but zeros": (torch.zeros_like(a), torch.zeros_like(b)),
    }
    for name, (one, other) in cases.items():
        _finite(contrast, one, other, label, name, FINITE)


@check("contrast")
def stands_few_outfits(subject: Subject) -> None:
    """With two outfits, and with one, value and gradient are finite: the last step of an epoch may be that small."""
    contrast, (a, b, label) = subject.settled(), _views(subject)
    for count in (2, 1):
        hint = "a single outfit has nothing to repel and no deviation: 0 is a value, NaN would end the training"
        _finite(contrast, a[:count], b[:count], label[:count], f"{count} outfits", hint)


@check("contrast")
def has_the_gradient_of_its_value(subject: Subject) -> None:
    """In float64 its gradient is that of its value, by finite differences."""
    contrast, (a, b, label) = subject.settled(), _views(subject)
    if isinstance(contrast, torch.nn.Module):
        contrast.double()

    def value(a: Tensor, b: Tensor) -> Tensor:
        found: Tensor = contrast(a, b, label)
        return found

    try:
        torch.autograd.gradcheck(value, [a.double().requires_grad_(), b.double().requires_grad_()])
    except RuntimeError as error:
        text = f"gradient and finite differences disagree: {str(error).splitlines()[0]}"
        hint = (
            "compute in the dtype of the views, and detach nothing; where a method stops a gradient on purpose, give "
            "this check as expected by examples(), with the reason"
        )
        require(condition=False, message=text, hint=hint)


@check("contrast")
def does_not_depend_on_the_order(subject: Subject) -> None:
    """Outfits in another order, both views and the labels alike, give the same."""
    contrast, (a, b, label) = subject.settled(), _views(subject)
    expected = contrast(a, b, label)
    rows = torch.randperm(OUTFITS, generator=generator("contract", "order"))
    found = contrast(a[rows], b[rows], label[rows])
    require(
        torch.isclose(expected, found, rtol=CLOSE, atol=CLOSE),
        f"with the outfits in another order it is {number(found):g}, not {number(expected):g}",
        "treat all outfits alike: they come in no order",
    )


@check("contrast")
def is_less_for_views_that_agree(subject: Subject) -> None:
    """Views that are equal give less than views that have nothing in common, of outfits of as many users."""
    contrast, own = subject.settled(), torch.arange(OUTFITS)
    draws = generator("contract", "apart")
    # The mean of some: a random view may by chance be near the right one.
    pairs = [torch.randn(2, OUTFITS, DIM, generator=draws).unbind() for _ in range(4)]
    equal = sum(number(contrast(a, a.clone(), own)) for a, _ in pairs) / len(pairs)
    apart = sum(number(contrast(a, b, own)) for a, b in pairs) / len(pairs)
    require(
        equal < apart,
        f"it is {equal:.4g} for equal views, and {apart:.4g} for views that have nothing in common",
        "the views of one outfit attract each other: look at the signs, and at which row belongs to which",
    )


@check("contrast")
def agrees_with_its_oracle(subject: Subject) -> None:
    """It gives what the naive function gives that its author provides."""
    if subject.oracle is None:
        raise NotApplicableError("no oracle is given")
    a, b, label = _views(subject)
    for one in (label, torch.arange(OUTFITS)):
        ours, theirs = number(subject.settled()(a, b, one)), number(subject.oracle(a, b, one))
        require(
            math.isclose(ours, theirs, rel_tol=1e-4, abs_tol=1e-6),
            f"it gives {ours:g}, its oracle {theirs:g}, with the labels {one.tolist()}",
            "one of the two is wrong: compute a case by hand",
        )


def _finite(contrast: Any, a: Tensor, b: Tensor, label: Tensor, case: str, hint: str) -> None:
    """Require that value and gradient are."""
    views = a.clone().requires_grad_(), b.clone().requires_grad_()
    found = contrast(*views, label)
    gradients = tensors(torch.autograd.grad(found, views, allow_unused=True) if found.requires_grad else ())
    whole = all(torch.isfinite(one).all() for one in gradients)
    require(
        torch.isfinite(found) and whole,
        f"with {case} it is {number(found):g}, its gradient {'finite' if whole else 'not finite'}",
        hint,
    )
