"""Supervised contrastive loss."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.plugins.contrasts.views import view_logits


@component
class Supervised:
    """NT-Xent in which all views with the same label attract each other: those of one user's outfits.

    Each of a view's positives has a cross-entropy of its own, and their mean is the view's loss. Where all labels
    differ it is NT-Xent.

    Reference:
        Khosla et al., Supervised contrastive learning, 2020, Eq. 2 (L_out), as a mean over the views.
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
        """Mean over the views of the mean cross-entropy of their positives among all other views.

        Args:
            a: A view of each outfit.
            b: Another view of each, in the same order.
            label: Outfits with the same label attract each other; without labels each outfit only itself.

        Raises:
            ValueError: The shapes do not fit together.
        """
        logits = view_logits(a, b, self.temperature)
        if label is None:
            label = torch.arange(len(a), device=a.device)
        elif label.shape != a.shape[:1]:
            raise ValueError(f"labels of shape {tuple(label.shape)} for {len(a)} outfits")
        both = label.repeat(2)
        positive = (both[:, None] == both).fill_diagonal_(False)
        # The entries left out are minus infinity on the diagonal: a product with zero would be NaN.
        entropy = -logits.log_softmax(dim=1).masked_fill(~positive, 0)
        return (entropy.sum(dim=1) / positive.sum(dim=1)).mean()
