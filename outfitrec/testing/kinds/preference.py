"""Preferences of users for outfits."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, Tensor, nn

from outfitrec.core.create import create
from outfitrec.core.state import map_state
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.dropout import without_dropout
from outfitrec.testing.kinds import aggregator
from outfitrec.testing.kinds.every import draws
from outfitrec.testing.nested import described, distance
from outfitrec.testing.subject import Subject
from outfitrec.testing.world import DIM, USERS

OUTFITS = aggregator.OUTFITS
# Of what sums in another order differ by.
CLOSE = 1e-4
BROADCAST = "let users of shape (b, 1) see all k outfits, and users of shape (p,) one outfit each"
PERSONAL = "say personal: ClassVar[bool] = False where users play no part"


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Users, and the state of eight outfits by the aggregator beside it, or by a Set Transformer."""
    users = torch.arange(OUTFITS) % USERS
    return {"users": users, "state": _state(subject, _outfits(subject))}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The score of each user for the outfit of the same row, and of each user for each outfit."""
    users, state = inputs["users"], inputs["state"]
    return component(users, state), component(users[:, None], state)


def _aggregator(subject: Subject) -> Any:
    config = subject.beside.get("aggregator")
    if config is not None:
        return subject.make(config)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return create("aggregator", "set_transformer", dim=DIM)


def _outfits(subject: Subject, *, smallest: bool = False) -> aggregator.Outfits:
    fewest = aggregator.lowest(subject.build(), _aggregator(subject))
    return aggregator.outfits(subject, (fewest,) if smallest else tuple(max(fewest, one) for one in aggregator.SIZES))


def _state(subject: Subject, outfits: aggregator.Outfits) -> Any:
    part = _aggregator(subject)
    with torch.no_grad(), without_dropout(part, training=False):
        return aggregator.call(subject, part, outfits, draws())


def _scored(component: Any, users: Tensor, state: Any) -> Tensor:
    with without_dropout(component, training=False):
        found: Tensor = component(users, state)
    return found


def _rows(state: Any, rows: Tensor) -> Any:
    return map_state(lambda tensor: tensor.index_select(0, rows), state)


def _personal(component: Any) -> bool:
    return bool(getattr(component, "personal", True))


@check("preference")
def broadcasts_over_users_and_outfits(subject: Subject) -> None:
    """Users (b, 1) with k outfits give (b, k) scores: those that users (p,) with p outfits have for the same pairs."""
    component, state = aggregator.stirred(subject.build()), inputs(subject)["state"]
    for few, many in ((1, 1), (1, OUTFITS), (USERS, 1), (2, OUTFITS), (USERS, USERS)):
        users, outfits = torch.arange(few), torch.arange(many)
        every = _scored(component, users[:, None], _rows(state, outfits))
        require(
            every.shape == (few, many) and every.is_floating_point(),
            f"of users ({few}, 1) and {many} outfits it gives {described(every)}, not [{few}, {many}]",
            BROADCAST,
        )
        pairs = _scored(component, users.repeat_interleave(many), _rows(state, outfits.repeat(few)))
        require(
            pairs.shape == (few * many,),
            f"of users ({few * many},) and as many outfits it gives {described(pairs)}, not [{few * many}]",
            BROADCAST,
        )
        share = distance(every.flatten(), pairs)
        text = f"users ({few}, 1) with {many} outfits have scores that differ by {share:.1%} from those pair by pair"
        require(share < CLOSE, text, BROADCAST)


@check("preference")
def treats_each_pair_alone(subject: Subject) -> None:
    """In evaluation the score of a user for an outfit depends on no other user or outfit of the batch."""
    component, found = aggregator.stirred(subject.build()), inputs(subject)
    users, state = found["users"], found["state"]
    expected = _scored(component, users, state)
    alone = [_scored(component, users[row : row + 1], _rows(state, torch.tensor([row]))) for row in range(OUTFITS)]
    share = distance(expected, torch.cat(alone))
    require(
        share < CLOSE,
        f"pair by pair its scores differ by {share:.1%} of the largest",
        "in evaluation use no figure of the batch",
    )


@check("preference")
def depends_on_the_user(subject: Subject) -> None:
    """Users have scores of their own, unless it says that they play no part."""
    component = aggregator.stirred(subject.build())
    if not _personal(component):
        raise NotApplicableError("users play no part, as it says (personal)")
    scores = _scored(component, torch.arange(USERS)[:, None], inputs(subject)["state"])
    require(
        distance(scores, scores[:1].expand_as(scores)) > CLOSE,
        f"all {USERS} users have the same scores, whatever its parameters",
        f"read the user's own parameters; or {PERSONAL}",
    )


@check("preference")
def ignores_the_user_where_it_says_so(subject: Subject) -> None:
    """Where it says that users play no part, all have the same scores."""
    component = aggregator.stirred(subject.build())
    if _personal(component):
        raise NotApplicableError("users play a part")
    scores = _scored(component, torch.arange(USERS)[:, None], inputs(subject)["state"])
    share = distance(scores, scores[:1].expand_as(scores))
    require(
        share < CLOSE,
        f"it says personal = False, and the scores of users differ by {share:.1%} of the largest",
        "leave personal out: users play a part",
    )


@check("preference")
def takes_every_user(subject: Subject) -> None:
    """Each user, the first and the last among them, has finite scores, and so have all in any order."""
    component, state = subject.build(), inputs(subject)["state"]
    users = torch.arange(USERS)
    try:
        scores = _scored(component, users[:, None], state)
        turned = _scored(component, users.flip(0)[:, None], state).flip(0)
    except IndexError as error:
        text = f"of users 0 to {USERS - 1} some have no scores: {error}"
        require(condition=False, message=text, hint="make a row for each user: users: int = given(…)")
    require(torch.isfinite(scores).all(), "it gives scores that are not finite", aggregator.FINITE)
    share = distance(scores, turned)
    require(
        share < CLOSE,
        f"users in another order have scores that differ by {share:.1%} of the largest",
        "an index of a user is that of her parameters, wherever it stands",
    )


@check("preference")
def learns_of_each_user(subject: Subject) -> None:
    """In training the score of a user has a gradient, which is finite and not that of another user."""
    component = aggregator.stirred(subject.build())
    if not _personal(component):
        raise NotApplicableError("users play no part, as it says (personal)")
    trained = [one for one in component.parameters() if one.requires_grad] if isinstance(component, nn.Module) else []
    if not trained:
        raise NotApplicableError("it has no trainable parameter")
    state = inputs(subject)["state"]
    hint = "keep what a user likes in parameters (nn.Embedding), and do not detach"
    found = []
    for user in (0, USERS - 1):
        with without_dropout(component, training=True):
            scores = component(torch.full((OUTFITS,), user), state)
        require(scores.requires_grad, "no gradient flows from the scores to its parameters", hint)
        got = torch.autograd.grad(scores.sum(), trained, materialize_grads=True)
        found.append(torch.cat([one.to_dense().flatten() for one in got]))
        require(torch.isfinite(found[-1]).all(), "its gradient is not finite", aggregator.FINITE)
    first, last = found
    require(
        first.any() and last.any() and distance(first, last) > CLOSE,
        f"the scores of user 0 and of user {USERS - 1} have the same gradient: no user learns anything of her own",
        hint,
    )


@check("preference")
def takes_the_smallest_outfits(subject: Subject) -> None:
    """Outfits of one item, or of as many as `fewest` says, have finite scores."""
    component = subject.build()
    aggregator.require_number(getattr(component, "fewest", 1))
    outfits = _outfits(subject, smallest=True)
    scores = _scored(component, torch.arange(USERS)[:, None], _state(subject, outfits))
    require(
        torch.isfinite(scores).all(),
        f"outfits of {int(outfits['mask'].sum(dim=1).min())} items have scores that are not finite",
        f"{aggregator.FINITE}; or say fewest: ClassVar[int] = 2, if it makes no sense of single items",
    )


@check("preference")
def ignores_empty_slots(subject: Subject) -> None:
    """Further empty slots of outfits, and what stands in them, have no influence on the scores."""
    component, outfits = subject.build(), _outfits(subject)
    users = torch.arange(USERS)[:, None]
    expected = _scored(component, users, _state(subject, outfits))
    wide = aggregator.padded(outfits)
    for how, other in (
        (f"with {aggregator.MORE} empty slots more", wide),
        ("with other numbers in empty slots", aggregator.littered(wide)),
    ):
        share = distance(expected, _scored(component, users, _state(subject, other)))
        text = f"{how} its scores differ by {share:.1%} of the largest"
        require(share < CLOSE, text, f"read the mask where the state has one; {aggregator.MASKING}")
