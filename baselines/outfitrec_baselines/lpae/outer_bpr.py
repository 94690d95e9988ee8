"""Bayesian personalised ranking across all users of a step."""

import math

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from outfitrec import component, field


@component
class OuterBPR:
    """Bayesian personalised ranking of every positive of the step against every negative, whoever's they are.

    With one negative a pair it is the loss of LPAE's published code; the score of one user is compared with that of
    another.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021, as published in code.
    """

    temperature: float = field(
        default=1.0, above=0, search=(0.02, 1.0), help="scores are divided by it; smaller is stricter"
    )

    def __call__(
        self,
        positive: Float[Tensor, " pair"],
        negative: Float[Tensor, "pair negative"],
        weight: Float[Tensor, "pair negative"] | None = None,
        mask: Bool[Tensor, "pair negative"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean over positives a and negatives b of ``-ln σ((positive_a - weight_b · negative_b) / temperature)``.

        Args:
            positive: Score of each pair.
            negative: Scores of its negatives.
            weight: Factor of each negative score, of any sign; None is 1.
            mask: False where a negative leaves the mean. Without any negative the loss is 0.

        Raises:
            ValueError: The shapes do not fit together.
        """
        for name, tensor in (("weight", weight), ("mask", mask)):
            if tensor is not None and tensor.shape != negative.shape:
                raise ValueError(
                    f"{name} of shape {tuple(tensor.shape)} for negatives of shape {tuple(negative.shape)}"
                )
        if negative.ndim != 2 or positive.shape != negative.shape[:1]:
            raise ValueError(
                f"positive of shape {tuple(positive.shape)} with negatives of shape {tuple(negative.shape)}: "
                "expected [pair] and [pair, negative]"
            )
        weighted = (negative if weight is None else weight * negative).flatten()
        if mask is not None:
            # After weighting: a weight may be negative, and minus infinity times it would be plus infinity.
            weighted = weighted.masked_fill(~mask.flatten(), -math.inf)
        loss = -logsigmoid((positive[:, None] - weighted) / self.temperature).sum()
        count = max(len(weighted), 1) if mask is None else mask.sum().clamp(min=1)
        return loss / (count * max(len(positive), 1))
