"""Hinge ranking loss."""

from jaxtyping import Bool, Float
from torch import Tensor

from outfitrec import component, field


@component
class Hinge:
    """Hinge ranking loss: each negative shall score at least a margin below the positive.

    Reference:
        Weston et al., WSABIE: Scaling up to large vocabulary image annotation, 2011 (without its rank weights).
    """

    margin: float = field(default=0.2, above=0, search=(0.05, 1.0), help="how far a negative shall be below")

    def __call__(
        self,
        positive: Float[Tensor, " pair"],
        negative: Float[Tensor, "pair negative"],
        weight: Float[Tensor, "pair negative"] | None = None,
        mask: Bool[Tensor, "pair negative"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean over the pairs of the mean over a pair's negatives of ``max(0, margin - positive + weight · negative)``.

        Args:
            positive: Score of each pair.
            negative: Scores of its negatives.
            weight: Factor of each negative score; None is 1.
            mask: False where a negative leaves its pair's mean.
        """
        weighted = negative if weight is None else weight * negative
        loss = (self.margin - positive[:, None] + weighted).clamp(min=0)
        if mask is None:
            return loss.mean()
        return (loss.masked_fill(~mask, 0).sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()
