"""Bayesian personalised ranking."""

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.plugins.losses.margins import margins


@component
class BPR:
    """Bayesian personalised ranking: each negative is compared with the positive on its own.

    Reference:
        Rendle et al., BPR: Bayesian personalized ranking from implicit feedback, 2009 (without its regulariser).
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
        """Mean over pairs, and over a pair's negatives, of ``-ln σ((positive - weight · negative) / temperature)``.

        Args:
            positive: Score of each pair.
            negative: Scores of its negatives.
            weight: Factor of each negative score, of any sign; None is 1.
            mask: False where a negative leaves its pair's mean. A pair without a negative has the loss 0.

        Raises:
            ValueError: The shapes do not fit together.
        """
        margin = margins(positive, negative, weight, mask, self.temperature)
        # logsigmoid is exact everywhere; softplus turns linear above its threshold.
        loss = -logsigmoid(-margin).sum(dim=1)
        count = max(margin.shape[1], 1) if mask is None else mask.sum(dim=1).clamp(min=1)
        return (loss / count).mean()
