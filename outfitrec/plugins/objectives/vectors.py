"""What the objectives that compare embeddings with the teacher's share."""

from collections.abc import Iterable

from jaxtyping import Float
from torch import Tensor

from outfitrec.core.errors import RecipeError
from outfitrec.core.outfits import Outfits
from outfitrec.core.state import State, cat_states
from outfitrec.core.step import Step


def states(
    step: Step, roles: Iterable[str], label: str
) -> tuple[Float[Tensor, "outfit dim"], Float[Tensor, "outfit other"]]:
    """The student's and the teacher's states of the outfits of some roles, row by row.

    Args:
        step: The step; it holds outfits of each role.
        roles: The roles, in the order of the rows.
        label: The objective that asks.

    Raises:
        RecipeError: The student's or the teacher's states are not one vector an outfit.
    """
    names, outfits = list(roles), step.batch.roles()
    student = cat_states([step.state(role) for role in names])
    teacher = step.teacher.state(Outfits.cat([outfits[role] for role in names]))
    return _vectors(student, "student", label), _vectors(teacher, "teacher", label)


def _vectors(state: State, whose: str, label: str) -> Float[Tensor, "outfit dim"]:
    if isinstance(state, Tensor) and state.ndim == 2:
        return state
    found = f"tensors of shape {list(state.shape)}" if isinstance(state, Tensor) else "several tensors"
    raise RecipeError(
        f"objective {label!r} needs a vector for each outfit, and the {whose}'s aggregator gives {found}",
        hint="choose an aggregator that gives outfit embeddings, such as set_transformer or mean",
    )
