"""Ranking distillation: the negatives that the teacher ranks highest count as relevant."""

import math
from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn.functional import logsigmoid

from outfitrec.core.component import component
from outfitrec.core.example import Example
from outfitrec.core.fields import field
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch, Step


@component
class RankDistillation:
    """The student shall score high what the teacher ranks highest among a pair's negatives.

    The loss is the mean over the pairs of ``-Σ_r w_r log σ(score_r / temperature)``, where ``score_r`` is the student's
    score of the negative that the teacher ranks at ``r``, from 0 to ``top`` - 1. Of the paper's symbols, K is ``top``,
    λ is ``position``, μ is ``discrepancy``, and the factor of the distillation loss is ``weight``.

    The paper takes the teacher's top of all unlabelled items. Outfits are too many to be ranked, so the candidates are
    the step's negatives; and the student's rank, which the paper estimates from a sample, is its rank among the same.
    The temperature is added: σ of a cosine itself is nearly flat. The weights of a pair are normalised to the sum 1,
    those of both kinds after they are multiplied; these are all 0 where the student ranks the teacher's top at least as
    high as the teacher does.

    Reference:
        Tang and Wang, Ranking distillation: Learning compact ranking models with high performance for recommender
        system, 2018: Eq. 8 (weight by position), Eq. 9 (by ranking discrepancy), and their product, the hybrid.
    """

    top: int = field(default=10, minimum=1, search=(5, 30), help="negatives of a pair that count as relevant, at most")
    temperature: float = field(default=0.1, above=0, search=(0.02, 1.0), help="scores are divided by it")
    position: float = field(
        default=1.0, above=0, search=(0.5, 10.0), help="scale of exp(-rank / position); smaller favours the first"
    )
    discrepancy: float = field(
        default=0.0, minimum=0, help="slope of tanh(discrepancy · (student's - teacher's rank)), a factor; 0: none"
    )
    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="rank_distillation", help="name in logs and overrides")

    unit = "pair"
    needs_teacher = True

    @staticmethod
    def examples() -> Iterable[Example]:
        """Weights by position, and by the ranking discrepancy as well."""
        yield Example()
        yield Example(fields={"top": 2, "discrepancy": 1.0})

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Float[Tensor, ""]:
        student = step.negative
        mask = torch.ones_like(student, dtype=torch.bool) if step.mask is None else step.mask
        # Masked ones come last, and weigh nothing where they are within the top.
        order = _ranking(step.teacher_negative, mask)[:, : self.top]
        weight = self._weight(student.detach(), mask, order) * mask.gather(1, order)
        step.log(f"{self.label}.relevant", mask.gather(1, order).sum() / mask.sum().clamp(min=1))
        total = weight.sum(dim=1, keepdim=True)
        weight = weight / total.masked_fill(total == 0, 1)
        return -(weight * logsigmoid(student.gather(1, order) / self.temperature)).sum(dim=1).mean()

    def report(self, means: Mapping[str, float]) -> Iterable[str]:
        """Warn where nothing is left that is not relevant."""
        if means.get(f"{self.label}.relevant", 0) >= 1:
            yield (
                f"objective {self.label!r}: all negatives of a pair are among the teacher's top {self.top}, so all of "
                "them count as relevant: lower top, or draw more negatives"
            )

    def _weight(
        self,
        student: Float[Tensor, "pair negative"],
        mask: Bool[Tensor, "pair negative"],
        order: Int[Tensor, "pair top"],
    ) -> Float[Tensor, "pair top"]:
        rank = torch.arange(order.shape[1], device=student.device, dtype=student.dtype)
        weight = torch.exp(-rank / self.position).expand(order.shape)
        if not self.discrepancy:
            return weight
        # The inverse of an order has the ranks.
        behind = _ranking(student, mask).argsort(dim=1).gather(1, order) - rank
        return weight * torch.tanh((self.discrepancy * behind).clamp(min=0))


def _ranking(
    scores: Float[Tensor, "pair negative"], mask: Bool[Tensor, "pair negative"]
) -> Int[Tensor, "pair negative"]:
    """Each pair's negatives from the highest score to the lowest, then the masked ones."""
    return scores.masked_fill(~mask, -math.inf).argsort(dim=1, descending=True, stable=True)
