"""Modules in training mode without their dropout: what they do in training, and give the same twice."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

# Whose training mode is nothing but dropout.
MODULES = (nn.modules.dropout._DropoutNd, nn.MultiheadAttention, nn.RNNBase)
# The same, of libraries that need not be installed.
NAMES = frozenset({"StochasticDepth", "DropPath"})
FUNCTIONS = frozenset(
    {
        F.dropout,
        F.dropout1d,
        F.dropout2d,
        F.dropout3d,
        F.alpha_dropout,
        F.feature_alpha_dropout,
        torch.dropout,
        torch.feature_dropout,
        torch.alpha_dropout,
        torch.feature_alpha_dropout,
    }
)


class _Undropped(TorchFunctionMode):
    """Functions of dropout give their input."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in FUNCTIONS:
            return args[0] if args else kwargs["input"]
        if func is F.scaled_dot_product_attention:
            # The fifth of its parameters, after query, key, value and mask.
            args = (*args[:4], 0.0, *args[5:]) if len(args) > 4 else args
            kwargs.pop("dropout_p", None)
        return func(*args, **kwargs)


@contextmanager
def without_dropout(component: Any, *, training: bool) -> Iterator[None]:
    """Put a module into training or evaluation mode, and switch its dropout off; what is no module is left as it is."""
    if isinstance(component, nn.Module):
        component.train(training)
        for one in component.modules():
            if isinstance(one, MODULES) or type(one).__name__ in NAMES:
                one.eval()
    with _Undropped():
        yield
