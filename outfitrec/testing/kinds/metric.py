"""Metrics: per-user values of a ranking."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import torch
from torch import Generator, Tensor

from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.nested import near
from outfitrec.testing.subject import Subject

# Numbers of users, in the order in which they come first.
USERS = (7, 2, 40, 5)
ROWS = 24
RELEVANT = 6
UNDEFINED = "give NaN for a user for whom the metric is undefined: the mean over users leaves it out"


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Scores of four users for 24 outfits each, no two alike, six of them relevant; the users' rows are mixed."""
    draws = generator("contract", "metric")
    count = len(USERS) * ROWS
    user = torch.tensor(USERS).repeat_interleave(ROWS)
    relevant = torch.cat([torch.randperm(ROWS, generator=draws) < RELEVANT for _ in USERS])
    # Evenly apart, so that no function of them makes two equal.
    scores = torch.randperm(count, generator=draws) / count - 0.5
    mixed = torch.cat([torch.tensor([0]), 1 + torch.randperm(count - 1, generator=draws)])
    return {"scores": scores[mixed], "relevant": relevant[mixed], "user": user[mixed]}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The values of the users."""
    return component(inputs["scores"], inputs["relevant"], inputs["user"])


def _rows(subject: Subject) -> tuple[Tensor, Tensor, Tensor]:
    found = inputs(subject)
    return found["scores"], found["relevant"], found["user"]


@check("metric")
def has_a_label(subject: Subject) -> None:
    """Its label is a word for results, and its direction is said."""
    metric = subject.build()
    require(
        isinstance(metric.label, str) and metric.label and not any(sign.isspace() for sign in metric.label),
        f"its label is {metric.label!r}",
        "give a word that results and train.select can have, such as 'ndcg@10', with the fields that change its values",
    )
    require(
        isinstance(metric.higher_is_better, bool),
        f"its higher_is_better is {metric.higher_is_better!r}",
        "say True or False: it decides which epoch is the best",
    )


@check("metric")
def gives_a_value_for_each_user(subject: Subject) -> None:
    """It gives as many floating-point values as users occur, and no infinite one."""
    found = subject.build()(*_rows(subject))
    described = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
    require(
        isinstance(found, Tensor) and found.shape == (len(USERS),) and found.is_floating_point(),
        f"for the users {sorted(USERS)} it gives {described}",
        "give one value for each user that occurs: numbers of users may have gaps",
    )
    require(not found.isinf().any(), f"its values are {_shown(found)}", UNDEFINED)


@check("metric")
def follows_the_order_of_users(subject: Subject) -> None:
    """Values stand in ascending order of the users' numbers, wherever the users come first."""
    metric, (scores, relevant, user) = subject.build(), _rows(subject)
    found, turned = metric(scores, relevant, user), metric(scores, relevant, max(USERS) - user)
    require(
        near(found, turned.flip(0)),
        f"values are {_shown(found)}; with the numbers of users turned round they are {_shown(turned)}",
        "order values by the number of the user: torch.unique(user, return_inverse=True)",
    )


@check("metric")
def judges_users_by_themselves(subject: Subject) -> None:
    """A user's value is that of the user's rows alone, whoever else there is."""
    metric, (scores, relevant, user) = subject.build(), _rows(subject)
    found = metric(scores, relevant, user)
    alone = torch.cat([metric(*(one[user == number] for one in (scores, relevant, user))) for number in sorted(USERS)])
    require(
        near(found, alone),
        f"values are {_shown(found)}; of each user alone they are {_shown(alone)}",
        "compute within each user: ranks and counts start anew with each",
    )


@check("metric")
def does_not_depend_on_the_order_of_rows(subject: Subject) -> None:
    """Rows in another order give the same values, with and without equal scores."""
    metric, (scores, relevant, user) = subject.build(), _rows(subject)
    mixed = torch.randperm(len(scores), generator=generator("contract", "order"))
    for name, given in (("different", scores), ("some equal", (scores * 6).round()), ("all equal", scores * 0)):
        found, other = metric(given, relevant, user), metric(given[mixed], relevant[mixed], user[mixed])
        require(
            near(found, other),
            f"with rows in another order the values are {_shown(other)}, not {_shown(found)} (scores: {name})",
            "break ties neutrally, not by the place in the input",
        )


