"""Anchors learned for a new user."""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from outfitrec import DataError, Recommender, RunError, State, component, field
from outfitrec_baselines.lpae.anchored import (
    AnchorStrategy,
    anchors_in,
    dependent_anchors,
    finite,
    log_det_divergence,
    vectors_of_liked,
)
from outfitrec_baselines.lpae.preference import Anchors


@component
class AnchorOptimization(AnchorStrategy):
    """A new user's anchors are learned; all that is trained already stays as it is.

    Gradient descent on BPR of every liked outfit against every outfit of `unobserved`, and the regulariser of the
    anchors. They begin as those of the known users did. The profile is ``anchors``.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021, "optimization".
    """

    name = "anchor_optimization"

    steps: int = field(default=100, minimum=1, search=(20, 500), help="steps of gradient descent")
    lr: float = field(default=0.1, above=0, search=(0.01, 1.0), help="learning rate")
    temperature: float = field(
        default=1.0, above=0, search=(0.02, 1.0), help="scores are divided by it; smaller is stricter"
    )
    weight: float = field(default=0.01, minimum=0, search=(1e-4, 1.0), help="factor of the regulariser")
    seed: int = field(default=0, minimum=0, help="of the anchors at the start")
    label: str = field(default="anchor_optimization", help="name in results")

    @classmethod
    def check_recipe(cls, config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """There are anchors, and they can be independent where that is asked for."""
        yield from super().check_recipe(config, recipe)
        if config.weight:
            yield from dependent_anchors(cls.name, recipe)

    def __attrs_post_init__(self) -> None:
        self._unobserved: State | None = None

    def unobserved(self, state: State) -> None:
        """Take the states of outfits that are not known to be liked."""
        self._unobserved = state

    def profile(self, recommender: Recommender, liked: State) -> dict[str, Float[Tensor, "anchor dim"]]:
        """The anchors that are learned. The same each time, and nothing else is changed.

        Raises:
            DataError: There is no liked outfit, one whose embedding is not finite, or `unobserved` was not called.
            RecipeError: The model has no anchors, more of them than dimensions, or no outfit embeddings.
            RunError: The anchors that are learned are not finite.
        """
        preference = anchors_in(recommender, self.name)
        positive = vectors_of_liked(preference, liked)
        negative = None if self._unobserved is None else preference.vectors(self._unobserved)
        if negative is None or not len(negative):
            raise DataError(
                "anchor_optimization learns from unobserved outfits besides the liked ones, and was given none",
                hint="call unobserved(state) first; anchor_search and user_search need liked outfits alone",
            )
        negative = finite(negative, "unobserved")
        # What is computed in inference mode has no gradient, even out of it; a copy has.
        with torch.inference_mode(False), torch.enable_grad():
            anchors = self._descend(preference, positive.clone().detach(), negative.clone().detach())
        if not torch.isfinite(anchors).all():
            raise RunError(
                f"anchor_optimization: the anchors are not finite after {self.steps} steps",
                hint=f"lower its lr, which is {self.lr:g}",
            )
        return {"anchors": anchors}

    def _descend(
        self, preference: Anchors, positive: Float[Tensor, "liked dim"], negative: Float[Tensor, "unobserved dim"]
    ) -> Float[Tensor, "anchor dim"]:
        generator = Generator().manual_seed(self.seed)
        start = torch.empty(preference.anchors, preference.dim).uniform_(
            -preference.bound, preference.bound, generator=generator
        )
        anchors = start.to(positive)
        for _ in range(self.steps):
            anchors.requires_grad_()
            margin = preference.score_anchors(anchors, positive)[:, None] - preference.score_anchors(anchors, negative)
            loss = -F.logsigmoid(margin / self.temperature).mean()
            if self.weight:
                loss = loss + self.weight * log_det_divergence(anchors)
            (gradient,) = torch.autograd.grad(loss, anchors)
            anchors = (anchors - self.lr * gradient).detach()
        return anchors
