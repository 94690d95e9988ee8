"""Heads of encoders."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from outfitrec.core.checkpoints import Checkpoints
from outfitrec.core.errors import UserError
from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.dropout import without_dropout
from outfitrec.testing.nested import described, distance
from outfitrec.testing.subject import Subject
from outfitrec.testing.world import CATEGORIES, DIM

ITEMS = 6
# Lengths of features. A head may refuse some, as the one does that hands them on.
SIZES = (DIM, 2 * DIM, 256, 512, 1024, 2048, 4096)
# Of what sums in another order differ by.
CLOSE = 1e-4
ALONE = "in evaluation use no figure of the batch: normalise each item by itself, or by running means"


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Features of six items of all categories, of a length that the head takes."""
    return {"features": _features(_sizes(subject)[0]), "category": torch.arange(ITEMS) % len(CATEGORIES)}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The items' embeddings by a module that it builds, in evaluation mode."""
    features = inputs["features"]
    return _embedded(_built(component, features.shape[1]).to(features.device), features, inputs["category"])


def _features(size: int) -> Tensor:
    return torch.randn(ITEMS, size, generator=generator("contract", "head", size))


def _sizes(subject: Subject) -> list[int]:
    """The lengths of features that a head takes."""
    head, taken = subject.build(), []
    for size in SIZES:
        try:
            _built(head, size)
        except UserError:
            continue
        taken.append(size)
        if len(taken) == 2:  # one would show nothing of what depends on it, and large ones are slow
            break
    require(
        taken,
        f"with model.dim {DIM} it refuses features of length {', '.join(map(str, SIZES))}",
        "take features of any length, or give one that it takes by the fields of examples()",
    )
    return taken


def _built(head: Any, size: int, seed: int = 0) -> Any:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return head.build(size)


def _embedded(module: Any, features: Tensor, category: Tensor) -> Any:
    with without_dropout(module, training=False):
        return module(features, category)


@check("head")
def builds_modules_of_the_declared_shape(subject: Subject) -> None:
    """What it builds makes [item, dim] of [item, size], for one item and for many."""
    for size in _sizes(subject):
        module = _built(subject.build(), size)
        hint = "give an nn.Module with forward(features, category)"
        require(isinstance(module, nn.Module), f"build({size}) gives {type(module).__name__}", hint)
        for count in (1, ITEMS):
            found = _embedded(module, _features(size)[:count], torch.zeros(count, dtype=torch.long))
            require(
                isinstance(found, Tensor) and found.shape == (count, DIM) and found.is_floating_point(),
                f"of features [{count}, {size}] it makes {described(found)}, and model.dim is {DIM}",
                "the last layer gives 'dim' numbers, which the engine fills in: dim: int = given(…)",
            )


@check("head")
def takes_items_of_any_categories(subject: Subject) -> None:
    """Items of one category, whichever it is, and of all in any order, are embedded."""
    found = inputs(subject)
    module = _built(subject.build(), found["features"].shape[1])
    last = len(CATEGORIES) - 1
    mixed = (found["category"], found["category"].flip(0))
    for category in (*(torch.full((ITEMS,), one) for one in range(last + 1)), *mixed):
        embedded = _embedded(module, found["features"], category)
        require(
            embedded.shape == (ITEMS, DIM) and torch.isfinite(embedded).all(),
            f"of items of the categories {category.tolist()} it makes {described(embedded)}"
            + ("" if torch.isfinite(embedded).all() else ", not all of it finite"),
            f"categories are 0 to {last}; a step may have any of them, and lack any",
        )


@check("head")
def treats_each_item_alone(subject: Subject) -> None:
    """In evaluation an item's embedding depends on no other item, nor on the order."""
    found = inputs(subject)
    features, category = found["features"], found["category"]
    module = _built(subject.build(), features.shape[1])
    expected = _embedded(module, features, category)
    alone = [_embedded(module, features[row : row + 1], category[row : row + 1]) for row in range(ITEMS)]
    for how, other in (
        ("one by one", torch.cat(alone)),
        ("in another order", _embedded(module, features.flip(0), category.flip(0)).flip(0)),
    ):
        share = distance(expected, other)
        require(share < CLOSE, f"items {how} have embeddings that differ by {share:.1%} of the largest number", ALONE)


@check("head")
def passes_a_gradient_to_the_features(subject: Subject) -> None:
    """A gradient reaches the features and its own parameters, and is finite."""
    found = inputs(subject)
    module = _built(subject.build(), found["features"].shape[1])
    features = found["features"].requires_grad_()
    embedded = _embedded(module, features, found["category"])
    hint = "do not detach, and compute with torch alone: the encoder learns through its head"
    require(embedded.requires_grad, "no gradient flows from the embeddings to the features", hint)
    (embedded * torch.randn(embedded.shape, generator=generator("contract", "gradient"))).sum().backward()
    trained = [one for one in module.parameters() if one.requires_grad]
    require(_flows([features]), "the features get no gradient, or one that is not finite", hint)
    require(
        not trained or _flows(trained),
        f"none of its {len(trained)} parameters gets a gradient, or one gets one that is not finite",
        hint,
    )


@check("head")
def builds_modules_that_survive_a_checkpoint(subject: Subject) -> None:
    """Saved and loaded by a checkpoint, another module that it builds gives the same."""
    found = inputs(subject)
    features, category = found["features"], found["category"]
    size = features.shape[1]
    module, other = _built(subject.build(), size, seed=1), _built(subject.build(), size, seed=2)
    if not module.state_dict():
        raise NotApplicableError("what it builds has no state")
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder), "contract")
        checkpoints.save("one", {"epoch": 0, "model": module.state_dict()})
        other.load_state_dict((checkpoints.load("one") or {})["model"])
    share = distance(_embedded(module, features, category), _embedded(other, features, category))
    require(
        share == 0,
        f"another one with its state gives embeddings that differ by {share:.1%} of the largest number",
        "what the result depends on belongs in parameters and persistent buffers (register_buffer)",
    )


def _flows(leaves: list[Any]) -> bool:
    """Whether a gradient reaches some of these, and is finite."""
    found = [one.grad for one in leaves if one.grad is not None]
    return any(one.any() for one in found) and all(torch.isfinite(one).all() for one in found)
