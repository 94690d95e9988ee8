"""Encoders of items."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from outfitrec.core.seeds import generator
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.dropout import without_dropout
from outfitrec.testing.kinds.every import used
from outfitrec.testing.kinds.head import ALONE
from outfitrec.testing.nested import copied, described, distance, mapped
from outfitrec.testing.subject import Subject
from outfitrec.testing.world import CATEGORIES, DIM

ITEMS = 4
# Of what many layers make of sums in another order.
CLOSE = 1e-3


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Photos of four items, or the numbers of four items of a catalogue, and their categories."""
    if subject.component.photos:
        return {"images": subject.world.images(ITEMS), "category": torch.arange(ITEMS) % len(CATEGORIES)}
    catalog = subject.world.catalog
    # From each category some.
    ids = torch.arange(ITEMS) * (len(catalog) // ITEMS)
    return {"catalog": catalog, "ids": ids, "category": catalog.category[ids]}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """The items' features, and their embeddings."""
    features = _features(subject, component, inputs)
    return features, component.embed(features, inputs["category"])


def _features(subject: Subject, encoder: Any, inputs: Mapping[str, Any]) -> Any:
    if subject.component.photos:
        return encoder.features(inputs["images"])
    # As the engine does it: the table is made on the CPU, and moved.
    table = encoder.table(mapped(inputs["catalog"], lambda tensor: tensor.cpu()))
    return table.to(inputs["category"].device).index_select(0, inputs["ids"])


def _some(inputs: Mapping[str, Any], rows: slice | Tensor) -> dict[str, Any]:
    """Some of the items."""
    return {key: value if key == "catalog" else value[rows] for key, value in inputs.items()}


@check("encoder")
def says_by_its_class_whether_it_needs_photos(subject: Subject) -> None:
    """The class has a truth value `photos`: before anything is built, photos are read where it is true."""
    value = getattr(subject.component, "photos", None)
    require(
        isinstance(value, bool),
        f"the class has photos = {value!r}",
        "say photos: ClassVar[bool] = True; False where it has a table(catalog) of given features",
    )


@check("encoder")
def gives_a_vector_for_each_item(subject: Subject) -> None:
    """Of one item and of many it makes features [item, f] and embeddings [item, dim]."""
    component, found = subject.build(), inputs(subject)
    sizes = set()
    for count in (1, ITEMS):
        features, items = used(subject, component, _some(found, slice(count)))
        sizes.add(features.shape[1:])
        require(
            features.ndim == 2 and len(features) == count,
            f"the features of {count} items are {described(features)}",
            "one vector for each item: pool over places, and keep the dimension of the items",
        )
        require(
            isinstance(items, Tensor) and items.shape == (count, DIM) and items.is_floating_point(),
            f"the embeddings of {count} items are {described(items)}, and model.dim is {DIM}",
            "embed gives 'dim' numbers an item: a head does, or dim: int = given(…)",
        )
    require(len(sizes) == 1, "features have another length for one item than for many", "keep it the same")


@check("encoder")
def treats_each_item_alone(subject: Subject) -> None:
    """In evaluation an item's features and embedding depend on no other item, nor on the order."""
    component, found = subject.build(), inputs(subject)
    expected = used(subject, component, found)
    alone = [used(subject, component, _some(found, slice(row, row + 1))) for row in range(ITEMS)]
    turned = used(subject, component, _some(found, torch.arange(ITEMS).flip(0)))
    for place, what in enumerate(("features", "embeddings")):
        for how, other in (
            ("one by one", torch.cat([one[place] for one in alone])),
            ("in another order", turned[place].flip(0)),
        ):
            share = distance(expected[place], other)
            text = f"items {how} have {what} that differ by {share:.1%} of the largest number"
            require(share < CLOSE, text, ALONE)


@check("encoder")
def keeps_frozen_features(subject: Subject) -> None:
    """Where it is frozen, its features have no trainable parameter and are the same in training, without dropout."""
    component = subject.build()
    if not component.frozen:
        raise NotApplicableError("it is not frozen")
    found = inputs(subject)
    component.eval()
    before = copied(_features(subject, component, found))
    component.train()
    # Dropout is not switched off here: there must be none.
    training = _features(subject, component, found)
    require(
        not training.requires_grad,
        "it is frozen, and its features have trainable parameters",
        "backbone.requires_grad_(False): they would not be trained, since features are computed once",
    )
    share = distance(before, training)
    require(
        share < CLOSE,
        f"in training mode its features differ by {share:.1%} of the largest number",
        "override train(mode): what is frozen stays in evaluation mode, without dropout and batch statistics",
    )
    component.eval()
    share = distance(before, _features(subject, component, found))
    require(
        share == 0,
        f"a call in training mode changed its features by {share:.1%} of the largest number",
        "override train(mode): running means are frozen as well",
    )


@check("encoder")
def has_a_row_for_each_item(subject: Subject) -> None:
    """Where it needs no photos, table(catalog) gives each item a vector, which is finite and not trained."""
    if subject.component.photos:
        raise NotApplicableError("it takes photos")
    catalog = subject.world.catalog
    table = subject.build().table(catalog)
    require(
        isinstance(table, Tensor) and table.ndim == 2 and len(table) == len(catalog) and table.is_floating_point(),
        f"its table is {described(table)}, and the catalogue has {len(catalog)} items",
        "give a tensor [item, f] with a row for every item of the catalogue, in its order",
    )
    require(
        torch.isfinite(table).all(), "its table has values that are not finite", "raise a DataError that names the item"
    )
    require(
        not table.requires_grad,
        "its table has a gradient",
        "the table is made once, before the training: keep what is trained for embed",
    )


@check("encoder")
def learns_from_its_embeddings(subject: Subject) -> None:
    """The gradient of the embeddings reaches its parameters, and is finite."""
    component = subject.build()
    trained = [one for one in component.parameters() if one.requires_grad]
    if not trained:
        raise NotApplicableError("it has no trainable parameter")
    hint = "do not detach, and compute with torch alone; mark what is not trained by requires_grad_(False)"
    with without_dropout(component, training=True):
        _, items = call(subject, component, inputs(subject), generator("contract", "encoder"))
    require(items.requires_grad, "no gradient flows from the embeddings to its parameters", hint)
    (items * torch.randn(items.shape, generator=generator("contract", "gradient"))).sum().backward()
    reached = [one.grad for one in trained if one.grad is not None and one.grad.any()]
    require(reached, f"none of its {len(trained)} trainable parameters gets a gradient", hint)
    require(
        all(torch.isfinite(one).all() for one in reached),
        "its gradient is not finite",
        "look for norms and roots of zero: F.normalize, and clamp before the root",
    )
