"""Distillers: weights of the negatives by what the teacher says."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.nested import described, near, tensors
from outfitrec.testing.subject import Subject

PAIRS = 5
NEGATIVES = 7
# Far beyond any score of a teacher.
EXTREME = 1e4
# Distances of a negative from the mean: of two cosines, and of scores without bounds.
FAR = (0.5, 10.0)


def inputs(subject: Subject) -> Mapping[str, Any]:
    """The teacher's scores of five pairs' seven negatives, and its mean scores of their users' positives."""
    draws = generator("contract", "distiller")
    return {
        "teacher_positive_mean": torch.rand(PAIRS, generator=draws),
        "teacher_negative": torch.rand(PAIRS, NEGATIVES, generator=draws) * 2 - 1,
    }


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The weights."""
    return component(inputs["teacher_positive_mean"], inputs["teacher_negative"])


def _scores(subject: Subject) -> tuple[Tensor, Tensor]:
    found = inputs(subject)
    return found["teacher_positive_mean"], found["teacher_negative"]


@check("distiller")
def gives_a_weight_for_each_negative(subject: Subject) -> None:
    """Its weights have the shape of the teacher's scores of the negatives, and are floating-point numbers."""
    mean, negative = _scores(subject)
    for rows, columns in ((PAIRS, NEGATIVES), (PAIRS, 1), (1, NEGATIVES), (1, 1)):
        found = subject.settled()(mean[:rows], negative[:rows, :columns])
        require(
            isinstance(found, Tensor) and found.shape == (rows, columns) and found.is_floating_point(),
            f"for {rows} pairs with {columns} negatives it gives {described(found)}",
            f"give a tensor of shape [{rows}, {columns}]: mean[:, None] makes the mean a column",
        )
        require(
            torch.isfinite(found).all(),
            f"for {rows} pairs with {columns} negatives its weights are not finite",
            "losses such as bpr take one negative a pair, of which there is no deviation to divide by",
        )


@check("distiller")
def gives_no_gradient_to_the_teacher(subject: Subject) -> None:
    """The weights are constants to whoever trains the teacher: nothing flows back to its scores."""
    scores = tuple(one.requires_grad_() for one in _scores(subject))
    found = subject.settled()(*scores)
    gradients = tensors(torch.autograd.grad(found.sum(), scores, allow_unused=True) if found.requires_grad else ())
    require(
        not any(one.any() for one in gradients),
        "a gradient flows from the weights to the teacher's scores",
        "the teacher is frozen: detach the weights, or the scores",
    )


@check("distiller")
def depends_on_what_the_teacher_says(subject: Subject) -> None:
    """A negative far above the mean of the user's positives has another weight than one far below it."""
    distiller, (mean, _) = subject.settled(), _scores(subject)
    columns = mean[:, None].expand(PAIRS, NEGATIVES)
    # Some compare with the mean, some with the other negatives of the pair.
    first = torch.arange(NEGATIVES) < NEGATIVES // 2
    for far in FAR:
        above, below = distiller(mean, columns + far), distiller(mean, columns - far)
        mixed = distiller(mean, columns + torch.where(first, far, -far))
        if not torch.allclose(above, below) or not torch.allclose(mixed[:, :1], mixed[:, -1:]):
            return
    require(
        condition=False,
        message=f"negatives {FAR[-1]:g} above and {FAR[-1]:g} below the mean have the same weights",
        hint="read teacher_negative: what the teacher likes more than teacher_positive_mean may be no negative at all",
    )


@check("distiller")
def is_finite_at_extreme_scores(subject: Subject) -> None:
    """With scores of 10,000 of either sign, and with equal ones, the weights are finite."""
    distiller = subject.settled()
    for mean in (EXTREME, 0.0, -EXTREME):
        for negative in (EXTREME, 0.0, -EXTREME):
            found = distiller(torch.full((PAIRS,), mean), torch.full((PAIRS, NEGATIVES), negative))
            require(
                torch.isfinite(found).all(),
                f"with a mean of {mean:g} and negatives at {negative:g} its weights are {found.unique().tolist()}",
                "use softmax, softplus or logsigmoid in place of exp and log, and divide by nothing that may be 0",
            )


@check("distiller")
def does_not_depend_on_the_order(subject: Subject) -> None:
    """Pairs in another order, and a pair's negatives in another order, have the weights that they had."""
    distiller, (mean, negative) = subject.settled(), _scores(subject)
    expected, draws = distiller(mean, negative), generator("contract", "order")
    rows, columns = torch.randperm(PAIRS, generator=draws), torch.randperm(NEGATIVES, generator=draws)
    for name, found, ordered in (
        ("pairs", distiller(mean[rows], negative[rows]), expected[rows]),
        ("negatives", distiller(mean, negative[:, columns]), expected[:, columns]),
    ):
        require(
            near(found, ordered),
            f"with the {name} in another order the weights differ by up to {float((found - ordered).abs().max()):g}",
            f"treat all {name} alike: they come in no order",
        )


@check("distiller")
def agrees_with_its_oracle(subject: Subject) -> None:
    """It gives what the naive function gives that its author provides."""
    if subject.oracle is None:
        raise NotApplicableError("no oracle is given")
    ours, theirs = subject.settled()(*_scores(subject)), subject.oracle(*_scores(subject))
    require(
        near(ours, theirs),
        f"its first weights are {ours[0, :3].tolist()}, those of its oracle {theirs[0, :3].tolist()}",
        "one of the two is wrong: compute a case by hand",
    )
