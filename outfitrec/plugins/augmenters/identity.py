"""The outfit as it is."""

from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Generator, Tensor

from outfitrec.core.component import component
from outfitrec.core.outfits import Outfits


@component
class Identity:
    """The outfit as it is, for a view beside an altered one."""

    keeps_categories: ClassVar[bool] = True
    alters: ClassVar[bool] = False

    def __call__(
        self, outfits: Outfits, free: Bool[Tensor, "outfit slot"], generator: Generator
    ) -> tuple[Outfits, Bool[Tensor, "outfit slot"]]:
        """The same outfits; no slot is altered, and nothing drawn."""
        return outfits, torch.zeros_like(free)
