"""What `from_original` is given is a state dict, and not what one is kept in."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from outfitrec import DataError


def checked(method: str, state_dict: Mapping[str, Any]) -> dict[str, Tensor]:
    """The parameters by name, without what wrapping a model for several GPUs puts before each (``module.``).

    Raises:
        DataError: It has values that are no tensors.
    """
    strange = [name for name, value in state_dict.items() if not isinstance(value, Tensor)]
    if strange:
        inner = next((name for name in strange if isinstance(state_dict[name], Mapping)), None)
        raise DataError(
            f"not the parameters of {method}: {', '.join(strange)} are no tensors",
            hint=f"this is a whole checkpoint: give what is in it under {inner!r}" if inner else "leave them out",
        )
    wrapped = bool(state_dict) and all(name.startswith("module.") for name in state_dict)
    return {name.removeprefix("module.") if wrapped else name: tensor for name, tensor in state_dict.items()}


def misfits(found: Mapping[str, Tensor], wanted: Mapping[str, Sequence[int]]) -> list[str]:
    """What is wrong with parameters, which should be those of these names and shapes: each thing in words."""
    wrong = [f"{name} is unknown" for name in found if name not in wanted]
    wrong += [f"{name} is missing" for name in wanted if name not in found]
    wrong += [
        f"{name} has the shape {list(found[name].shape)}, not {list(shape)}"
        for name, shape in wanted.items()
        if name in found and tuple(found[name].shape) != tuple(shape)
    ]
    return wrong
