"""Outfits: sets of items of varying size, padded to one width."""

from collections.abc import Sequence

import attrs
import torch
from jaxtyping import Bool, Int
from torch import Tensor


@attrs.frozen(eq=False)
class Outfits:
    """A batch of outfits.

    Attributes:
        items: Catalogue index of each item, ``[outfit, slot]``; -1 where a slot is empty.
        category: Category index of each item, ``[outfit, slot]``; -1 where a slot is empty.
    """

    items: Int[Tensor, "outfit slot"]
    category: Int[Tensor, "outfit slot"]

    @property
    def mask(self) -> Bool[Tensor, "outfit slot"]:
        """True where a slot holds an item."""
        return self.items >= 0

    @property
    def width(self) -> int:
        """Number of slots, empty ones among them."""
        return self.items.shape[1]

    def __len__(self) -> int:
        return self.items.shape[0]

    def __getitem__(self, index: Tensor | slice) -> "Outfits":
        return Outfits(self.items[index], self.category[index])

    def to(self, device: torch.device | str) -> "Outfits":
        """The same outfits on another device."""
        return Outfits(self.items.to(device), self.category.to(device))

    def padded(self, width: int) -> "Outfits":
        """The same outfits with empty slots added up to ``width``.

        Raises:
            ValueError: The outfits are wider than ``width``.
        """
        if width < self.width:
            raise ValueError(f"outfits of {self.width} slots do not fit into {width}")
        more = (0, width - self.width)
        pad = torch.nn.functional.pad
        return Outfits(pad(self.items, more, value=-1), pad(self.category, more, value=-1))

    @classmethod
    def cat(cls, outfits: "Sequence[Outfits]") -> "Outfits":
        """All of ``outfits`` in one batch, as wide as the widest."""
        width = max(one.width for one in outfits)
        wide = [one.padded(width) for one in outfits]
        return cls(torch.cat([one.items for one in wide]), torch.cat([one.category for one in wide]))

    def distinct(
        self, more: Int[Tensor, " item"] | None = None
    ) -> tuple[Int[Tensor, " distinct"], Int[Tensor, "outfit slot"]]:
        """Distinct items, ascending, and each slot's row among them (-1 where empty); ``more``: further items."""
        flat = self.items.flatten() if more is None else torch.cat([self.items.flatten(), more])
        # The -1 of empty slots sorts first: dropping it lowers every row by one, and makes its own row -1.
        ids, index = flat.unique(return_inverse=True)
        if len(ids) and ids[0] < 0:
            ids, index = ids[1:], index - 1
        return ids, index[: self.items.numel()].view_as(self.items)

    def keys(self) -> Int[Tensor, "outfit slot"]:
        """Rows that are equal where two outfits are the same set of items, whatever their order and padding."""
        return self.items.sort(dim=1).values
