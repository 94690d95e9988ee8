"""SCE-Net: pairs of items are compared under several conditions, weighted by what the items look like."""

from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec import DataError, component, field, given
from outfitrec_baselines.triplets.pairs import canonical, length, mean_over_pairs, unit

_HIDDEN = 32
_THREE = 3


@component
class SCENet(nn.Module):
    """Minus the mean distance of an outfit's pairs of items under learned similarity conditions.

    Under the condition m an item y is e_m(y) = y ⊙ ReLU(w_m), at length 1. Two items are compared as
    E = Σ_m ω_m e_m, which is not brought to length 1 again, by their Euclidean distance. A small network gives the
    weights ω from the items at length 1, side by side: of the two that are compared, the one of the first category
    first (of one category: of the first slot). The state is higher for outfits that go together.

    With ``branch: triplet`` the weights come from three items: in training from anchor, far and close item; of an
    outfit, from all of its items in the same order, with zeros for the third of two. More than three are refused.

    Reference:
        Tan et al., Learning similarity conditions without explicit supervision, 2019; ``pair`` is its version for
        outfits, ``triplet`` that of its code for shoes, with 4 conditions.
    """

    fewest: ClassVar[int] = 2
    ordered: ClassVar[str] = "category"

    conditions: int = field(default=5, minimum=1, search=(2, 8), help="number of similarity conditions")
    branch: str = field(
        default="pair", choices=("pair", "triplet"), help="the items that give the weights of the conditions"
    )
    dim: int = given("size of an item embedding")

    def __attrs_post_init__(self) -> None:
        self.masks = nn.Embedding(self.conditions, self.dim)
        nn.init.normal_(self.masks.weight, mean=0.9, std=0.7)
        seen = 2 if self.branch == "pair" else _THREE
        self.weighing = nn.Sequential(
            nn.Linear(seen * self.dim, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, self.conditions), nn.Softmax(dim=-1)
        )

    def forward(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> Float[Tensor, " outfit"]:
        """Minus the mean distance. Empty slots have no influence, nor has the order of items of different categories.

        Raises:
            DataError: An outfit has more than three items, and the weights are those of triplets.
        """
        items, mask, _, first, second = canonical(items, mask, category)
        if self.branch == "pair":
            general = unit(items)
            weights = self.weights(general.index_select(1, first), general.index_select(1, second))
        else:
            if mask.shape[1] > _THREE and not mask.is_meta:
                self._check_sizes(mask)
            three = F.pad(items * mask.unsqueeze(-1), (0, 0, 0, max(_THREE - mask.shape[1], 0)))[:, :_THREE]
            weights = self.weights(*unit(three).unbind(1))[:, None].expand(-1, len(first), -1)
        return -mean_over_pairs(self._distance(items, weights, first, second), mask[:, first] & mask[:, second])

    def weights(self, *items: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch condition"]:
        """Weights of the conditions, of sum 1, from the items (at length 1) that the branch sees, in their order."""
        weights: Tensor = self.weighing(torch.cat(items, dim=-1))
        return weights

    def relation(self, one: Int[Tensor, "*pair"], other: Int[Tensor, "*pair"]) -> Bool[Tensor, "*pair"]:
        """Whether the first of two categories comes after the other."""
        return one > other

    def triplet(
        self,
        anchor: Float[Tensor, "triplet dim"],
        far: Float[Tensor, "triplet dim"],
        close: Float[Tensor, "triplet dim"],
        relation: Bool[Tensor, " triplet"],
    ) -> tuple[Float[Tensor, " triplet"], Float[Tensor, " triplet"]]:
        """Distances from the anchor to the far item and to the close one.

        With ``branch: pair``, each under the weights of its two items; with ``triplet``, both under the same ones.
        """
        items = torch.stack([anchor, far, close], dim=1)
        general = unit(items)
        if self.branch == "pair":
            one, other = general[:, :1].expand(-1, 2, -1), general[:, 1:]
            swapped = relation[:, None, None]
            weights = self.weights(torch.where(swapped, other, one), torch.where(swapped, one, other))
        else:
            weights = self.weights(*general.unbind(1))[:, None].expand(-1, 2, -1)
        first = torch.zeros(2, dtype=torch.long, device=items.device)
        to_far, to_close = self._distance(items, weights, first, 1 + torch.arange(2, device=items.device)).unbind(1)
        return to_far, to_close

    def mask_norm(self, relation: Bool[Tensor, " triplet"]) -> Float[Tensor, ""]:
        """Mean L1 norm of all masks behind the ReLU: every pair is compared under every condition."""
        return self.masks.weight.relu().sum(dim=1).mean()

    def _distance(
        self,
        items: Float[Tensor, "outfit slot dim"],
        weights: Float[Tensor, "outfit pair condition"],
        first: Int[Tensor, " pair"],
        second: Int[Tensor, " pair"],
    ) -> Float[Tensor, "outfit pair"]:
        """Distance of each pair of slots under the weights of the pair."""
        conditioned = unit(items.unsqueeze(2) * self.masks.weight.relu())
        # E(x) - E(y) of all pairs as one product of matrices: the factor of e_m(x) is ω_m, that of e_m(y) is -ω_m,
        # and nothing is made that has a vector for each pair and condition.
        slots = items.shape[1]
        signs = (F.one_hot(first, slots) - F.one_hot(second, slots)).to(weights.dtype)
        factors = (signs[:, :, None] * weights[:, :, None, :]).flatten(2)
        return length(torch.bmm(factors, conditioned.flatten(1, 2)))

    @staticmethod
    def _check_sizes(mask: Bool[Tensor, "outfit slot"]) -> None:
        # Empty slots are the last ones.
        many = int(mask[:, _THREE].sum())
        if many:
            raise DataError(
                f"sce_net: with branch: triplet an outfit has three items at most: {many} of {len(mask)} have more",
                hint="leave these outfits out, or set model.aggregator.branch: pair",
            )