@check("metric")
def breaks_ties_neutrally(subject: Subject) -> None:
    """The value of equal scores is the mean over all their orders."""
    metric = subject.build()
    # Rows above the equal ones, equal ones, rows below them, and how many of each are relevant.
    for sizes, hits in (
        ((0, 8, 0), (0, 2, 0)),
        ((0, 5, 9), (0, 2, 3)),
        ((3, 6, 15), (1, 2, 3)),
        ((18, 4, 2), (2, 1, 1)),
    ):
        above, equal, below = ([rank < hit for rank in range(size)] for size, hit in zip(sizes, hits, strict=True))
        orders = [
            [*above, *(place in chosen for place in range(len(equal))), *below]
            for chosen in combinations(range(len(equal)), hits[1])
        ]
        rows = len(orders[0])
        falling = torch.arange(rows, 0, -1).float()
        expected = metric(
            falling.repeat(len(orders)),
            torch.tensor(orders).flatten(),
            torch.arange(len(orders)).repeat_interleave(rows),
        ).mean(dim=0, keepdim=True)
        tied = falling.clone()
        tied[len(above) : len(above) + len(equal)] = falling[len(above)]
        found = metric(tied, torch.tensor([*above, *equal, *below]), torch.zeros(rows, dtype=torch.long))
        require(
            near(found, expected),
            f"of {rows} scores {len(equal)} are equal, from rank {len(above) + 1}: it gives {_shown(found)}; "
            f"the mean over their orders is {_shown(expected)}",
            "give the expected value over random orders of equal scores: a model that scores all alike is no better "
            "than chance, and must not look better by the order of the rows",
        )


@check("metric")
def stands_users_of_one_class(subject: Subject) -> None:
    """Users for whom all, or no, rows are relevant have a value or NaN, and change no other's value."""
    metric, (scores, relevant, user) = subject.build(), _rows(subject)
    expected, all_of, none_of = metric(scores, relevant, user), sorted(USERS)[1], sorted(USERS)[2]
    found = metric(scores, (relevant | (user == all_of)) & (user != none_of), user)
    shape = tuple(found.shape)
    require(shape == (len(USERS),), f"with users of one class it gives values of shape {shape}", UNDEFINED)
    require(not found.isinf().any(), f"with users of one class its values are {_shown(found)}", UNDEFINED)
    others = torch.tensor([0, 3], device=found.device)
    require(
        near(found[others], expected[others]),
        f"with two users of one class the others' values are {_shown(found[others])}, not {_shown(expected[others])}",
        "compute within each user",
    )


@check("metric")
def depends_on_ranks_alone(subject: Subject) -> None:
    """Scores that are stretched, shifted or bent without a change of their order give the same values."""
    metric, (scores, relevant, user) = subject.build(), _rows(subject)
    expected = metric(scores, relevant, user)
    for name, other in (
        ("times 1,000", scores * 1000),
        ("minus 100", scores.double() - 100),
        ("after tanh", scores.tanh()),
        ("cubed", scores.double() ** 3),
    ):
        found = metric(other, relevant, user)
        require(
            near(found, expected),
            f"with scores {name} the values are {_shown(found)}, not {_shown(expected)}",
            "only the order of the scores counts: models score in different ranges",
        )


@check("metric")
def tells_its_direction(subject: Subject) -> None:
    """A perfect ranking is at least as good as its reverse, by ``higher_is_better``."""
    metric, (_, relevant, user) = subject.build(), _rows(subject)
    # A shift of each row, so that no two scores are equal.
    apart = torch.arange(len(relevant)) / (2 * len(relevant))
    best, worst = metric(relevant + apart, relevant, user), metric(-(relevant + apart), relevant, user)
    right = best >= worst - 1e-6 if metric.higher_is_better else best <= worst + 1e-6
    require(
        (right | best.isnan() | worst.isnan()).all(),
        f"a perfect ranking has {_shown(best)}, its reverse {_shown(worst)}, and higher_is_better is "
        f"{metric.higher_is_better}",
        "turn higher_is_better round, or the sign of the values: a higher score is a better rank",
    )


@check("metric")
def agrees_with_its_oracle(subject: Subject) -> None:
    """It gives what the naive function gives that its author provides."""
    if subject.oracle is None:
        raise NotApplicableError("no oracle is given")
    ours, theirs = subject.build()(*_rows(subject)), subject.oracle(*_rows(subject))
    require(
        near(ours, torch.as_tensor(theirs)),
        f"it gives {_shown(ours)}, its oracle {_shown(torch.as_tensor(theirs))}",
        "one of the two is wrong: compute a case by hand",
    )


def _shown(values: Tensor) -> str:
    return ", ".join(f"{one:.4g}" for one in values.flatten().tolist())
