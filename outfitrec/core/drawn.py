"""Negatives drawn for the pairs of a step."""

import attrs
from jaxtyping import Bool
from torch import Tensor

from outfitrec.core.outfits import Outfits


@attrs.frozen(eq=False)
class Drawn:
    """Negatives of the pairs of a step or of an evaluation.

    Attributes:
        outfits: The negatives. Where ``shared``, each of them is a negative of every pair; elsewhere as many for each
            pair, pair by pair: rows ``k * negative`` to ``(k + 1) * negative`` belong to pair ``k``.
        shared: See ``outfits``.
        mask: ``[pair, negative]``, False where a negative does not count for a pair; None where all count.
    """

    outfits: Outfits
    shared: bool
    mask: Bool[Tensor, "pair negative"] | None = None
