"""The triplet objective: each item nearer to those of its outfit than to others of their type."""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F

from outfitrec import Batch, Catalog, Example, Outfits, RecipeError, Split, Step, component, field, given
from outfitrec_baselines.triplets.draw import SameTypeItems
from outfitrec_baselines.triplets.pairs import Pairwise
from outfitrec_baselines.triplets.terms import embedding_norm, nearer, similarity


@component
class Triplet:
    """Mean of max(0, D(anchor, close) - D(anchor, far) + margin) over triplets, and three small terms.

    Every unordered pair of items of a posted outfit is a triplet, in the order of the slots: the earlier item is the
    anchor, the later one the close item. The far item is drawn anew in each step: of the close item's type, from the
    training outfits, and not of the outfit itself. D is the distance of the aggregator for the two types.

    The small terms are, each by its factor: the norm of the items' general embeddings, the L1 norm of the masks, and
    the similarity of far and close item in general embeddings.

    Reference:
        Vasileva et al., Learning type-aware embeddings for fashion compatibility, 2018, without the terms of texts;
        the defaults are those of its code. Tan et al., Learning similarity conditions without explicit supervision,
        2019, has a margin of 0.2.
    """

    margin: float = field(default=0.3, above=0, search=(0.05, 1.0), help="by which the close item is to be nearer")
    embed_weight: float = field(
        default=5e-4, minimum=0, search=(1e-5, 1e-2), help="factor of the norm of general embeddings"
    )
    mask_weight: float = field(default=5e-4, minimum=0, search=(1e-5, 1e-2), help="factor of the norm of the masks")
    similarity_weight: float = field(
        default=5e-5, minimum=0, search=(1e-6, 1e-3), help="factor of the similarity of far and close item"
    )
    similarity: str = field(
        default="intent",
        choices=("intent", "as_in_code"),
        help="far and close item are to be alike, or, as by the sign in the original's code, to differ",
    )
    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="triplet", help="name in logs and overrides")
    split: Split = given("the training split, whose outfits give the far items")
    catalog: Catalog = given("the items")

    unit = "outfit"
    needs_teacher = False

    @staticmethod
    def examples() -> Iterable[Example]:
        """Of both aggregators that compare pairs."""
        for aggregator in ("type_aware", "sce_net"):
            yield Example(beside={"aggregator": aggregator, "preference": "compatibility"})

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """The aggregator compares pairs of items."""
        aggregator = recipe.model.aggregator
        if not issubclass(aggregator.component, Pairwise):
            yield "model.aggregator", _wrong(config.label, aggregator.name)

    def __attrs_post_init__(self) -> None:
        self._others = SameTypeItems(self.split, self.catalog)

    def extra(self, batch: Batch, generator: Generator) -> Outfits:
        """Anchor and far item of each triplet, as outfits of two.

        Raises:
            DataError: There is nothing to draw a far item from.
        """
        row, first, second = _pairs(batch.positives)
        items = batch.positives.items
        far = self._others.draw(batch.positives[row], items[row, second], generator)
        return self.catalog.outfits(torch.stack([items[row, first], far], dim=1))

    def __call__(self, step: Step) -> Float[Tensor, ""]:
        aggregator: object = step.recommender.aggregator
        if not isinstance(aggregator, Pairwise):
            raise RecipeError(_wrong(self.label, type(aggregator).__name__))
        row, _, second = _pairs(step.batch.positives)
        items, mask = step.embedded("positive")
        # F.embedding's gradient repeats bit for bit; that of items[row, second] does not.
        close = F.embedding(row * mask.shape[1] + second, items.flatten(0, 1))
        anchor, far = step.embedded(self.label)[0].unbind(1)
        relation = aggregator.relation(*step.batch.extra[self.label].category.unbind(1))
        to_far, to_close = aggregator.triplet(anchor, far, close, relation)
        terms = {
            "distance": (1.0, nearer(to_close, to_far, self.margin)),
            "embed": (self.embed_weight, embedding_norm(anchor, far, close)),
            "mask": (self.mask_weight, aggregator.mask_norm(relation)),
            "similarity": (
                self.similarity_weight,
                similarity(anchor, far, close, self.margin, self.similarity == "as_in_code"),
            ),
        }
        for name, (_, value) in terms.items():
            step.log(f"{self.label}.{name}", value)
        return torch.stack([factor * value for factor, value in terms.values()]).sum()


def _pairs(
    outfits: Outfits,
) -> tuple[Int[Tensor, " triplet"], Int[Tensor, " triplet"], Int[Tensor, " triplet"]]:
    """Outfit, earlier slot and later slot of each pair of items."""
    mask = outfits.mask
    row, first, second = (mask[:, :, None] & mask[:, None, :]).triu(diagonal=1).nonzero(as_tuple=True)
    return row, first, second


def _wrong(label: str, aggregator: str) -> str:
    return f"objective {label!r} trains the distances of an aggregator like type_aware or sce_net, not {aggregator!r}"
