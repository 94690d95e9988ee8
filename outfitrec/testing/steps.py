"""A small training step, made in milliseconds: for objectives and what is in them, and for one's own tests."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import torch
from jaxtyping import Float, Int, UInt8
from torch import Generator, Tensor

from outfitrec.core.config import Config, create
from outfitrec.core.document import Document, Place
from outfitrec.core.drawn import Drawn
from outfitrec.core.items import ItemSource, PhotoItems, TableItems
from outfitrec.core.loading import plugins
from outfitrec.core.program import Program
from outfitrec.core.recommender import Recommender
from outfitrec.core.seeds import generator
from outfitrec.core.settings import ImageSettings
from outfitrec.core.step import Batch, Step
from outfitrec.core.structure import structure_component
from outfitrec.core.teacher import Teacher
from outfitrec.protocols import Encoder, Objective
from outfitrec.testing.world import FEATURES, WORLD, World

# The model of a step, part by part, where nothing else is asked for: its outfits are known by vectors.
MODEL: Mapping[str, Mapping[str, Any]] = {
    "encoder": {"name": "features", "size": FEATURES, "head": "linear"},
    "aggregator": {"name": "mean"},
    "preference": {"name": "cosine"},
}
# The share of negatives that count for a pair, where some do not.
COUNTING = 0.8


def step(
    *objectives: Objective,
    beside: Mapping[str, Any] | None = None,
    unit: str = "pair",
    size: int = 8,
    negatives: int = 6,
    shared: bool = True,
    masked: bool = True,
    taught: bool = True,
    epoch: int = 0,
    seed: int = 0,
    world: World = WORLD,
) -> Step:
    """A training step of a small model on the small world, as the engine makes it.

    Args:
        objectives: Those that are asked for further outfits; what they draw must be ``unit``.
        beside: Parts of the model in place of a linear layer on given features, a mean, and a cosine: by kind
            (``encoder``, ``aggregator``, ``preference``), a name or a mapping with one.
        unit: What it draws: ``pair``, ``outfit`` or ``item``.
        size: Number of pairs, outfits or items.
        negatives: Number of negatives of each pair.
        shared: Whether all pairs have the same negatives.
        masked: Whether some negatives do not count for a pair.
        taught: Whether there is a teacher: a model of the same parts, otherwise initialised.
        epoch: Epoch, from 0.
        seed: Another seed makes another step of another model.
        world: Items, outfits and users.

    Raises:
        UserError: There is no such component, or its keys are wrong.
    """
    made = batch(unit, size=size, negatives=negatives, shared=shared, masked=masked, seed=seed, world=world)
    model = recommender(beside, seed=seed, world=world)
    master = teacher(beside, seed=seed + 1, world=world) if taught else None
    return encoded(made, objectives, model, master, generator("testing", "step", seed), epoch=epoch, world=world)


def batch(
    unit: str = "pair",
    *,
    size: int = 8,
    negatives: int = 6,
    shared: bool = True,
    masked: bool = True,
    seed: int = 0,
    world: World = WORLD,
) -> Batch:
    """What a step draws, before objectives are asked for more; the arguments are those of `step`.

    Raises:
        ValueError: There is no such unit, or the world has not so many of it.
    """
    split, draws = world.dataset.splits["train"], generator("testing", "batch", seed)
    none, rows = torch.empty(0, dtype=torch.long), split.positives
    used = rows.outfits.distinct()[0]
    count = len(used) if unit == "item" else len(rows)
    if unit not in ("pair", "outfit", "item") or not 0 < size <= count:
        raise ValueError(f"a step of {size} of the unit {unit!r}: it is pair, outfit or item, and there are {count}")
    index = torch.randperm(count, generator=draws)[:size]
    if unit == "item":
        return Batch(none, rows.outfits[:0], used[index])
    if unit == "outfit":
        return Batch(none, rows.outfits[index], none)
    wrong = split.negatives["random"].outfits
    chosen = torch.randint(len(wrong), (negatives if shared else size * negatives,), generator=draws)
    mask = torch.rand(size, negatives, generator=draws) < COUNTING if masked else None
    return Batch(rows.users[index], rows.outfits[index], none, Drawn(wrong[chosen], shared, mask))


def recommender(beside: Mapping[str, Any] | None = None, *, seed: int = 0, world: World = WORLD) -> Recommender:
    """A freshly initialised model of the small world, in evaluation mode; the arguments are those of `step`.

    Raises:
        UserError: There is no such component, or its keys are wrong.
    """
    given = beside or {}
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        parts = [create(_config(kind, given.get(kind, default)), **world.given) for kind, default in MODEL.items()]
    return Recommender(*parts).eval()


def teacher(
    beside: Mapping[str, Any] | None = None,
    *,
    seed: int = 1,
    device: torch.device | str = "cpu",
    world: World = WORLD,
) -> Teacher:
    """A frozen teacher of the small world's users; the arguments are those of `step`."""
    model, place = recommender(beside, seed=seed, world=world).to(device), torch.device(device)
    ids, positives = torch.arange(len(world.catalog)), world.dataset.splits["train"].positives
    # The engine makes it in full precision, before the training begins.
    with torch.no_grad(), torch.autocast(place.type, enabled=False):
        features = source(model.encoder, place, world).features(ids, None)
        table = model.embed(features, world.catalog.category.to(place))
        return Teacher(model, table, positives, world.dataset.users, chunk=64)


