"""The regulariser that keeps a user's anchors apart."""

from collections.abc import Iterable
from typing import Any

from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from outfitrec import Batch, Example, Outfits, Step, component, field
from outfitrec_baselines.lpae.anchored import anchors_in, dependent_anchors, log_det_divergence, without_anchors


@component
class AnchorRegularizer:
    """Mean over the step's users of tr(G) - ln det(G), G the Gram matrix of the user's anchors, not normalised.

    It draws them towards an orthonormal system. General anchors are left alone.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021: the log-determinant divergence of G
        and the identity, but for a constant.
    """

    weight: float = field(default=0.01, minimum=0, search=(1e-4, 1.0), help="factor in the sum of objectives")
    label: str = field(default="anchor_regularizer", help="name in logs and overrides")

    unit = "pair"
    needs_teacher = False

    @staticmethod
    def examples() -> Iterable[Example]:
        """Of the preference that has anchors."""
        yield Example(beside={"preference": {"name": "anchors", "anchors": 4}})

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """There are anchors, and they can be independent."""
        yield from without_anchors("anchor_regularizer", recipe)
        yield from dependent_anchors("anchor_regularizer", recipe)

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Float[Tensor, ""]:
        """The mean over the pairs: who has two of them counts twice.

        Raises:
            RecipeError: The preference has no anchors, or more of them than dimensions.
        """
        preference, users = anchors_in(step.recommender, "anchor_regularizer"), step.users
        if len(users) < preference.users:
            return log_det_divergence(preference.anchors_of(users)).mean()
        return F.embedding(users, log_det_divergence(preference.user_anchors)[:, None]).mean()
