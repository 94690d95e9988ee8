"""Which items look alike: the neighbour table of a dataset's training items, by a trained encoder."""

import torch
from torch import Tensor

from outfitrec.core.cache import cached
from outfitrec.core.encoded import features
from outfitrec.core.files import digest
from outfitrec.core.nearest import nearest
from outfitrec.core.neighbours import Neighbours
from outfitrec.core.serving import Model
from outfitrec.core.session import Session


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
