"""A ranking loss."""

import torch
from torch import Tensor
from torch.nn import functional as F

from outfitrec import component, field


@component
class Mine:
    """Mean over the pairs of ``Σ softplus((weight · negative - positive) / temperature)``, divided by their number.

    Say here what it does, in a formula, and where it is from:

    Reference:
        Nobody yet.
    """

    temperature: float = field(
        default=0.1, above=0, search=(0.02, 1.0), help="scores are divided by it; smaller is stricter"
    )

    def __call__(
        self, positive: Tensor, negative: Tensor, weight: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """One number.

        Args:
            positive: Score of each pair, ``[pair]``.
            negative: Scores of its negatives, ``[pair, negative]``.
            weight: Factor of each negative score, of any sign; None is 1.
            mask: False where a negative leaves the sum; None where all count.
        """
        weighted = negative if weight is None else weight * negative
        kept = torch.ones_like(negative) if mask is None else mask.to(negative.dtype)
        loss = F.softplus((weighted - positive[:, None]) / self.temperature)
        # Not loss * kept: a masked entry may be infinite.
        loss = torch.where(kept > 0, loss, 0.0)
        return (loss.sum(dim=1) / kept.sum(dim=1).clamp(min=1)).mean()
