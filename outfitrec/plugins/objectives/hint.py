"""Hints: the teacher's embeddings, through a linear regressor."""

from collections.abc import Iterable

from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from outfitrec.core.component import component
from outfitrec.core.errors import RecipeError
from outfitrec.core.example import Example
from outfitrec.core.fields import field, given
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch, Step
from outfitrec.plugins.objectives.vectors import states


@component
class Hint(nn.Module):
    """Half the squared distance of the teacher's embedding and a linear regression of it from the student's.

    The regressor is trained with the rest and serves training alone. The original compares activations as they are;
    here both sides are scaled to unit length. A cosine reads the direction of a state and never its length, so a
    teacher's lengths are an accident of its training: to follow them would take the student's capacity, and the size of
    the term would depend on them. Of unit vectors it is 1 - cos, from 0 to 2 at any dimension.

    Reference:
        Romero et al., FitNets: Hints for thin deep nets, 2015 (there of hidden layers).
    """

    of: str = field(
        default="outfit", choices=("outfit", "item"), help="embeddings: of the step's outfits, or of its distinct items"
    )
    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="hint", help="name in logs and overrides")
    dim: int = given("size of an item's and an outfit's embedding")
    teacher_dim: int | None = given("the same of the teacher, where there is one")

    unit = "pair"
    needs_teacher = True

    @staticmethod
    def examples() -> Iterable[Example]:
        """Of outfits, and of items."""
        yield Example()
        yield Example(fields={"of": "item"})

    def __attrs_post_init__(self) -> None:
        if self.teacher_dim is None:
            raise RecipeError(f"objective {self.label!r} needs a teacher", hint="set the key 'teacher'")
        self.regressor = nn.Linear(self.dim, self.teacher_dim)

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def forward(self, step: Step) -> Float[Tensor, ""]:
        """Mean over the embeddings, of which negatives that are masked for a pair are no exception.

        Raises:
            RecipeError: Embeddings are not vectors of the models' dimensions.
        """
        if self.of == "item":
            student, teacher = step.items, step.teacher.table.index_select(0, step.ids)
        else:
            student, teacher = states(step, step.batch.roles(), self.label)
        for whose, rows, dim in (("student", student, self.dim), ("teacher", teacher, self.teacher_dim)):
            if rows.shape[1] != dim:
                raise RecipeError(
                    f"objective {self.label!r} needs embeddings of the {whose}'s model.dim, {dim}, and they have "
                    f"{rows.shape[1]} numbers",
                    hint="choose an aggregator that gives outfit embeddings, such as set_transformer or mean",
                )
        distance = F.normalize(self.regressor(student), dim=1) - F.normalize(teacher, dim=1)
        return distance.square().sum(dim=1).mean() / 2
