"""Score regression: the student's scores shall be the teacher's."""

from jaxtyping import Float
from torch import Generator, Tensor

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch, Step


@component
class ScoreRegression:
    """Mean squared difference of the student's and the teacher's scores of the pairs' outfits and negatives.

    Both must score in one range, as two cosines do.

    Reference:
        Ba and Caruana, Do deep nets really need to be deep?, 2014 (there of a classifier's logits).
    """

    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="score_regression", help="name in logs and overrides")

    unit = "pair"
    needs_teacher = True

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Float[Tensor, ""]:
        positive = step.positive - step.teacher_positive
        negative = step.negative - step.teacher_negative
        count = positive.numel() + negative.numel()
        total = positive.square().sum()
        if step.mask is None:
            return (total + negative.square().sum()) / count
        negative = negative.masked_fill(~step.mask, 0)
        return (total + negative.square().sum()) / (positive.numel() + step.mask.sum())
