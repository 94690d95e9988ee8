"""Stochastic gradient descent."""

from collections.abc import Iterable
from typing import Any

import torch

from outfitrec.core.component import component
from outfitrec.core.errors import UserError
from outfitrec.core.fields import field


@component
class SGD:
    """Stochastic gradient descent with momentum, as the paper trains with."""

    lr: float = field(default=0.1, above=0, search=(1e-3, 1.0), help="learning rate")
    momentum: float = field(
        default=0.9, minimum=0, below=1, search=(0.5, 0.99), help="share of the last update that is kept"
    )
    nesterov: bool = field(default=False, help="Nesterov's momentum: look ahead along the last update")
    weight_decay: float = field(default=0.0, minimum=0, search=(1e-6, 1e-3), help="factor of the L2 penalty")

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse Nesterov's momentum without momentum."""
        if config.nesterov and config.momentum == 0:
            yield "nesterov", "needs a momentum above 0: set momentum: 0.9, or nesterov: false"

    def __attrs_post_init__(self) -> None:
        if self.nesterov and self.momentum == 0:
            raise UserError("sgd: nesterov needs a momentum above 0", hint="set momentum: 0.9, or nesterov: false")

    def build(self, groups: Iterable[dict[str, Any]]) -> torch.optim.SGD:
        return torch.optim.SGD(
            groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, weight_decay=self.weight_decay
        )
