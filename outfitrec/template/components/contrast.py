"""A contrastive loss of two views of the same outfits."""

from torch import Tensor
from torch.nn import functional as F

from outfitrec import component, field


@component
class Mine:
    """Views of an outfit shall be near one another, and outfits shall spread over the sphere.

    ``alignment + spread · uniformity``: the mean squared distance of the two views of an outfit, and the logarithm of
    the mean of ``exp(-2 · squared distance)`` of different outfits.

    Reference:
        Wang and Isola, Understanding contrastive representation learning through alignment and uniformity on the
        hypersphere, 2020.
    """

    spread: float = field(default=0.5, minimum=0, search=(0.1, 2.0), help="factor of the uniformity")

    def __call__(self, a: Tensor, b: Tensor, label: Tensor | None = None) -> Tensor:
        """One number.

        Args:
            a: A view of each outfit, ``[outfit, dim]``.
            b: Another view of each, in the same order.
            label: The user of each, ``[outfit]``; not used.
        """
        a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
        return (a - b).square().sum(dim=1).mean() + self.spread * (_crowding(a) + _crowding(b)) / 2


def _crowding(views: Tensor) -> Tensor:
    """How near different outfits are: 0 where all are one point, or where there is but one."""
    count = len(views)
    if count < 2:
        return views.sum() * 0
    # Of unit vectors the squared distance is 2 - 2 · cosine.
    near = (2 * (2 * views @ views.T - 2)).exp()
    return ((near.sum() - near.diagonal().sum()) / (count * (count - 1))).log()
