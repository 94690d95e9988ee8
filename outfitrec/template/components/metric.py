"""A metric: per-user value of a ranking."""

import torch
from torch import Tensor

from outfitrec import component


@component
class Mine:
    """R-precision: the share of positives among a user's first R outfits, where R is the number of their positives.

    Of equal scores each is among the first R with the same chance, so that ties are broken neutrally. NaN for a user
    without a positive.

    Reference:
        Nobody yet.
    """

    label = "mine"
    higher_is_better = True

    def __call__(self, scores: Tensor, relevant: Tensor, user: Tensor) -> Tensor:
        """A value for each user, ``[user]``, in ascending order of the users that occur.

        Args:
            scores: ``[n]``, higher is better.
            relevant: True for a positive, ``[n]``.
            user: Whose ranking it is in, ``[n]``.
        """
        # By user, and within a user by falling score: both sorts keep the order of equals.
        order = scores.argsort(descending=True, stable=True)
        order = order[user[order].argsort(stable=True)]
        scores, relevant = scores[order], relevant[order].double()
        users, row, rows = user[order].unique_consecutive(return_inverse=True, return_counts=True)
        place = torch.arange(len(order), device=order.device) - (rows.cumsum(0) - rows)[row]

        # Where a group of equal scores of one user begins, how large it is, and its first place.
        begins = torch.ones_like(row, dtype=torch.bool)
        begins[1:] = (scores[1:] != scores[:-1]) | (row[1:] != row[:-1])
        group = begins.cumsum(0) - 1
        size, first = group.bincount()[group], place[begins][group]

        positives = torch.zeros(len(users), dtype=torch.float64, device=order.device).index_add(0, row, relevant)
        chance = ((positives[row] - first) / size).clamp(0, 1)
        return torch.zeros_like(positives).index_add(0, row, chance * relevant) / positives
