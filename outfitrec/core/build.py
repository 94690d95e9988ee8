"""From a recipe's configuration to a recommender."""

from collections.abc import Mapping
from typing import Any

from outfitrec.core.config import create
from outfitrec.core.data import Dataset
from outfitrec.core.recommender import Recommender
from outfitrec.core.settings import ImageSettings, ModelSettings, Recipe


def given_by(dataset: Dataset, model: ModelSettings, image: ImageSettings) -> dict[str, Any]:
    """What the engine fills into components of the model: all of it plain values."""
    return {
        "dim": model.dim,
        "image_size": image.size,
        "users": dataset.users,
        "categories": dataset.catalog.categories,
        "slots": dataset.splits["train"].positives.outfits.width,
    }


def given_without_data(recipe: Recipe, users: int, categories: tuple[str, ...], slots: int) -> dict[str, Any]:
    """The same for a recipe whose data are not there."""
    facts = {"dim": recipe.model.dim, "image_size": recipe.image.size}
    return {**facts, "users": users, "categories": categories, "slots": slots}


def build_recommender(model: ModelSettings, given: Mapping[str, Any]) -> Recommender:
    """The recommender, freshly initialised from torch's generator; pretrained weights are not loaded yet."""
    return Recommender(
        create(model.encoder, **given), create(model.aggregator, **given), create(model.preference, **given)
    )


def parameter_counts(recipe: Recipe, users: int, categories: tuple[str, ...] = (), slots: int = 3) -> dict[str, int]:
    """Number of parameters of a recipe's model by part, from the configuration alone: no weights, no data."""
    import torch

    with torch.device("meta"):
        return build_recommender(recipe.model, given_without_data(recipe, users, categories, slots)).parameter_counts()
