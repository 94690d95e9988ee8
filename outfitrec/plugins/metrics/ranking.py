"""The rankings of all users at once, from which every metric is computed: no loop over users, memory of a few rows."""

import attrs
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@attrs.frozen(eq=False)
class Ranking:
    """All rows, sorted by user and then by falling score. Ranks count from 1 within a user.

    Attributes:
        user: Position of each row's user among the users that occur, ``[n]``.
        rank: Rank of each row, tied rows in any order, ``[n]``.
        place: Position of the row among the rows of its user with the same score, from 0, ``[n]``.
        tied: Number of these rows, ``[n]``.
        tied_positives: Number of positives among them, ``[n]``.
        rows: Number of rows of each user, ``[user]``.
        positives: Number of positives of each user, ``[user]``.
    """

    user: Int[Tensor, " n"]
    rank: Int[Tensor, " n"]
    place: Int[Tensor, " n"]
    tied: Int[Tensor, " n"]
    tied_positives: Int[Tensor, " n"]
    rows: Int[Tensor, " user"]
    positives: Int[Tensor, " user"]

    @property
    def gain(self) -> Float[Tensor, " n"]:
        """Chance that the row of this rank is a positive, over random orders of equal scores."""
        return self.tied_positives.double() / self.tied

    def total(self, values: Float[Tensor, " n"]) -> Float[Tensor, " user"]:
        """Sum of the values of each user."""
        return values.new_zeros(len(self.rows)).index_add_(0, self.user, values)


def rank(scores: Float[Tensor, " n"], relevant: Bool[Tensor, " n"], user: Int[Tensor, " n"]) -> Ranking:
    """Rank the rows of each user.

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
    undefined = int(scores.isnan().sum())
    if undefined:
        raise ValueError(f"{undefined} of {len(scores)} scores are NaN: they have no rank")
    # The narrower the integers, the fewer passes the stable sort takes.
    narrow = user.short()
    user = narrow if bool((narrow == user).all()) else user
    order = _descending(scores)
    user, by_user = user[order].sort(stable=True)
    order = order[by_user]
    scores, relevant = scores[order], relevant[order]

    new_user = _starts(user)
    of_user, first, rows = _segments(new_user)
    of_tie, tie_first, tied = _segments(new_user | _starts(scores))
    index = torch.arange(len(scores), device=scores.device)
    counts = relevant.long()
    return Ranking(
        user=of_user,
        rank=index - first[of_user] + 1,
        place=index - tie_first[of_tie],
        tied=tied[of_tie],
        tied_positives=torch.zeros_like(tied).index_add_(0, of_tie, counts)[of_tie],
        rows=rows,
        positives=torch.zeros_like(rows).index_add_(0, of_user, counts),
    )


def _descending(scores: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
    """The order of falling scores, equal ones in any order."""
    if scores.device.type != "cpu":
        return scores.argsort(descending=True)
    # NumPy sorts with vector instructions, several times faster than torch on one core. It has no bfloat16.
    negated = -scores.detach()
    return torch.from_numpy((negated if negated.itemsize > 2 else negated.float()).numpy().argsort())


def _starts(values: Tensor) -> Bool[Tensor, " n"]:
    """Where a run of equal values begins."""
    starts = torch.ones(len(values), dtype=torch.bool, device=values.device)
    starts[1:] = values[1:] != values[:-1]
    return starts


def _segments(
    starts: Bool[Tensor, " n"],
) -> tuple[Int[Tensor, " n"], Int[Tensor, " segment"], Int[Tensor, " segment"]]:
    """The segment of each row; the first row of each segment; its length."""
    first = starts.nonzero().flatten()
    return starts.cumsum(0) - 1, first, first.diff(append=first.new_tensor([len(starts)]))
