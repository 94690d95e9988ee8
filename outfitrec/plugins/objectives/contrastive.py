"""The contrastive objective: two views of an outfit attract each other."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from outfitrec.core.component import component
from outfitrec.core.errors import RecipeError, RunError
from outfitrec.core.fields import field, given, part, parts
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch, Step
from outfitrec.plugins.augmenters.identity import Identity
from outfitrec.protocols import Augmenter, Contrast


@component
class Contrastive(nn.Module):
    """A contrastive loss of two altered views of each pair's outfit, behind a projection g of two layers.

    Two augmenters of the same class alter different items. The projection serves training alone (33,024 parameters at
    128 dimensions).

    Reference:
        Kim et al. 2021, Eq. 17–19; its factor is 0.2.
    """

    loss: Contrast = part("contrast", default="nt_xent", help="contrastive loss of the two views")
    views: tuple[Augmenter, ...] = parts("augmenter", default=("erase", "replace"), help="what makes the two views")
    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="contrastive", help="name in logs and overrides")
    dim: int = given("size of an outfit embedding")

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Two views, at least one of them altered."""
        complaint = _complaint([view.component for view in config.views])
        if complaint:
            yield "views", complaint

    def __attrs_post_init__(self) -> None:
        complaint = _complaint([type(view) for view in self.views])
        if complaint:
            raise ValueError(f"views: {complaint}")
        self.projection = nn.Sequential(nn.Linear(self.dim, self.dim), nn.ReLU(), nn.Linear(self.dim, self.dim))

    @property
    def unit(self) -> str:
        """Works on pairs."""
        return "pair"

    @property
    def needs_teacher(self) -> bool:
        """Never."""
        return False

    def extra(self, batch: Batch, generator: Generator) -> Outfits:
        """The first views of the pairs' outfits, then the second ones.

        Raises:
            RunError: An augmenter breaks its protocol.
        """
        free = batch.positives.mask
        first, changed = self._view(0, batch.positives, free, generator)
        if type(self.views[0]) is type(self.views[1]):
            free = free & ~changed
        second, _ = self._view(1, batch.positives, free, generator)
        return Outfits.cat([first, second])

    def forward(self, step: Step) -> Float[Tensor, ""]:
        """The contrastive loss of the projected views, with the users as labels.

        Raises:
            RecipeError: The outfits' states are not vectors of the model's dimension.
        """
        state = step.state(self.label)
        if not isinstance(state, Tensor) or state.shape[1:] != (self.dim,):
            raise RecipeError(
                f"objective {self.label!r} needs a vector of {self.dim} numbers for each outfit, and the aggregator "
                f"gives {f'tensors of shape {list(state.shape)}' if isinstance(state, Tensor) else 'several tensors'}",
                hint="choose an aggregator that gives outfit embeddings, such as set_transformer or mean",
            )
        first, second = self.projection(state).chunk(2)
        return self.loss(first, second, step.users)

    def report(self, means: Mapping[str, float]) -> Iterable[str]:
        """Warn where nothing was learned."""
        if means.get(self.label) == 0:
            yield f"objective {self.label!r} is 0 throughout: a step of a single outfit has no other to repel"

    def _view(
        self, index: int, outfits: Outfits, free: Bool[Tensor, "outfit slot"], generator: Generator
    ) -> tuple[Outfits, Bool[Tensor, "outfit slot"]]:
        augmenter = self.views[index]
        who = f"objective {self.label!r}: the augmenter {type(augmenter).__name__} (views.{index})"
        # A copy: what an augmenter did to its input would be done to the posted outfits.
        made: Any = augmenter(Outfits(outfits.items.clone(), outfits.category.clone()), free.clone(), generator)
        if not (isinstance(made, tuple) and len(made) == 2):
            raise RunError(f"{who} gave {type(made).__name__}, and not the altered outfits with the slots it altered")
        view, changed = made
        if len(view) != len(outfits):
            raise RunError(f"{who} made {len(view)} outfits of {len(outfits)}")
        bare = int((~view.mask.any(dim=1)).sum())
        if bare:
            raise RunError(f"{who} left {bare} of {len(outfits)} outfits without an item")
        return view, changed


def _complaint(views: Sequence[type]) -> str:
    """What is wrong with the classes of the views, or an empty string."""
    if len(views) != 2:
        return f"must be two augmenters, one for each view, not {len(views)}"
    if all(view is Identity for view in views):
        return "identity twice makes two equal views, of which nothing can be learned: alter one of them"
    return ""
