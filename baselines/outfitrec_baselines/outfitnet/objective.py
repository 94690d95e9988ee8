"""OutfitNet's first stage: items of one outfit are more relevant to each other than to others of their category."""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn.functional import logsigmoid

from outfitrec import Batch, Catalog, Example, Outfits, Split, Step, component, field, given
from outfitrec_baselines.outfitnet.relevancy import Relevancy
from outfitrec_baselines.triplets.draw import SameTypeItems


@component
class ItemRelevancy:
    """Mean of -ln σ((c(i, j⁺) - c(i, j⁻)) / temperature) over the pairs of items of the posted outfits.

    Every ordered pair (i, j⁺) of items of an outfit is a triplet; j⁻ is drawn anew in each step from the training
    outfits, of the category of j⁺ and not of the outfit. The relevancy c is that of the preference ``relevancy``, which
    it trains.

    Reference:
        Lin et al., OutfitNet: fashion outfit recommendation with attention-based multiple instance learning, 2020, in
        which the loss grows the difference of positive and negative relevancy. A re-implementation from the published
        description, which leaves the sampling open.
    """

    temperature: float = field(
        default=1.0, above=0, search=(0.02, 1.0), help="relevancies are divided by it; smaller is stricter"
    )
    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="item_relevancy", help="name in logs and overrides")
    split: Split = given("the training split, whose outfits give the negatives")
    catalog: Catalog = given("the items")

    unit = "outfit"
    needs_teacher = False

    @staticmethod
    def examples() -> Iterable[Example]:
        """Of the preference that it trains."""
        yield Example(beside={"aggregator": "items", "preference": "relevancy"})

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """It trains the relevancy of pairs of items, and no other preference."""
        preference = recipe.model.preference
        if not issubclass(preference.component, Relevancy):
            yield "model.preference", f"item_relevancy trains the preference 'relevancy', not {preference.name!r}"

    def __attrs_post_init__(self) -> None:
        self._others = SameTypeItems(self.split, self.catalog)

    def extra(self, batch: Batch, generator: Generator) -> Outfits:
        """All pairs (i, j⁺) as outfits of two items, then all pairs (i, j⁻) in the same order.

        Raises:
            DataError: There is nothing to draw j⁻ from.
        """
        mask = batch.positives.mask
        pairs = mask[:, :, None] & mask[:, None, :] & ~torch.eye(mask.shape[1], dtype=torch.bool)
        row, first, second = pairs.nonzero(as_tuple=True)
        outfits = batch.positives[row]
        item, positive = batch.positives.items[row, first], batch.positives.items[row, second]
        negative = self._others.draw(outfits, positive, generator)
        return self.catalog.outfits(torch.cat([torch.stack([item, other], dim=1) for other in (positive, negative)]))

    def __call__(self, step: Step) -> Float[Tensor, ""]:
        # An outfit of two items has their relevancy as its mean.
        pairs = step.batch.extra[self.label]
        nobody = torch.zeros(len(pairs), dtype=torch.long, device=step.items.device)
        positive, negative = step.recommender.preference(nobody, step.state(self.label)).chunk(2)
        return -logsigmoid((positive - negative) / self.temperature).mean()
