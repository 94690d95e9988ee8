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
    # The narrower the integers, the fewer passes the stable sort takes.
    narrow = user.short()
    user = narrow if bool((narrow == user).all()) else user
    order = _descending(scores)
    user, by_user = user.index_select(0, order).sort(stable=True)
    order = order.index_select(0, by_user)
    positive = relevant.index_select(0, order).nonzero().flatten()

    new_user = _starts(user)
    of_user, user_start, rows = _segments(new_user, positive)
    of_tie, tie_start, tied = _segments(new_user | _starts(scores.index_select(0, order)), positive)
    first = tie_start[of_tie] - user_start[of_user] + 1
    return Ranking(of_user, of_tie, first, first + tied[of_tie] - 1, rows, of_user.bincount(minlength=len(rows)))


def _descending(scores: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
    """The order of falling scores, equal ones in any order."""
    if scores.device.type != "cpu":
        return scores.argsort(descending=True)
    # NumPy sorts with vector instructions, several times faster than torch. It has no bfloat16.
    negated = -scores.detach()
    return torch.from_numpy((negated if negated.itemsize > 2 else negated.float()).numpy().argsort())


def _starts(values: Tensor) -> Bool[Tensor, " n"]:
    """Where a run of equal values begins."""
    starts = torch.ones(len(values), dtype=torch.bool, device=values.device)
    starts[1:] = values[1:] != values[:-1]
    return starts


def _segments(
    starts: Bool[Tensor, " n"], rows: Int[Tensor, " positive"]
) -> tuple[Int[Tensor, " positive"], Int[Tensor, " segment"], Int[Tensor, " segment"]]:
    """The segment of each of ``rows``; the first row of each segment, and its length."""
    first = starts.nonzero().flatten()
    return starts.cumsum(0)[rows] - 1, first, first.diff(append=first.new_tensor([len(starts)]))
