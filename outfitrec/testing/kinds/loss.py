"""Ranking losses."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Generator, Tensor

from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.nested import described, number
from outfitrec.testing.subject import Subject

PAIRS = 5
NEGATIVES = 7
# Far beyond any score that a training sees.
EXTREME = 1e4
# Of the sums in another order.
CLOSE = 1e-5
MASKING = "leave masked entries out of the sum, and divide by what is left: masked_fill before the exponential"


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Scores of five pairs and their seven negatives, with weights of both signs and a mask."""
    draws = generator("contract", "loss")
    mask = torch.rand(PAIRS, NEGATIVES, generator=draws) > 0.2
    # A pair without any negative counts as well.
    mask[-1] = False
    return {
        "positive": torch.randn(PAIRS, generator=draws),
        "negative": torch.randn(PAIRS, NEGATIVES, generator=draws),
        "weight": torch.randn(PAIRS, NEGATIVES, generator=draws),
        "mask": mask,
    }


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """Its value, with and without weight and mask."""
    positive, negative = inputs["positive"], inputs["negative"]
    weight, mask = inputs["weight"], inputs["mask"]
    return [
        component(positive, negative),
        component(positive, negative, weight),
        component(positive, negative, None, mask),
        component(positive, negative, weight, mask),
    ]


def _scores(subject: Subject) -> tuple[Tensor, Tensor]:
    found = inputs(subject)
    return found["positive"], found["negative"]


@check("loss")
def is_a_scalar(subject: Subject) -> None:
    """It is one number, which depends on the scores."""
    loss, (positive, negative) = subject.settled(), _scores(subject)
    positive.requires_grad_()
    found = loss(positive, negative)
    require(
        isinstance(found, Tensor) and found.shape == (),
        f"it gives {described(found)}, and not one number",
        "give the mean over the pairs, as a tensor without dimensions",
    )
    require(
        found.requires_grad,
        "no gradient flows from it to the scores",
        "do not detach the scores, and compute with torch alone",
    )


@check("loss")
def is_finite_at_extreme_scores(subject: Subject) -> None:
    """With scores of 10,000 of either sign, value and gradient are finite."""
    loss = subject.settled()
    for sign in (1.0, -1.0):
        positive = torch.full((PAIRS,), sign * EXTREME, requires_grad=True)
        negative = torch.full((PAIRS, NEGATIVES), -sign * EXTREME, requires_grad=True)
        found = loss(positive, negative)
        found.backward()
        whole = all(one.grad is None or torch.isfinite(one.grad).all() for one in (positive, negative))
        require(
            torch.isfinite(found) and whole,
            f"with positives at {sign * EXTREME:g} and negatives at {-sign * EXTREME:g} it is {number(found):g}, "
            f"its gradient {'finite' if whole else 'not finite'}",
            "use logsumexp, softplus or logsigmoid in place of log(…exp(…)…)",
        )


@check("loss")
def ignores_masked_negatives(subject: Subject) -> None:
    """Negatives whose mask is False have no influence, whatever their score and weight, and get no gradient."""
    loss, found = subject.settled(), inputs(subject)
    positive, negative, weight, mask = (found[key] for key in ("positive", "negative", "weight", "mask"))
    expected = loss(positive, negative, weight, mask)
    for value in (EXTREME, -EXTREME):
        other = loss(positive, negative.masked_fill(~mask, value), weight.masked_fill(~mask, value), mask)
        require(
            torch.isclose(expected, other, rtol=CLOSE, atol=CLOSE),
            f"with {value:g} in the masked entries it is {number(other):g}, and {number(expected):g} without",
            MASKING,
        )
    leaf = negative.clone().requires_grad_()
    value = loss(positive, leaf, weight, mask)
    if value.requires_grad:
        value.backward()
    gradient = torch.zeros_like(negative) if leaf.grad is None else leaf.grad
    require(not gradient[~mask].any(), "masked negatives get a gradient", MASKING)


@check("loss")
def equals_the_loss_of_what_the_mask_leaves(subject: Subject) -> None:
    """A mask that leaves the same number of negatives to each pair is as if the others had not been drawn."""
    loss, (positive, negative) = subject.settled(), _scores(subject)
    kept = torch.zeros_like(negative, dtype=torch.bool)
    kept[:, ::2] = True
    expected, found = loss(positive, negative[:, ::2]), loss(positive, negative, None, kept)
    require(
        torch.isclose(expected, found, rtol=CLOSE, atol=CLOSE),
        f"every other negative masked gives {number(found):g}; without them it is {number(expected):g}",
        MASKING,
    )


@check("loss")
def stands_pairs_without_negatives(subject: Subject) -> None:
    """Where everything is masked, value and gradient are finite."""
    loss, (positive, negative) = subject.settled(), _scores(subject)
    positive.requires_grad_()
    found = loss(positive, negative, None, torch.zeros_like(negative, dtype=torch.bool))
    require(
        torch.isfinite(found),
        f"with every negative masked it is {number(found):g}",
        "a mean over nothing is NaN: divide by at least 1",
    )
    if found.requires_grad:
        found.backward()
    gradient = positive.grad
    require(
        gradient is None or torch.isfinite(gradient).all(),
        "with every negative masked its gradient is not finite",
        "where all entries are minus infinity logsumexp has no gradient: give the pair an entry of 0",
    )


