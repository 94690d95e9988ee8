"""Adam."""

from collections.abc import Iterable
from typing import Any

import torch

from outfitrec.core.component import component
from outfitrec.core.fields import field


@component
class Adam:
    """Adam; its weight decay is an L2 penalty.

    Reference:
        Kingma and Ba, Adam: a method for stochastic optimization, 2015.
    """

    lr: float = field(default=1e-3, above=0, search=(1e-5, 1e-2), help="learning rate")
    beta1: float = field(default=0.9, minimum=0, below=1, help="decay of the mean of the gradient")
    beta2: float = field(default=0.999, minimum=0, below=1, help="decay of the mean of its square")
    eps: float = field(default=1e-8, above=0, help="added to the denominator")
    weight_decay: float = field(default=0.0, minimum=0, search=(1e-6, 1e-3), help="factor of the L2 penalty")
    amsgrad: bool = field(default=False, help="never let the denominator shrink (AMSGrad)")

    def build(self, groups: Iterable[dict[str, Any]]) -> torch.optim.Adam:
        return torch.optim.Adam(
            groups,
            lr=self.lr,
            betas=(self.beta1, self.beta2),
            eps=self.eps,
            weight_decay=self.weight_decay,
            amsgrad=self.amsgrad,
        )
