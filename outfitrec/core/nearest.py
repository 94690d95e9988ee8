"""The nearest items of each item by the cosine of their features, exactly: by faiss where it is installed, or torch."""

import sys
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from outfitrec.core.errors import DataError
from outfitrec.core.neighbours import ABSENT

CHUNK = 256


@runtime_checkable
class Search(Protocol):
    """Finds nearest neighbours."""

    def __call__(self, rows: Float[Tensor, "row f"], count: int, chunk: int = CHUNK) -> Int[Tensor, "row neighbour"]:
        """For each row the ``count`` others with the largest inner product, the largest first.

        Args:
            rows: More than ``count`` of them.
            count: Neighbours of a row.
            chunk: Rows compared with all others at once.
        """
        ...


@torch.no_grad()
def nearest(
    features: Float[Tensor, "item f"],
    category: Int[Tensor, " item"],
    items: Int[Tensor, " used"],
    count: int,
    chunk: int = CHUNK,
    *,
    search: Search | None = None,
) -> Int[Tensor, "item neighbour"]:
    """For each of ``items`` the ``count`` others of its category whose features are most similar, the nearest first.

    Similarity is the cosine. Of items that are equally similar those of lower index come first, except that not all of
    them need to be among the ``count``.

    Args:
        features: Features of all items; rows of others than ``items`` are not read.
        category: Category of all items.
        items: Those that are compared.
        count: Neighbours of an item, at least 1.
        chunk: Items compared with their category at once; memory grows by it, times the size of the category.
        search: How; by default `by_faiss` where it can be had and the features are on the CPU, else `by_products`.

    Returns:
        Index of the neighbours of all items, on the CPU: -1 where a category has fewer, `ABSENT` for all others than
        ``items``.

    Raises:
        ValueError: ``count`` or ``chunk`` is less than 1.
        DataError: Features are not finite.
    """
    if count < 1 or chunk < 1:
        raise ValueError(f"count and chunk must be at least 1, not {count} and {chunk}")
    if search is None:
        search = by_faiss if features.device.type == "cpu" and has_faiss() else by_products
    table = torch.full((len(category), count), ABSENT)
    items = items.cpu().unique()
    own = category.cpu()[items]
    for one in own.unique():
        members = items[own == one]
        table[members] = -1
        rows = F.normalize(features.index_select(0, members.to(features.device)).float(), dim=1)
        if not torch.isfinite(rows).all():
            raise DataError("the features that similar items are found by are not all finite")
        some = min(count, len(members) - 1)
        if some:
            table[members, :some] = members[search(rows, some, chunk).cpu()]
    return table


def by_products(rows: Float[Tensor, "row f"], count: int, chunk: int = CHUNK) -> Int[Tensor, "row neighbour"]:
    """`Search` by matrix products, on any device."""
    found = []
    for own in torch.arange(len(rows), device=rows.device).split(chunk):
        scores = rows.index_select(0, own) @ rows.T
        scores.scatter_(1, own[:, None], -torch.inf)
        found.append(_in_order(*scores.topk(count, dim=1)))
    return torch.cat(found)


def by_faiss(rows: Float[Tensor, "row f"], count: int, chunk: int = CHUNK) -> Int[Tensor, "row neighbour"]:
    """`Search` by faiss, on the CPU; it bounds its memory by itself."""
    import faiss

    index = faiss.IndexFlatIP(rows.shape[1])
    vectors = rows.numpy()
    index.add(vectors)
    scores, found = map(torch.from_numpy, index.search(vectors, count + 1))
    others = found != torch.arange(len(rows))[:, None]
    # Of an item with as many doubles the own row may be missing: then the last one is too many.
    others[:, -1] &= ~others.all(dim=1)
    return _in_order(scores[others].view(-1, count), found[others].view(-1, count))


def has_faiss() -> bool:
    """Whether faiss is installed, and goes together with torch."""
    # There each brings an OpenMP of its own, and the second one that runs ends the process.
    if sys.platform == "darwin":
        return False
    try:
        import faiss  # noqa: F401  # whether it can be imported is the question
    except ImportError:
        return False
    return True


def _in_order(
    scores: Float[Tensor, "row neighbour"], found: Int[Tensor, "row neighbour"]
) -> Int[Tensor, "row neighbour"]:
    """The neighbours of each row, the best first and equal ones by index."""
    found, order = found.sort(dim=1)
    best = scores.gather(1, order).sort(dim=1, descending=True, stable=True).indices
    return found.gather(1, best)
