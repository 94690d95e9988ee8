"""Adam with decoupled weight decay."""

from collections.abc import Iterable
from typing import Any

import torch

from outfitrec.core.component import component
from outfitrec.core.fields import field


@component
class AdamW:
    """Adam whose weight decay acts on the weights, not on the gradient.

    Reference:
        Loshchilov and Hutter, Decoupled weight decay regularization, 2019.
    """

    lr: float = field(default=1e-3, above=0, search=(1e-5, 1e-2), help="learning rate")
    beta1: float = field(default=0.9, minimum=0, below=1, help="decay of the mean of the gradient")
    beta2: float = field(default=0.999, minimum=0, below=1, help="decay of the mean of its square")
    eps: float = field(default=1e-8, above=0, help="added to the denominator")
    weight_decay: float = field(
        default=0.01, minimum=0, search=(1e-4, 0.1), help="share of a weight that decays in a step, times lr"
    )
    amsgrad: bool = field(default=False, help="never let the denominator shrink (AMSGrad)")

    def build(self, groups: Iterable[dict[str, Any]]) -> torch.optim.AdamW:
        return torch.optim.AdamW(
            groups,
            lr=self.lr,
            betas=(self.beta1, self.beta2),
            eps=self.eps,
            weight_decay=self.weight_decay,
            amsgrad=self.amsgrad,
        )
