"""Cold starts."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, cast

import attrs
import torch
from safetensors.torch import load, save
from torch import Generator, Tensor

from outfitrec.core.outfits import Outfits
from outfitrec.core.recommender import Recommender, slice_state
from outfitrec.core.seeds import generator
from outfitrec.core.state import State, map_state
from outfitrec.testing.contract import check, require
from outfitrec.testing.nested import copied, near, same
from outfitrec.testing.steps import recommender, source
from outfitrec.testing.subject import Subject

# Outfits that a profile is made of, where their number is not what is looked at.
LIKED = 3
SIZES = (1, 2, 5, 12)
CHUNK = 64


@attrs.frozen
class Served:
    """What a strategy works on, encoded as the engine does it.

    Attributes:
        recommender: The model, in evaluation mode.
        liked: States of the outfits that new users like.
        ranked: States of the outfits that are scored.
    """

    recommender: Recommender
    liked: State
    ranked: State


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Outfits that are liked, outfits that are scored, and outfits that are known to be neither."""
    splits = subject.world.dataset.splits
    test, stored = splits["test"].positives, splits["test"].negatives["random"]
    ranked = Outfits.cat([test[test.users == 0].outfits, stored[stored.users == 0].outfits])
    return {
        "liked": splits["train"].positives.outfits[: 4 * max(SIZES)],
        "ranked": ranked,
        "unobserved": splits["train"].negatives["random"].outfits[:24],
    }


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The profile of a new user, and the scores."""
    with torch.inference_mode():
        served = _served(subject, component, inputs)
        profile = component.profile(served.recommender, slice_state(served.liked, 0, LIKED))
        return {"profile": dict(profile), "scores": component.score(served.recommender, profile, served.ranked)}


def _served(subject: Subject, component: Any, given: Mapping[str, Any] | None = None) -> Served:
    """The model beside it, with outfits encoded; it was told of unobserved ones where it asks for them."""
    found = inputs(subject) if given is None else given
    world, device = subject.world, found["liked"].items.device
    model = recommender(subject.beside, world=world).to(device)
    ids = torch.arange(len(world.catalog))
    category = world.catalog.category.to(device)
    table = model.embed(source(model.encoder, device, world).features(ids, None), category)
    shown = found["ranked"].distinct()[0]
    model.candidates(table[shown], category[shown])
    state = {key: model.states(table, outfits, CHUNK) for key, outfits in found.items()}
    learn = getattr(component, "unobserved", None)
    if learn is not None:
        learn(state["unobserved"])
    return Served(model, state["liked"], state["ranked"])


def _profile(component: Any, served: Served, start: int = 0, size: int = LIKED) -> dict[str, Tensor]:
    profile = component.profile(served.recommender, slice_state(served.liked, start, size))
    hint = "return a dict of tensors by name: what is to be kept of the user"
    require(
        isinstance(profile, Mapping) and len(profile) > 0,
        f"its profile of {size} outfits is {type(profile).__name__}, and not tensors by name",
        hint,
    )
    wrong = [f"{key!r}" for key, one in profile.items() if not isinstance(key, str) or not isinstance(one, Tensor)]
    require(not wrong, f"in its profile {', '.join(wrong)} is no tensor with a name", hint)
    return dict(profile)


def _scores(component: Any, served: Served, profile: Mapping[str, Tensor], state: State | None = None) -> Tensor:
    ranked = served.ranked if state is None else state
    scores = component.score(served.recommender, profile, ranked)
    count = len(ranked if isinstance(ranked, Tensor) else ranked[0])
    shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
    require(
        isinstance(scores, Tensor) and scores.shape[-1:] == (count,) and scores.is_floating_point(),
        f"its scores of {count} outfits are {shape}",
        "give a floating-point number for each outfit: [outfit]",
    )
    wrong = int((~torch.isfinite(scores)).sum())
    require(
        not wrong,
        f"{wrong} of {scores.numel()} scores are not finite",
        "look for divisions by a number, a length or a deviation that is 0 where one outfit is liked",
    )
    return cast(Tensor, scores)


@check("cold_start")
@torch.inference_mode()
def gives_a_score_for_each_outfit(subject: Subject) -> None:
    """A user's scores are finite, one for each outfit."""
    component = subject.build()
    served = _served(subject, component)
    scores = _scores(component, served, _profile(component, served))
    require(
        scores.ndim == 1,
        f"the scores of one user are {tuple(scores.shape)}, expected one dimension",
        "give [outfit]; a dimension of users only where the profile has one in front",
    )


@check("cold_start")
@torch.inference_mode()
def serves_users_of_one_to_many_outfits(subject: Subject) -> None:
    """A profile is made of one outfit or of many, and has the same tensors of the same shape each time."""
    component = subject.build()
    served = _served(subject, component)
    forms = {}
    for size in SIZES:
        profile = _profile(component, served, size=size)
        _scores(component, served, profile)
        forms[size] = {key: (tuple(one.shape), one.dtype) for key, one in profile.items()}
    for size, form in forms.items():
        require(
            form == forms[SIZES[0]],
            f"a profile of {size} outfits has {_told(form)}, one of {SIZES[0]} has {_told(forms[SIZES[0]])}",
            "the engine stacks profiles of different sizes: reduce over the liked outfits, or pad",
        )


