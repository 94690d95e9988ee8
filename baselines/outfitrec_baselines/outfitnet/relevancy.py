"""OutfitNet's first stage: how well the items of an outfit go together."""

from collections.abc import Iterable
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from outfitrec import Example, State, component, field
from outfitrec_baselines.shared.compatibility import Compatibility
from outfitrec_baselines.shared.items import items_of


@component
class Relevancy(Compatibility):
    """Mean relevancy c(i, j) of an outfit's pairs of items; the users play no part.

    It has no parameter: item embeddings whose encoder was trained by ``item_relevancy`` are all that it knows.

    Reference:
        Lin et al., OutfitNet: fashion outfit recommendation with attention-based multiple instance learning, 2020: the
        fashion item relevancy network. A re-implementation from the published description, which leaves c open.
    """

    fewest: ClassVar[int] = 2

    similarity: str = field(
        default="cosine",
        choices=("cosine", "inner", "distance"),
        help="c of two items: their cosine, their inner product, or minus their squared distance",
    )

    @staticmethod
    def examples() -> Iterable[Example]:
        """With the aggregator that gives it the items."""
        for similarity in ("cosine", "distance"):
            yield Example(fields={"similarity": similarity}, beside={"aggregator": "items"})

    def forward(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "..."]:
        """Mean relevancy; ``(b, 1) × (k,) → (b, k)`` and ``(p,) × (p,) → (p,)``.

        Args:
            users: User indices; only their shape counts.
            state: `Items` of outfits, each with at least two.

        Raises:
            RecipeError: The state holds no items.
        """
        items, mask, _ = items_of(state, "preference relevancy")
        filled = mask.unsqueeze(-1)
        count = mask.sum(dim=1)
        if self.similarity == "distance":
            # Σ |x_i - x_j|² over pairs is n Σ |x_i|² where the mean is zero, and then nothing cancels.
            centre = (items * filled).sum(dim=1, keepdim=True) / count.view(-1, 1, 1)
            total = -count * ((items - centre) * filled).square().sum(dim=(1, 2))
        else:
            if self.similarity == "cosine":
                items = F.normalize(items, dim=-1)
            items = items * filled
            # |Σ x_i|² is all ordered pairs and each item with itself.
            total = (items.sum(dim=1).square().sum(dim=1) - items.square().sum(dim=(1, 2))) / 2
        return super().forward(users, total / (count * (count - 1) / 2))