@check("loss")
def takes_a_weight_of_one_as_none(subject: Subject) -> None:
    """Weights of 1 are as no weights, and other weights make a difference."""
    loss, (positive, negative) = subject.settled(), _scores(subject)
    without = loss(positive, negative)
    ones = loss(positive, negative, torch.ones_like(negative))
    require(
        torch.isclose(without, ones, rtol=CLOSE, atol=CLOSE),
        f"with weights of 1 it is {number(ones):g}, without {number(without):g}",
        "a weight multiplies the negative's score (Eq. 13)",
    )
    other = loss(positive, negative, torch.full_like(negative, -3.0))
    require(
        not torch.isclose(without, other, rtol=CLOSE, atol=CLOSE),
        "weights make no difference: a distiller would have no effect",
        "a weight multiplies the negative's score (Eq. 13)",
    )


@check("loss")
def has_the_gradient_of_its_value(subject: Subject) -> None:
    """In float64 its gradient is that of its value, by finite differences."""
    loss, found = subject.settled(), inputs(subject)
    scores = [found[key].double().requires_grad_() for key in ("positive", "negative", "weight")]
    if isinstance(loss, torch.nn.Module):
        loss.double()

    def value(positive: Tensor, negative: Tensor, weight: Tensor) -> Tensor:
        result: Tensor = loss(positive, negative, weight, found["mask"])
        return result

    try:
        torch.autograd.gradcheck(value, scores)
    except RuntimeError as error:
        text = f"gradient and finite differences disagree: {str(error).splitlines()[0]}"
        hint = (
            "compute in the dtype of the scores, and detach nothing; where a method stops a gradient on purpose, give "
            "this check as expected by examples(), with the reason"
        )
        require(condition=False, message=text, hint=hint)


@check("loss")
def falls_when_the_margin_grows(subject: Subject) -> None:
    """It is less where positives are farther above their negatives, and never rises with a positive's score."""
    loss, (positive, negative) = subject.settled(), _scores(subject)
    values = [number(loss(positive + shift, negative)) for shift in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    require(
        all(later <= earlier + CLOSE for earlier, later in pairwise(values)),
        f"with all positives raised from -2 to 2 it goes {', '.join(f'{one:.4g}' for one in values)}",
        "a higher score of the positive is better: look at the signs",
    )
    require(
        values[-1] < values[0],
        f"positives that are 4 higher leave it at {values[0]:.4g}",
        "a higher score of the positive is better: it must fall",
    )


@check("loss")
def does_not_depend_on_the_order(subject: Subject) -> None:
    """Pairs in another order, and a pair's negatives in another order, give the same."""
    loss, found = subject.settled(), inputs(subject)
    expected = loss(*(found[key] for key in ("positive", "negative", "weight", "mask")))
    draws = generator("contract", "order")
    rows, columns = torch.randperm(PAIRS, generator=draws), torch.randperm(NEGATIVES, generator=draws)
    by_pair = loss(found["positive"][rows], *(found[key][rows] for key in ("negative", "weight", "mask")))
    by_negative = loss(found["positive"], *(found[key][:, columns] for key in ("negative", "weight", "mask")))
    for name, other in (("pairs", by_pair), ("negatives", by_negative)):
        require(
            torch.isclose(expected, other, rtol=CLOSE, atol=CLOSE),
            f"with the {name} in another order it is {number(other):g}, not {number(expected):g}",
            f"treat all {name} alike: they come in no order",
        )


@check("loss")
def does_not_grow_with_the_number_of_pairs(subject: Subject) -> None:
    """The same pairs twice give the same value: it is a mean over the pairs."""
    loss, (positive, negative) = subject.settled(), _scores(subject)
    once, twice = loss(positive, negative), loss(positive.repeat(2), negative.repeat(2, 1))
    require(
        torch.isclose(once, twice, rtol=CLOSE, atol=CLOSE),
        f"with each pair twice it is {number(twice):g}, not {number(once):g}",
        "take the mean over the pairs, so that a rate that suits one batch size suits others",
    )


@check("loss")
def agrees_with_its_oracle(subject: Subject) -> None:
    """It gives what the naive function gives that its author provides."""
    if subject.oracle is None:
        raise NotApplicableError("no oracle is given")
    for use in (set[str](), {"weight"}, {"mask"}, {"weight", "mask"}):
        found = inputs(subject)
        rest = {key: found[key] if key in use else None for key in ("weight", "mask")}
        ours = number(subject.settled()(found["positive"], found["negative"], **rest))
        theirs = number(subject.oracle(found["positive"], found["negative"], **rest))
        require(
            math.isclose(ours, theirs, rel_tol=1e-4, abs_tol=1e-6),
            f"it gives {ours:g}, its oracle {theirs:g}, with {' and '.join(sorted(use)) or 'neither weight nor mask'}",
            "one of the two is wrong: compute a case by hand",
        )
