"""The photos of a dataset, opened for an encoder."""

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from outfitrec.core.data import Dataset
from outfitrec.core.errors import RecipeError
from outfitrec.core.images import ImageStore
from outfitrec.core.progress import Progress
from outfitrec.core.settings import ImageSettings, Recipe
from outfitrec.protocols import Encoder


def used_items(dataset: Dataset) -> Int[Tensor, " used"]:
    """Items that occur in any outfit of the dataset, ascending."""
    found = []
    for split in dataset.splits.values():
        found.append(split.positives.outfits.items.unique())
        found.extend(rows.outfits.items.unique() for rows in split.negatives.values())
        if split.questions is not None:
            found.append(split.questions.outfits.items.unique())
        if split.compatibility is not None:
            found.append(split.compatibility.outfits.items.unique())
    items: Tensor = torch.cat(found).unique()
    return items[items >= 0]


def open_store(
    encoder: Encoder | type[Any],
    dataset: Dataset,
    image: ImageSettings,
    used: Int[Tensor, " used"],
    recipe: Recipe,
    progress: Progress,
) -> ImageStore | None:
    """The photos of the items in ``used``, where the encoder needs them."""
    if not encoder.photos:
        return None
    if dataset.catalog.photos is None:
        raise RecipeError(
            f"the encoder {recipe.model.encoder.name!r} needs photos, and the dataset {recipe.dataset.name!r} has none"
        )
    return ImageStore.open(
        dataset.catalog,
        image.stored or image.size,
        used=used,
        owners=lambda item: owner(dataset, item),
        workers=recipe.train.workers,
        progress=progress,
    )


def owner(dataset: Dataset, item: int) -> str:
    """Where an item is used, for messages: an outfit of a split."""
    for name, split in dataset.splits.items():
        rows = {"positive": split.positives, **{f"{kind} negative": one for kind, one in split.negatives.items()}}
        for kind, one in rows.items():
            found = (one.outfits.items == item).any(dim=1).nonzero()
            if len(found):
                row = int(found[0])
                user = int(one.users[row])
                called = repr(dataset.user_names[user]) if dataset.user_names else user
                return f"{name} {kind} {row} of user {called}"
    return "a question or a labelled outfit"
