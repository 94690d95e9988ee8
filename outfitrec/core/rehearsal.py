"""A few outfits scored before anything is trained: what parts of a model do not go together shows here."""

from typing import Any

import torch

from outfitrec.core.data import Dataset
from outfitrec.core.errors import OutfitrecError, RecipeError
from outfitrec.core.items import ItemSource
from outfitrec.core.recommender import Recommender
from outfitrec.core.settings import ModelSettings

OUTFITS = 3
USERS = 2
HINT = "choose an aggregator and a preference that are made for one another; outfitrec explain says what each takes"


def rehearse(
    recommender: Recommender, source: ItemSource, dataset: Dataset, model: ModelSettings, device: torch.device
) -> None:
    """Score a few training outfits for a few users, each for one and all for all.

    Args:
        recommender: The recommender, on the device; it is left as it was.
        source: Features of items.
        dataset: The data.
        model: The recommender's configuration, for messages.
        device: Where it is.

    Raises:
        RecipeError: An encoder, aggregator and preference do not go together.
    """
    outfits = dataset.splits["train"].positives.outfits[:OUTFITS]
    ids, slots = outfits.distinct()
    category = dataset.catalog.category[ids].to(device)
    count = len(outfits)
    one, all_users = torch.zeros(count, dtype=torch.long), torch.arange(min(USERS, dataset.users))
    training = recommender.training
    recommender.eval()
    try:
        with torch.random.fork_rng(), torch.no_grad():
            table = recommender.embed(source.features(ids, None), category)
            recommender.candidates(table, category)
            state = recommender.state(table, slots.to(device), outfits.category.to(device))
            found = [recommender.preference(one.to(device), state), recommender.score_all(all_users.to(device), state)]
    except (OutfitrecError, torch.OutOfMemoryError):
        raise
    # The parts are anybody's: whatever goes wrong between them is said as one thing.
    except Exception as error:
        raise RecipeError(_message(model, f"{type(error).__name__}: {error}"), hint=HINT) from error
    finally:
        recommender.train(training)
    for scores, shape in zip(found, ([count], [len(all_users), count]), strict=True):
        got: Any = list(scores.shape)
        if got != shape:
            raise RecipeError(_message(model, f"scores of shape {got}, where {shape} are expected"), hint=HINT)


def _message(model: ModelSettings, what: str) -> str:
    parts = f"encoder {model.encoder.name!r}, aggregator {model.aggregator.name!r} and preference"
    return f"model: {parts} {model.preference.name!r} do not go together: {what}"
