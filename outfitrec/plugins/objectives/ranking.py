"""The ranking objective: posted outfits above unobserved ones."""

from collections.abc import Iterable, Mapping

from jaxtyping import Float
from torch import Generator, Tensor

from outfitrec.core.component import component
from outfitrec.core.example import Example
from outfitrec.core.fields import field, part
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch, Step
from outfitrec.protocols import Distiller, Loss


@component
class Ranking:
    """A ranking loss over each pair's outfit and its negatives, weighted by a distiller where there is one.

    Reference:
        Kim et al. 2021, Eq. 10 (without distiller) and Eq. 13–14 (with ``fnd``).
    """

    loss: Loss = part("loss", default="npair", help="ranking loss")
    distiller: Distiller | None = part("distiller", default=None, help="weights by what the teacher says")
    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="ranking", help="name in logs and overrides")

    @staticmethod
    def examples() -> Iterable[Example]:
        """Without a teacher, and with one."""
        yield Example()
        yield Example(fields={"distiller": "fnd"})

    @property
    def unit(self) -> str:
        """Works on pairs."""
        return "pair"

    @property
    def needs_teacher(self) -> bool:
        """Where there is a distiller."""
        return self.distiller is not None

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Float[Tensor, ""]:
        weight = None
        if self.distiller is not None:
            weight = self.distiller(step.teacher_positive_mean, step.teacher_negative)
            false, mask = weight < 0, step.mask
            share = false.float().mean() if mask is None else (false & mask).sum() / mask.sum().clamp(min=1)
            step.log(f"{self.label}.false_negatives", share)
        return self.loss(step.positive, step.negative, weight, step.mask)

    def report(self, means: Mapping[str, float]) -> Iterable[str]:
        """Warn of a distiller that found no false negative."""
        share = means.get(f"{self.label}.false_negatives")
        if share == 0:
            yield f"objective {self.label!r}: the distiller found no false negative in the last epoch (share 0.0)"
