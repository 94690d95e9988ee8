"""Normalised temperature-scaled cross-entropy."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.plugins.contrasts.views import view_logits


@component
class NTXent:
    """NT-Xent: cross-entropy of a view's other one among all other views of the step.

    Two outfits of one user repel each other like any two.

    Reference:
        Kim et al. 2021, Eq. 17–18.
        Chen et al., A simple framework for contrastive learning of visual representations, 2020.
    """

    temperature: float = field(
        default=0.1, above=0, search=(0.02, 1.0), help="cosines are divided by it; smaller is stricter"
    )

    def __call__(
        self,
        a: Float[Tensor, "outfit dim"],
        b: Float[Tensor, "outfit dim"],
        label: Int[Tensor, " outfit"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean over the views of ``log Σ exp(cosine / temperature) - cosine with the other view / temperature``.

        The sum runs over all views but the view itself: with a single outfit the loss is 0.

        Args:
            a: A view of each outfit.
            b: Another view of each, in the same order.
            label: Not used.

        Raises:
            ValueError: The shapes do not fit together.
        """
        logits = view_logits(a, b, self.temperature)
        other = torch.arange(len(logits), device=logits.device).roll(len(a))
        return F.cross_entropy(logits, other)
