"""Seeded splits of users' outfits."""

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Generator, Tensor

from outfitrec.core.data import Questions, Rows, Split
from outfitrec.core.errors import DataError
from outfitrec.core.outfits import Outfits


def halve(split: Split, seed: int) -> tuple[Split, Split]:
    """The teacher's half and the student's half of a split, usually of the validation split.

    Each user's positives are shuffled and dealt to the halves in turn, so that both have the users with two or more.
    Every positive is in one half, its stored negatives with it; questions and labelled outfits are in neither. The
    halves differ by one positive at most and keep the order of the split.

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


def resplit(
    splits: Mapping[str, Split], shares: Sequence[float], seed: int
) -> tuple[dict[str, Split], dict[str, object]]:
    """Split the union of all positives anew, so that no item of a user is in two parts (see `by_component`).

    Stored negatives follow their positive where each split has them, as many for each positive. A question stays
    where its right answer is still a positive of the split that asks it. Labelled outfits are dropped: nothing says of
    which new split they are.

    Args:
        splits: The splits, which give the new ones their names.
        shares: Size of each, in proportion and in the same order; above 0.
        seed: Seed of the random order.

    Returns:
        The new splits, and notes: the shares reached, the users that a split lacks, what was dropped.

    Raises:
        DataError: A new split is empty: too many outfits of a user hang together.
    """
    union = _union(list(splits.values()))
    part = by_component(union.positives, shares, seed)
    made = {name: union.take((part == k).nonzero().flatten()) for k, name in enumerate(splits)}
    empty = [name for name, split in made.items() if not len(split)]
    if empty:
        raise DataError(
            f"the re-split leaves no outfit for {' and '.join(empty)}",
            hint="outfits of a user with a common item stay together; too few users have any that do not",
        )
    users = len(union.positives.users.unique())
    asked = sum(len(old.questions.users) for old in splits.values() if old.questions)
    for name, old in splits.items():
        if old.questions:
            made[name] = attrs.evolve(made[name], questions=_answered(old.questions, made[name].positives))
    return made, {
        "shares": {name: len(split) / len(union) for name, split in made.items()},
        "users_without_outfits": {name: users - len(split.positives.users.unique()) for name, split in made.items()},
        "questions_dropped": asked - sum(len(split.questions.users) for split in made.values() if split.questions),
        "negatives_dropped": sorted({name for old in splits.values() for name in old.negatives} - set(union.negatives)),
    }


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


def _union(splits: Sequence[Split]) -> Split:
    """All positives, and those stored negatives of which each positive has as many."""
    negatives = {}
    for name in splits[0].negatives:
        ratios = {len(split.negatives[name]) / len(split) if name in split.negatives else 0 for split in splits}
        if len(ratios) == 1:
            negatives[name] = _joined([split.negatives[name] for split in splits])
    return Split(_joined([split.positives for split in splits]), negatives)


def _joined(rows: Sequence[Rows]) -> Rows:
    return Rows(torch.cat([one.users for one in rows]), Outfits.cat([one.outfits for one in rows]))


def _answered(questions: Questions, positives: Rows) -> Questions | None:
    """The questions whose right answer is one of the positives; None where there are none."""
    known = set(_identities(positives))
    right = Rows(questions.users, questions.outfits[:: questions.candidates])
    kept = torch.tensor([one in known for one in _identities(right)]).nonzero().flatten()
    if not len(kept):
        return None
    candidates = torch.arange(questions.candidates)
    rows = (kept[:, None] * questions.candidates + candidates).flatten()
    return Questions(questions.users[kept], questions.outfits[rows], questions.candidates)


def _identities(rows: Rows) -> list[tuple[int, ...]]:
    """User and items of each row, whatever the order of the items."""
    keys = rows.outfits.keys()
    return list(map(tuple, torch.cat([rows.users[:, None], keys], dim=1).tolist()))


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