@check("cold_start")
@torch.inference_mode()
def does_not_depend_on_the_order_of_the_profile(subject: Subject) -> None:
    """In whatever order the liked outfits are, the scores are the same up to rounding."""
    component = subject.build()
    served = _served(subject, component)
    size = max(SIZES)
    expected = _scores(component, served, _profile(component, served, size=size))
    for draw in range(3):
        order = torch.randperm(size, generator=generator("contract", "order", draw))
        liked = map_state(itemgetter(order), served.liked)
        other = _scores(component, served, _profile(component, attrs.evolve(served, liked=liked), size=size))
        require(
            near(expected, other),
            f"with the liked outfits in another order scores differ by {float((expected - other).abs().max()):.2g}",
            "reduce over the liked outfits by a mean, a sum or a maximum; who is first says nothing",
        )


@check("cold_start")
def trains_nothing(subject: Subject) -> None:
    """No parameter or buffer of the recommender is changed, none gets a gradient, and its mode is as before."""
    hint = "work on copies (x.detach().clone()), and take gradients by torch.autograd.grad of your own tensors alone"
    component = subject.build()
    with torch.inference_mode():
        served = _served(subject, component)
        model = served.recommender
        before = copied(model.state_dict())
        modes, frozen = [one.training for one in model.modules()], [one.requires_grad for one in model.parameters()]
        profile = _profile(component, served)
        _scores(component, served, profile)
    changed = [key for key, one in model.state_dict().items() if not same(one, before[key])]
    require(not changed, f"it changes {', '.join(changed)} of the recommender", hint)
    graded = [name for name, one in model.named_parameters() if one.grad is not None]
    require(not graded, f"it leaves a gradient at {', '.join(graded)}", hint)
    require(
        modes == [one.training for one in model.modules()]
        and frozen == [one.requires_grad for one in model.parameters()],
        "it changes which parts of the recommender are in training mode, or which of its parameters are trained",
        hint,
    )
    owned = [key for key, one in profile.items() if one.requires_grad]
    require(not owned, f"its profile's {', '.join(owned)} still has a gradient", "detach what is kept of a user")


@check("cold_start")
@torch.inference_mode()
def can_be_stored(subject: Subject) -> None:
    """A profile that safetensors stored and read gives the same scores, by another instance of the strategy."""
    component = subject.build()
    served = _served(subject, component)
    profile = _profile(component, served)
    expected = _scores(component, served, profile)
    try:
        stored = load(save(profile))
    # Whatever it finds wrong with the tensors.
    except Exception as error:
        require(
            condition=False,
            message=f"its profile cannot be stored: {type(error).__name__}: {error}",
            hint="give contiguous tensors that share no memory with each other: x.contiguous(), x.clone()",
        )
    found = _scores(subject.build(seed=1), served, stored)
    require(
        same(expected, found),
        f"another one gives scores that differ by {float((expected - found).abs().max()):.2g} for the stored profile",
        "what scores depend on is in the profile or in the recommender: remember nothing else of a user",
    )


@check("cold_start")
@torch.inference_mode()
def scores_several_users_at_once(subject: Subject) -> None:
    """With profiles stacked in front, each user has the scores that the profile gives alone, up to rounding."""
    component = subject.build()
    served = _served(subject, component)
    profiles = [_profile(component, served, start=LIKED * number) for number in range(3)]
    every = {key: torch.stack([one[key] for one in profiles]) for key in profiles[0]}
    together = _scores(component, served, every)
    alone = torch.stack([_scores(component, served, one) for one in profiles])
    require(
        together.shape == alone.shape,
        f"for three users and {alone.shape[1]} outfits it gives {tuple(together.shape)}, expected {tuple(alone.shape)}",
        "let the profile's tensors have further dimensions in front: count dimensions from the end",
    )
    require(
        near(together, alone),
        f"together, users have scores that differ by {float((together - alone).abs().max()):.2g} from theirs alone",
        "nothing may be shared between the users of a profile: normalise over the last dimensions",
    )


@check("cold_start")
@torch.inference_mode()
def scores_an_outfit_by_itself(subject: Subject) -> None:
    """An outfit's score does not depend on what else is ranked, or where it stands: that would tell held-out labels."""
    component = subject.build()
    served = _served(subject, component)
    profile = _profile(component, served)
    expected = _scores(component, served, profile)
    hint = "score each outfit by the profile and the recommender alone: no mean, rank or softmax over the outfits"
    alone = [_scores(component, served, profile, slice_state(served.ranked, row, 1)) for row in range(len(expected))]
    parts = torch.cat(alone)
    require(
        near(expected, parts),
        f"scored one by one, outfits have scores that differ by {float((expected - parts).abs().max()):.2g}",
        hint,
    )
    turned = _scores(component, served, profile, map_state(lambda one: one.flip(0), served.ranked)).flip(-1)
    require(
        near(expected, turned),
        f"ranked in the opposite order, they have scores that differ by {float((expected - turned).abs().max()):.2g}",
        hint,
    )


def _told(form: Mapping[str, tuple[tuple[int, ...], torch.dtype]]) -> str:
    return ", ".join(f"{key} {list(shape)} of {dtype}" for key, (shape, dtype) in form.items())
