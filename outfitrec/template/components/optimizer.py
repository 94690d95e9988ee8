"""An optimiser: updates the parameters."""

from collections.abc import Iterable
from typing import Any

import torch

from outfitrec import component, field


@component
class Mine:
    """RMSprop: steps divided by a moving average of the gradients' size.

    Reference:
        Hinton, Neural networks for machine learning, lecture 6, 2012.
    """

    lr: float = field(default=1e-3, above=0, search=(1e-4, 1e-1), help="learning rate")
    alpha: float = field(default=0.99, minimum=0, below=1, help="share of the moving average that is kept")

    def build(self, groups: Iterable[dict[str, Any]]) -> torch.optim.Optimizer:
        """An optimiser over parameter groups; a group may have ``lr`` and ``weight_decay`` of its own."""
        return torch.optim.RMSprop(groups, lr=self.lr, alpha=self.alpha)
