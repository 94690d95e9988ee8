"""Which outfits are positives of a split, and whose."""

import torch
from jaxtyping import Bool, Int
from torch import Generator, Tensor

from outfitrec.core.data import Rows
from outfitrec.core.errors import DataError


class Posted:
    """The outfits that the users of a split posted. An outfit is its set of items, whatever their order and padding.

    Args:
        positives: The positives of the split.

    Attributes:
        number: Number of each positive's outfit among the distinct ones, ``[positive]``.
        count: How many positives each distinct outfit has, ``[distinct]``.
        user: User of each distinct pair of a user and an outfit, ascending, ``[distinct pair]``.
        outfit: Number of the outfit of each of these pairs, ascending for each user, ``[distinct pair]``.

    Raises:
        DataError: There are no positives.
    """

    def __init__(self, positives: Rows) -> None:
        if not len(positives):
            raise DataError("negatives cannot be drawn for a split without positives")
        keys = positives.outfits.keys()
        generator = Generator().manual_seed(0)
        self._mixers = torch.randint(-(2**63), 2**63 - 1, (keys.shape[1],), generator=generator) | 1
        self._hashes, self.number, self.count = self._hash(keys).unique(return_inverse=True, return_counts=True)
        self._pairs = (positives.users * len(self.count) + self.number).unique()
        self.user, self.outfit = self._pairs // len(self.count), self._pairs % len(self.count)

    def by_any(self, keys: Int[Tensor, "outfit slot"]) -> Bool[Tensor, " outfit"]:
        """Whether anybody posted each outfit, given its keys, as wide as the split's."""
        return _find(self._hashes, self._hash(keys))[1]

    def by(self, users: Int[Tensor, " user"], keys: Int[Tensor, "outfit slot"]) -> Bool[Tensor, "user outfit"]:
        """Whether each user posted each outfit, given its keys, as wide as the split's."""
        number, known = _find(self._hashes, self._hash(keys))
        return _find(self._pairs, users[:, None] * len(self.count) + number)[1] & known

    def _hash(self, keys: Int[Tensor, "outfit slot"]) -> Int[Tensor, " outfit"]:
        # Equal keys have equal hashes, so no positive is missed. Different ones hardly ever have, and then one outfit
        # too many is refused.
        return (keys * self._mixers).sum(dim=1)


def _find(known: Int[Tensor, " known"], values: Int[Tensor, "..."]) -> tuple[Int[Tensor, "..."], Bool[Tensor, "..."]]:
    """Place of each value among the known ones, which ascend, and whether it is there at all."""
    place = torch.searchsorted(known, values).clamp(max=len(known) - 1)
    return place, known[place] == values
