"""Parameter groups: a learning rate and weight decay for each part of the model."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from outfitrec.core.errors import RecipeError, listed
from outfitrec.core.settings import GroupSettings


def parameter_groups(
    parameters: Iterable[tuple[str, nn.Parameter]], groups: Mapping[str, GroupSettings], lr: float, scale: float
) -> list[dict[str, Any]]:
    """Groups for an optimiser.

    Args:
        parameters: Trainable parameters by name.
        groups: Settings by prefix of the name (whole words between dots); the longest prefix that fits wins.
        lr: Learning rate of the rest.
        scale: Factor on every learning rate.

    Raises:
        RecipeError: A prefix fits no trainable parameter.
    """
    members: dict[str, list[nn.Parameter]] = {"": [], **{prefix: [] for prefix in groups}}
    names = []
    for name, parameter in parameters:
        fitting = [prefix for prefix in groups if within(name, prefix)]
        members[max(fitting, key=len, default="")].append(parameter)
        names.append(name)
    for prefix in groups:
        if not members[prefix]:
            parts = sorted({".".join(name.split(".")[:2]) for name in names})
            raise RecipeError(
                f"train.groups: {prefix!r} fits no trainable parameter", hint=f"the model has {listed(parts)}"
            )
    made = []
    for prefix, parameters_of in members.items():
        if not parameters_of:
            continue
        settings = groups.get(prefix, GroupSettings())
        group: dict[str, Any] = {"params": parameters_of, "lr": (lr if settings.lr is None else settings.lr) * scale}
        if settings.weight_decay is not None:
            group["weight_decay"] = settings.weight_decay
        made.append(group)
    return made


def within(name: str, prefix: str) -> bool:
    """Whether a part's name begins with a prefix, in whole words between dots."""
    return f"{name}.".startswith(f"{prefix}.")
