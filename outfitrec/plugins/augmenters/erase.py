"""One item removed."""

from jaxtyping import Bool
from torch import Generator, Tensor

from outfitrec.core.component import component
from outfitrec.core.outfits import Outfits
from outfitrec.plugins.augmenters.choice import one_of


@component
class Erase:
    """Removes an item at random, never the last one: an outfit of a single item stays as it is.

    Reference:
        Kim et al. 2021, Section "Contrastive learning".
    """

    def __call__(
        self, outfits: Outfits, free: Bool[Tensor, "outfit slot"], generator: Generator
    ) -> tuple[Outfits, Bool[Tensor, "outfit slot"]]:
        """The outfits with one free slot emptied, and which one that is."""
        several = outfits.mask.sum(dim=1, keepdim=True) > 1
        erased = one_of(outfits.mask & free & several, generator)
        return Outfits(outfits.items.masked_fill(erased, -1), outfits.category.masked_fill(erased, -1)), erased
