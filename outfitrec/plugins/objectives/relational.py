"""Relational distillation: distances and angles between the teacher's outfit embeddings."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn.functional import smooth_l1_loss

from outfitrec.core.component import component
from outfitrec.core.fields import field
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import NEGATIVE, POSITIVE, Batch, Step
from outfitrec.plugins.objectives.vectors import states


@component
class Relational:
    """Smooth L1 losses between the student's and the teacher's relations of the step's distinct outfits.

    The relations are the Euclidean distances of two outfits, divided by their mean, and the cosines of the angles of
    three. They are free of scale and need no projection. Distances are those of positives and negatives. Angles take
    memory that is cubic in the number of outfits, so they are those of the positives alone: n³ numbers for n positives
    (0.5 GB for 512), several times over. Equal states have no direction: angles that would need one are left out.

    Reference:
        Park et al., Relational knowledge distillation, 2019: the distance-wise and the angle-wise loss, in their
        proportion of 1 to 2.
    """

    distance: float = field(default=1.0, minimum=0, help="factor of the loss of distances; 0: none")
    angle: float = field(default=2.0, minimum=0, search=(0.2, 20.0), help="factor of the loss of angles; 0: none")
    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="relational", help="name in logs and overrides")

    unit = "pair"
    needs_teacher = True

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Float[Tensor, ""]:
        """The weighted sum of both losses.

        Raises:
            RecipeError: The student's or the teacher's states are not one vector an outfit.
        """
        student, teacher = states(step, (POSITIVE, NEGATIVE), self.label)
        outfits = step.batch.roles()
        some = _distinct(Outfits.cat([outfits[POSITIVE], outfits[NEGATIVE]]))
        total = student.new_zeros(())
        if self.distance:
            loss = _distance_loss(student.index_select(0, some), teacher.index_select(0, some))
            total = total + self.distance * loss
        if self.angle:
            some = some[some < len(outfits[POSITIVE])]
            total = total + self.angle * _angle_loss(student.index_select(0, some), teacher.index_select(0, some))
        return total


def _distinct(outfits: Outfits) -> Int[Tensor, " some"]:
    """The first row of each distinct set of items."""
    inverse = outfits.keys().unique(dim=0, return_inverse=True)[1]
    rows = torch.arange(len(inverse), device=inverse.device)
    first = torch.full_like(rows, len(rows)).scatter_reduce_(0, inverse, rows, "amin")
    return first[first < len(rows)]


def _distance_loss(student: Float[Tensor, "outfit dim"], teacher: Float[Tensor, "outfit other"]) -> Float[Tensor, ""]:
    """Mean over the pairs of two outfits."""
    loss = smooth_l1_loss(_distances(student), _distances(teacher), reduction="sum")
    return loss / _pairs(len(student))


def _distances(state: Float[Tensor, "outfit dim"]) -> Float[Tensor, "outfit outfit"]:
    """Distances as multiples of their mean."""
    # Not by matrix products, which are far off where outfits are close. The gradient at a distance of 0 is 0.
    distances = torch.cdist(state, state, compute_mode="donot_use_mm_for_euclid_dist")
    mean = distances.sum() / _pairs(len(state))
    return distances / mean.masked_fill(mean == 0, 1)


def _pairs(outfits: int) -> int:
    """Ordered pairs of two outfits; 1 where there are none, to divide by."""
    return max(outfits * (outfits - 1), 1)


def _angle_loss(student: Float[Tensor, "outfit dim"], teacher: Float[Tensor, "outfit other"]) -> Float[Tensor, ""]:
    """Mean over the triplets of three outfits whose angle is defined for both."""
    cosines, apart = _angles(student)
    expected, also = _angles(teacher)
    apart = apart & also
    # At each outfit, an edge to an outfit and an edge to another one.
    triplets = apart[:, :, None] & apart[:, None, :] & ~torch.eye(len(apart), dtype=torch.bool, device=apart.device)
    loss = smooth_l1_loss(cosines, expected, reduction="none").masked_fill(~triplets, 0)
    return loss.sum() / triplets.sum().clamp(min=1)


def _angles(
    state: Float[Tensor, "outfit dim"],
) -> tuple[Float[Tensor, "outfit outfit outfit"], Bool[Tensor, "outfit outfit"]]:
    """Cosine of the angle at the first outfit between the two others, and which outfits are apart."""
    edges = state[None] - state[:, None]
    length = torch.linalg.vector_norm(edges, dim=2, keepdim=True)
    apart = length > 0
    units = edges / length.masked_fill(~apart, 1)
    return units @ units.mT, apart.squeeze(2)
