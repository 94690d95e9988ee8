"""A term of the training objective."""

from torch import Generator, Tensor

from outfitrec import Batch, Outfits, Step, component, field


@component
class Mine:
    """Keeps the scores small: the mean of the squared scores of positives and negatives.

    Reference:
        Nobody yet.
    """

    weight: float = field(default=0.01, minimum=0, search=(1e-4, 1.0), help="factor in the sum of objectives")
    label: str = field(default="mine", help="name in logs and overrides")

    # What its step draws: pair, outfit or item; and whether it reads the teacher.
    unit = "pair"
    needs_teacher = False

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        """Further outfits that it needs encoded in this step: none."""
        return None

    def __call__(self, step: Step) -> Tensor:
        """The value of the term, to be minimised. `outfitrec.Step` says what may be read."""
        negative = step.negative.square()
        if step.mask is not None:
            negative = negative[step.mask]
        step.log(f"{self.label}/positive", step.positive.mean())
        return step.positive.square().mean() + (negative.mean() if negative.numel() else 0)