def encoded(
    batch: Batch,
    objectives: Iterable[Objective],
    recommender: Recommender,
    teacher: Teacher | None,
    draws: Generator,
    *,
    epoch: int = 0,
    device: torch.device | str = "cpu",
    world: World = WORLD,
) -> Step:
    """The step of a batch: objectives are asked for further outfits, and all that it holds is encoded.

    Args:
        batch: What it draws, on the CPU.
        objectives: Asked for more.
        recommender: The model, on ``device``.
        teacher: The teacher, on ``device``; None for none.
        draws: For all further draws.
        epoch: Epoch, from 0.
        device: Where it is computed.
        world: What the batch is of.
    """
    known, place = list(objectives), torch.device(device)
    asked = {one.label: one.extra(batch, draws) for one in known}
    extra = {label: outfits for label, outfits in asked.items() if outfits is not None}
    items = source(recommender.encoder, place, world)
    program = Program(recommender, known, items, world.catalog.category.to(place), teacher)
    recommender.on_epoch(epoch)
    return program.step(attrs.evolve(batch, extra=extra).to(place), epoch, draws)


def source(encoder: Encoder, device: torch.device, world: World = WORLD) -> ItemSource:
    """Where an encoder gets the features of the small world's items: from photos, or from its table."""
    if encoder.photos:
        return PhotoItems(encoder, Album(world), ImageSettings(size=world.pixels), device)
    table: Float[Tensor, "item f"] = encoder.table(world.catalog)  # type: ignore[attr-defined]  # it takes no photos
    return TableItems(table.to(device))


class Album:
    """Photos of the small world's items, of noise; a store as `outfitrec.core.items.PhotoStore` has it."""

    def __init__(self, world: World) -> None:
        self.key = "testing"
        self.size = world.pixels
        self._count = len(world.catalog)

    def images(self, ids: Int[Tensor, " item"]) -> UInt8[Tensor, "item 3 side side"]:
        """The photos of these items."""
        noise = generator("testing", "photos")
        photos = torch.randint(256, (self._count, 3, self.size, self.size), generator=noise, dtype=torch.uint8)
        return photos.index_select(0, ids.cpu())


def _config(kind: str, value: Any) -> Config:
    if isinstance(value, Config):
        return value
    written = dict(value) if isinstance(value, Mapping) else {"name": value}
    return structure_component(Document.of(written, Place(kind)), kind, plugins().registry)
