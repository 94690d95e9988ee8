"""An augmenter: an outfit → an altered view of it."""

import torch
from torch import Generator, Tensor

from outfitrec import Outfits, component, field


@component
class Mine:
    """Removes each free item with a certain probability, and never the last one of an outfit.

    Reference:
        Nobody yet.
    """

    probability: float = field(
        default=0.3, above=0, below=1, search=(0.1, 0.6), help="probability that an item is removed"
    )

    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> tuple[Outfits, Tensor]:
        """The views, and which slots were altered, ``[outfit, slot]``.

        Args:
            outfits: They are left as they are.
            free: Slots that may be altered, ``[outfit, slot]``.
            generator: All draws are from it; it is on the CPU.
        """
        # Drawn on the CPU and moved, so that a run is the same on any device.
        draws = torch.rand(outfits.items.shape, generator=generator).to(outfits.items.device)
        removed = (draws < self.probability) & free & outfits.mask
        # One item stays in any case: that with the highest draw.
        stays = torch.zeros_like(removed)
        stays.scatter_(1, draws.masked_fill(~outfits.mask, -1).argmax(dim=1, keepdim=True), value=True)
        removed &= ~stays
        return Outfits(outfits.items.masked_fill(removed, -1), outfits.category.masked_fill(removed, -1)), removed
