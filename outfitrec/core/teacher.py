"""The frozen teacher: its items are encoded once, its positive means computed once."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from outfitrec.core.data import Rows
from outfitrec.core.outfits import Outfits
from outfitrec.core.recommender import Recommender
from outfitrec.core.state import State


class Teacher:
    """Scores of a frozen recommender.

    Args:
        recommender: The trained teacher, on the device.
        table: Its embeddings of all items, ``[item, dim]``.
        positives: The training positives of all users (J_i⁺ of Eq. 11).
        users: Number of users.
        chunk: Outfits scored at once.

    Attributes:
        recommender: See above; in evaluation mode, without gradients.
        table: See above.
        positive_mean: Mean score of each user's training positives, ``[user]`` (Eq. 11); NaN for a user without any.
    """

    def __init__(
        self, recommender: Recommender, table: Float[Tensor, "item dim"], positives: Rows, users: int, chunk: int
    ) -> None:
        self.recommender = recommender.eval().requires_grad_(False)
        self.table = table
        with torch.inference_mode():
            recommender.candidates_of(table, positives.outfits)
            scores = recommender.score_rows(table, positives.users, positives.outfits, chunk)
        # On the CPU: not every device has 64 bits.
        total = torch.zeros(users, dtype=torch.float64).index_add_(0, positives.users, scores.cpu().double())
        mean = total / torch.bincount(positives.users, minlength=users)
        self.positive_mean = mean.to(table.dtype).to(table.device)

    @torch.no_grad()
    def state(self, outfits: Outfits) -> State:
        """The teacher's states of outfits."""
        return self.recommender.state(self.table, outfits.items, outfits.category)

    @torch.no_grad()
    def score(self, users: Int[Tensor, " pair"], outfits: Outfits, shared: bool) -> Float[Tensor, "pair negative"]:
        """The teacher's scores of a pair's user for its negatives (see `Drawn`)."""
        return self.recommender.score_drawn(users, self.state(outfits), shared)

    @torch.no_grad()
    def score_pairs(self, users: Int[Tensor, " pair"], outfits: Outfits) -> Float[Tensor, " pair"]:
        """The teacher's score of each pair's user for its own outfit."""
        return self.recommender.preference(users, self.state(outfits))
