"""Parameters to start from: those of another model that have the same name and shape."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from outfitrec.core.errors import RecipeError, RunError, listed
from outfitrec.core.recommender import Recommender
from outfitrec.core.runs import MODEL, Run
from outfitrec.core.serving import WEIGHTS


def start_from(recommender: Recommender, source: Run | Path) -> str:
    """Copy into a recommender what another one learned.

    Args:
        recommender: The recommender that is to be trained.
        source: A finished run, or a .safetensors file of parameters by the recommender's names.

    Returns:
        What was taken, for people.

    Raises:
        RecipeError: Nothing in it fits.
        RunError: It cannot be read.
    """
    path = source if isinstance(source, Path) else source.directory / MODEL / WEIGHTS
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise RunError(f"start: {path} cannot be read: {error}") from error
    own = recommender.state_dict()
    fitting = {name: one for name, one in weights.items() if name in own and own[name].shape == one.shape}
    if not fitting:
        raise RecipeError(
            f"start: {path} has no parameter of the same name and shape as this recipe's model",
            hint=f"this one has {_parts(own)}; the file has {_parts(weights) or 'none'}",
        )
    recommender.load_state_dict({**own, **fitting})
    rest = {name: one for name, one in own.items() if name not in fitting}
    text = f"starts from {path}: {len(fitting)} of {len(own)} parameters ({_parts(fitting)})"
    return f"{text}; new: {_parts(rest)}" if rest else text


def _parts(state: dict[str, Tensor]) -> str:
    return listed(sorted({".".join(name.split(".")[:2]) for name in state}), 6)
