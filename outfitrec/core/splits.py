"""Seeded splits of users' outfits."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Generator, Tensor

from outfitrec.core.data import Rows, Split
from outfitrec.core.errors import DataError


def halve(split: Split, seed: int) -> tuple[Split, Split]:
    """The teacher's half and the student's half of a split, usually of the validation split.

    Each user's positives are shuffled and dealt to the halves in turn, so that both have the users with two or more.
    Every positive is in one half, its stored negatives with it; questions are in neither. The halves differ by one
    positive at most and keep the order of the split.

    Raises:
        DataError: The split has fewer than two positives.
    """
    if len(split) < 2:
        raise DataError(
            f"a split of {len(split)} outfits cannot be halved for teacher and student",
            hint="the validation split needs two outfits or more",
        )
    shuffled = torch.randperm(len(split), generator=Generator().manual_seed(seed))
    dealt = shuffled[split.positives.users[shuffled].argsort(stable=True)]
    return split.take(dealt[0::2].sort().values), split.take(dealt[1::2].sort().values)


def by_component(rows: Rows, shares: Sequence[float], seed: int) -> Int[Tensor, " row"]:
    """Split rows in given shares so that two outfits of a user with an item in common are in the same part.

    A user's outfits fall into components that share no item. Each component, the largest first, those of one size in
    random order, goes to the part that has least of the user in proportion to its share. The first goes to the part
    with the largest share, and a user of at least as many components as there are parts is in all of them.

    Args:
        rows: Users with outfits.
        shares: Size of each part, in proportion; above 0.
        seed: Seed of the random order.

    Returns:
        Part of each row, an index into ``shares``.
    """
    component = _components(rows)
    _, first, sizes = np.unique(component, return_index=True, return_counts=True)
    users = rows.users.numpy()[first]
    chance = torch.randperm(len(sizes), generator=Generator().manual_seed(seed)).numpy()
    part = np.empty(len(sizes), np.int64)
    total = [0.0] * len(shares)
    mine, user = list(total), -1
    for index in np.lexsort((chance, -sizes, users)):
        if users[index] != user:
            mine, user = [0.0] * len(shares), users[index]
        # Equal claims: the largest share first, then the part that has least of all users together.
        chosen = min(range(len(shares)), key=lambda k: (mine[k], -shares[k], total[k]))
        part[index] = chosen
        mine[chosen] += sizes[index] / shares[chosen]
        total[chosen] += sizes[index] / shares[chosen]
    return torch.from_numpy(part[component])


def _components(rows: Rows) -> NDArray[np.int64]:
    """Component of each row: rows of one user are in the same where a chain of common items joins them."""
    items = rows.outfits.items.numpy()
    row, slot = np.nonzero(items >= 0)
    # An item is a node of its own for each user that has it; rows are the nodes before them.
    owned = rows.users.numpy()[row] * (items.max(initial=0) + 1) + items[row, slot]
    distinct, node = np.unique(owned, return_inverse=True)
    nodes = len(rows) + len(distinct)
    graph = coo_array((np.ones(len(row), np.int8), (row, len(rows) + node)), shape=(nodes, nodes))
    _, label = connected_components(graph, directed=False)
    return np.unique(label[: len(rows)], return_inverse=True)[1]
