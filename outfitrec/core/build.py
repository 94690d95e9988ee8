"""From a recipe's configuration to a recommender."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from outfitrec.core.config import Config, create
from outfitrec.core.data import Dataset
from outfitrec.core.outfits import Outfits
from outfitrec.core.recommender import Recommender
from outfitrec.core.settings import ImageSettings, ModelSettings, Recipe

# What an outfit is taken to be made of where the dataset does not say: its items by category.
UNKNOWN = {"top": 1, "bottom": 1, "shoe": 1}


def given_by(dataset: Dataset, model: ModelSettings, image: ImageSettings) -> dict[str, Any]:
    """What the engine fills into components of the model: all of it plain values."""
    # Not for components, but for whoever serves the model.
    names = {"user_names": list(dataset.user_names)} if dataset.user_names else {}
    return {
        **names,
        "dim": model.dim,
        "image_size": image.size,
        "users": dataset.users,
        "categories": dataset.catalog.categories,
        "slots": dataset.splits["train"].positives.outfits.width,
        "most": most_items(dataset.splits["train"].positives.outfits, len(dataset.catalog.categories)),
    }


def most_items(outfits: Outfits, categories: int) -> tuple[int, ...]:
    """The most items of each category in one of these outfits."""
    row = torch.arange(len(outfits))[:, None].expand_as(outfits.category)
    place = (row * categories + outfits.category)[outfits.mask]
    counts = torch.bincount(place, minlength=len(outfits) * categories).view(len(outfits), categories)
    return tuple(counts.amax(dim=0).tolist())


def given_without_data(recipe: Recipe, users: int) -> dict[str, Any]:
    """The same for a recipe whose data are not there, by the ``outline`` of its dataset, if it has one."""
    outline: Callable[[Config], dict[str, int]] | None = getattr(recipe.dataset.component, "outline", None)
    most = outline(recipe.dataset) if outline else UNKNOWN
    facts = {"dim": recipe.model.dim, "image_size": recipe.image.size, "users": users}
    return {**facts, "categories": tuple(most), "slots": sum(most.values()), "most": tuple(most.values())}


def build_recommender(model: ModelSettings, given: Mapping[str, Any]) -> Recommender:
    """The recommender, freshly initialised from torch's generator; pretrained weights are not loaded yet."""
    return Recommender(
        create(model.encoder, **given), create(model.aggregator, **given), create(model.preference, **given)
    )


def parameter_counts(recipe: Recipe, users: int) -> dict[str, int]:
    """Number of parameters of a recipe's model by part, from the configuration alone: no weights, no data."""
    with torch.device("meta"):
        return build_recommender(recipe.model, given_without_data(recipe, users)).parameter_counts()
