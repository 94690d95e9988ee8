"""Where the positives of all users rank, which is all that a metric needs: no loop over users, linear memory."""

from collections.abc import Callable

import attrs
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@attrs.frozen(eq=False)
class Ranking:
    """The positives of all users, by user and falling score. Ranks count from 1 within a user.

    In a random order of equal scores, a positive has each of the ranks ``first`` to ``last`` with the same chance.

    Attributes:
        user: Position of each positive's user among the users that occur, ``[positive]``.
        tie: Number of the group of equal scores that it is in, ascending, ``[positive]``.
        first: First rank of this group, ``[positive]``.
        last: Last rank of this group, ``[positive]``.
        rows: Number of rows of each user, ``[user]``.
        positives: Number of positives of each user, ``[user]``.
    """

    user: Int[Tensor, " positive"]
    tie: Int[Tensor, " positive"]
    first: Int[Tensor, " positive"]
    last: Int[Tensor, " positive"]
    rows: Int[Tensor, " user"]
    positives: Int[Tensor, " user"]

    @property
    def tied(self) -> Int[Tensor, " positive"]:
        """Number of rows with the score of a positive, itself among them."""
        return self.last - self.first + 1

    def ranks(self) -> Float[Tensor, " rank"]:
        """The ranks from 1 to that of the longest list."""
        longest = int(self.rows.max()) if len(self.rows) else 0
        return torch.arange(1, longest + 1, dtype=torch.float64, device=self.rows.device)

    def total(self, values: Float[Tensor, " positive"]) -> Float[Tensor, " user"]:
        """Sum over the positives of each user."""
        return values.new_zeros(len(self.rows)).index_add_(0, self.user, values)

    def expected(
        self, up_to: Callable[[Int[Tensor, " positive"]], Float[Tensor, " positive"]]
    ) -> Float[Tensor, " positive"]:
        """Mean weight of the ranks that each positive may have.

        Args:
            up_to: Gives, for a rank of each positive, the sum of the weights of the ranks from 1 to it; 0 for rank 0.
        """
        return (up_to(self.last) - up_to(self.first - 1)) / self.tied


def rank(scores: Float[Tensor, " n"], relevant: Bool[Tensor, " n"], user: Int[Tensor, " n"]) -> Ranking:
    """Rank the positives of each user.

    Args:
        scores: Higher is better; infinite ones are allowed.
        relevant: True for a positive, False for a negative.
        user: Any integer for each user, in any order.

    Raises:
        ValueError: A score is NaN, ``relevant`` is not boolean, or the three are not of one length.
    """
    if not scores.shape == relevant.shape == user.shape or scores.ndim != 1:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (scores, relevant, user))
        raise ValueError(f"scores, relevant and user must be of one shape [n], not {shapes}")
    if relevant.dtype != torch.bool:
        raise ValueError(f"relevant must be boolean, not {relevant.dtype}: graded relevance is not supported")
    undefined = scores.isnan()
    if undefined.any():
        raise ValueError(f"{int(undefined.sum())} of {len(scores)} scores are NaN: they have no rank")
    # One integer of each row's user, falling score and relevance: one sort brings all three into order.
    keys = torch.add(2**32, _users(user), alpha=2**33).sub_(_levels(scores), alpha=2).add_(relevant)
    if keys.device.type == "cpu":
        keys.numpy().sort()  # with vector instructions: several times faster than torch
    else:
        keys = keys.sort().values
    positive = (keys & 1).nonzero().flatten()
    of_tie, tie_start, tied = _segments(keys.bitwise_right_shift_(1), positive)
    of_user, user_start, rows = _segments(keys.bitwise_right_shift_(32), positive)
    first = tie_start[of_tie] - user_start[of_user] + 1
    return Ranking(of_user, of_tie, first, first + tied[of_tie] - 1, rows, of_user.bincount(minlength=len(rows)))


def _users(user: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Users as integers of 31 bits, in the same order."""
    user = user.long()
    if ((user >= -(2**30)) & (user < 2**30)).all():
        return user
    compact: Tensor = user.unique(return_inverse=True)[1]
    return compact


def _levels(scores: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Scores as integers of 32 bits, in the same order and equal where the scores are."""
    scores = scores.detach()
    if scores.dtype == torch.float64:
        order = torch.from_numpy(scores.numpy().argsort()) if scores.device.type == "cpu" else scores.argsort()
        levels = _starts(scores.index_select(0, order)).cumsum(0)
        return torch.empty_like(levels).index_copy_(0, order, levels)
    # Floats are ordered as their bits are, negative ones the other way round. Adding 0 makes -0 the same as 0.
    bits = (scores.float() + 0.0).view(torch.int32)
    return (bits >> 31).bitwise_and_(2**31 - 1).bitwise_xor_(bits)


def _starts(values: Tensor) -> Bool[Tensor, " n"]:
    """Where a run of equal values begins."""
    starts = torch.ones(len(values), dtype=torch.bool, device=values.device)
    starts[1:] = values[1:] != values[:-1]
    return starts


def _segments(
    values: Int[Tensor, " n"], rows: Int[Tensor, " positive"]
) -> tuple[Int[Tensor, " positive"], Int[Tensor, " segment"], Int[Tensor, " segment"]]:
    """Runs of equal values: that of each of ``rows``; the first row of each run, and its length."""
    starts = _starts(values)
    first = starts.nonzero().flatten()
    return (
        starts.cumsum(0, dtype=torch.int32)[rows].long() - 1,
        first,
        first.diff(append=first.new_tensor([len(starts)])),
    )
