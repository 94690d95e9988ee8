"""Type-Aware embeddings: each pair of types is compared in a subspace of its own."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec import DataError, Example, RecipeError, component, field, given
from outfitrec_baselines.triplets.pairs import canonical, length, mean_over_pairs, unit


@component
class TypeAware(nn.Module):
    """Minus the mean distance of an outfit's pairs of items, each in the subspace of the pair's types.

    An item's types are the dataset's categories. There is a subspace for every unordered pair of different types, and
    one for a type with itself where training outfits can have two items of it. An item y lies in the subspace w as
    y ⊙ ReLU(w), at length 1; distances are Euclidean. The state is higher for outfits that go together.

    Reference:
        Vasileva et al., Learning type-aware embeddings for fashion compatibility, 2018. Its code compares with masks
        without ReLU in evaluation (``bare_masks``), and with a fully connected layer in place of a mask as an option.
    """

    fewest: ClassVar[int] = 2

    types: tuple[str, ...] = field(
        default=(), help="the types that are compared: all categories of the dataset, which is the default"
    )
    projection: str = field(
        default="mask", choices=("mask", "linear"), help="into a subspace: by a mask, or by a fully connected layer"
    )
    normalize: bool = field(default=True, help="bring items to length 1 in each subspace")
    bare_masks: bool = field(default=False, help="use masks without ReLU in evaluation, as the original's code does")
    dim: int = given("size of an item embedding")
    categories: tuple[str, ...] = given("names of the categories")
    most: tuple[int, ...] = given("by category, the most items of it in a training outfit")

    @staticmethod
    def examples() -> Iterable[Example]:
        """By masks, as the paper and as its code has them, and by layers."""
        yield Example()
        yield Example(fields={"bare_masks": True, "normalize": False})
        yield Example(fields={"projection": "linear"})

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse what no dataset can make right."""
        return _contradictions(config)

    def __attrs_post_init__(self) -> None:
        for key, message in _contradictions(self):
            raise RecipeError(f"type_aware: {key}: {message}")
        self._check_types()
        pairs = type_pairs(len(self.categories), [index for index, count in enumerate(self.most) if count > 1])
        # Number of the subspace by both types; -1 where there is none.
        spaces = torch.full((len(self.categories),) * 2, -1)
        for space, (one, other) in enumerate(pairs):
            spaces[one, other] = spaces[other, one] = space
        self.register_buffer("spaces", spaces, persistent=False)
        self._complete = len(pairs) == len(type_pairs(len(self.categories), range(len(self.categories))))
        self.masks: nn.Embedding | nn.ModuleList
        if self.projection == "mask":
            self.masks = nn.Embedding(len(pairs), self.dim)
            nn.init.normal_(self.masks.weight, mean=0.9, std=0.7)
        else:
            self.masks = nn.ModuleList(nn.Linear(self.dim, self.dim) for _ in pairs)

    def forward(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> Float[Tensor, " outfit"]:
        """Minus the mean distance. Empty slots have no influence, nor has the order of the items.

        Of two items of a type the order counts in the last digits alone, by the 1e-6 of torch's pairwise_distance.

        Raises:
            DataError: An outfit has two items of a type of which no training outfit has two.
        """
        items, mask, category, first, second = canonical(items, mask, category)
        present = mask[:, first] & mask[:, second]
        relation = self.relation(category[:, first], category[:, second])
        if not self._complete and not relation.is_meta:
            self._check_pairs(category[:, first], present & (relation < 0))
        relation = relation.masked_fill(~present, 0)
        one = self.project(items.index_select(1, first), relation)
        other = self.project(items.index_select(1, second), relation)
        return -mean_over_pairs(length(one - other), present)

    def relation(self, one: Int[Tensor, "*pair"], other: Int[Tensor, "*pair"]) -> Int[Tensor, "*pair"]:
        """Number of the subspace of two categories; -1 where there is none."""
        spaces: Tensor = self.get_buffer("spaces")
        return spaces[one, other]

    def project(
        self, items: Float[Tensor, "*batch dim"], relation: Int[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch dim"]:
        """Each item in the subspace of its number."""
        if isinstance(self.masks, nn.Embedding):
            bare = self.bare_masks and not self.training
            masks = self.masks.weight if bare else self.masks.weight.relu()
            projected = items * F.embedding(relation, masks)
        else:
            # All items by each layer: a matrix for each item would be larger than all else, and there are few layers.
            projected = torch.zeros_like(items)
            for space, layer in enumerate(self.masks):
                projected = torch.where((relation == space)[..., None], layer(items), projected)
        return unit(projected) if self.normalize else projected

    def triplet(
        self,
        anchor: Float[Tensor, "triplet dim"],
        far: Float[Tensor, "triplet dim"],
        close: Float[Tensor, "triplet dim"],
        relation: Int[Tensor, " triplet"],
    ) -> tuple[Float[Tensor, " triplet"], Float[Tensor, " triplet"]]:
        """Distances from the anchor to the far item and to the close one, all in the same subspace."""
        projected = self.project(torch.stack([anchor, far, close]), relation.expand(3, -1))
        to_far, to_close = length(projected[0] - projected[1:])
        return to_far, to_close

    def mask_norm(self, relation: Int[Tensor, " triplet"]) -> Float[Tensor, ""]:
        """Mean L1 norm of the triplets' masks behind the ReLU, or of their layers' weights."""
        if isinstance(self.masks, nn.Embedding):
            norms = self.masks.weight.relu().sum(dim=1)
        else:
            norms = torch.stack([layer.get_parameter("weight").abs().sum() for layer in self.masks])
        return norms.index_select(0, relation).mean()

    def _check_types(self) -> None:
        if not self.types:
            return
        unknown = [name for name in self.types if name not in self.categories]
        missing = [name for name in self.categories if name not in self.types]
        wrong = [f"{', '.join(map(repr, unknown))} unknown"] if unknown else []
        wrong += [f"{', '.join(map(repr, missing))} missing"] if missing else []
        if wrong:
            raise RecipeError(
                f"type_aware: the types do not fit the dataset: {' and '.join(wrong)}",
                hint=f"types: {', '.join(self.categories)} (the dataset's categories), or leave the key out",
            )

    def _check_pairs(self, category: Int[Tensor, "outfit pair"], wrong: Bool[Tensor, "outfit pair"]) -> None:
        """Refuse pairs without a subspace: both items are of the one category given."""
        # This waits for a GPU, and is not called where every pair of types has a subspace.
        outfits = int(wrong.any(dim=1).sum())
        if outfits:
            name = self.categories[int(category[wrong][0])]
            raise DataError(
                f"type_aware: there is no subspace for two items of type {name!r}: {outfits} of {len(wrong)} outfits "
                "have such a pair, and no training outfit has one",
                hint="leave these outfits out, or train on outfits like them",
            )


def _contradictions(fields: Any) -> Iterator[tuple[str, str]]:
    """Keys of an aggregator, or of its settings, that exclude others, and why."""
    if fields.bare_masks and fields.projection == "linear":
        yield "bare_masks", "projection: linear has no masks: set projection: mask, or leave bare_masks out"
    twice = [name for name, count in Counter(fields.types).items() if count > 1]
    if twice:
        yield "types", f"{', '.join(map(repr, twice))} more than once: name each type once"


def type_pairs(types: int, twice: "list[int] | range") -> list[tuple[int, int]]:
    """The pairs of types that have a subspace, in the order of the masks: different types first, then ``twice``."""
    return [*combinations(range(types), 2), *((one, one) for one in twice)]
