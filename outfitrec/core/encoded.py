"""The items of a session's data as a trained model sees them: computed once, cached by content."""

import attrs
import torch
from jaxtyping import Float, Int
from torch import Tensor

from outfitrec.core.cache import cached
from outfitrec.core.config import plain
from outfitrec.core.files import digest
from outfitrec.core.items import ItemSource, about, embed_all, encode_all, state_digest, tensor_digest
from outfitrec.core.nearest import nearest
from outfitrec.core.neighbours import Neighbours
from outfitrec.core.serving import Model
from outfitrec.core.session import Session
from outfitrec.core.stores import open_store
from outfitrec.core.teacher import Teacher


@attrs.frozen(eq=False)
class Encoded:
    """Where a trained model gets the items of a session's data from.

    Attributes:
        source: Features of items.
        key: Digest of all that they depend on.
    """

    source: ItemSource
    key: str


def open_items(model: Model, session: Session, device: torch.device) -> Encoded:
    """Open the items of a session's data for a trained model, which is moved to ``device``."""
    encoder, config = model.recommender.to(device).encoder, model.settings.encoder
    store = open_store(encoder, session.dataset, model.image, session.used, session.recipe, session.options.progress)
    source = session.items(encoder, config, model.image, store, device)
    facts = [about(config), state_digest(model.recommender), plain(model.image)]
    return Encoded(source, digest([*facts, store.key if store else None, session.dataset.digest]))


def embeddings(model: Model, session: Session, device: torch.device) -> Float[Tensor, "item dim"]:
    """The model's embeddings of all items that occur in the data (zeros elsewhere), on ``device``."""
    items = open_items(model, session, device)

    def compute() -> dict[str, Tensor]:
        table = embed_all(
            model.recommender,
            items.source,
            session.dataset.catalog,
            session.used,
            device,
            chunk=session.recipe.evaluate.images,
            progress=session.options.progress,
        )
        return {"items": table}

    return cached("items", digest([items.key, tensor_digest(session.used)]), compute)["items"].to(device)


def frozen_teacher(model: Model, session: Session, device: torch.device) -> Teacher:
    """A trained model as the teacher of a session's users."""
    table = embeddings(model, session, device)
    positives = session.dataset.splits["train"].positives
    return Teacher(model.recommender, table, positives, session.dataset.users, session.recipe.evaluate.chunk)


def features(
    model: Model, session: Session, used: Int[Tensor, " used"], device: torch.device
) -> tuple[Float[Tensor, "item f"], str]:
    """The encoder's features of ``used`` items (zeros elsewhere), on the CPU, and the key that they are cached by."""
    items = open_items(model, session, device)
    model.recommender.eval()
    key = digest([items.key, tensor_digest(used)])

    def encode(ids: Tensor) -> Tensor:
        return items.source.features(ids, None)

    def compute() -> dict[str, Tensor]:
        chunk, progress = session.recipe.evaluate.images, session.options.progress
        count = len(session.dataset.catalog)
        return {"features": encode_all(encode, count, used, chunk, progress, "encoding similar items")}

    return cached("encoded", key, compute)["features"], key


def find_neighbours(neighbours: Neighbours, model: Model, session: Session, device: torch.device) -> None:
    """Let ``neighbours`` find similar items among those of the training split, by the features of a model's encoder.

    Features and tables are cached by content.
    """
    train = session.dataset.splits["train"].positives.outfits.items
    used = train[train >= 0].unique()
    encoded, key = features(model, session, used, device)

    def find(count: int) -> Tensor:
        def compute() -> dict[str, Tensor]:
            return {"neighbours": nearest(encoded, session.dataset.catalog.category, used, count)}

        return cached("neighbours", digest([key, count]), compute)["neighbours"]

    neighbours.find = find
