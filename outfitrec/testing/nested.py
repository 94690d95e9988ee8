"""Values made of tensors: outfits, states, mappings, tuples, and tensors themselves."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import torch
from torch import Tensor

# Differences of numbers that are all below this are none.
TINY = 1e-12


def mapped(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """The same value with every tensor in it changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return {key: mapped(one, change) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(one, change) for one in value))
    if isinstance(value, list | tuple):
        return type(value)(mapped(one, change) for one in value)
    if attrs.has(type(value)) and not isinstance(value, torch.nn.Module):
        new = {one.alias: mapped(getattr(value, one.name), change) for one in attrs.fields(type(value)) if one.init}
        return type(value)(**new)
    return value


def tensors(value: Any) -> list[Tensor]:
    """All tensors in a value, in order; a number counts as one."""
    found: list[Tensor] = []
    mapped(value, lambda tensor: found.append(tensor))
    if isinstance(value, int | float):
        found.append(torch.tensor(value))
    return found


def floats(value: Any, dtype: torch.dtype) -> Any:
    """The same value with its floating-point tensors in another type."""
    return mapped(value, lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)


def copied(value: Any) -> Any:
    """A copy that shares no memory."""
    return mapped(value, lambda tensor: tensor.detach().clone())


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal bit for bit (NaN equals NaN)."""
    first, second = tensors(one), tensors(other)
    return len(first) == len(second) and all(
        a.shape == b.shape and a.dtype == b.dtype and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def near(one: Any, other: Any, *, rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """Whether two values are equal up to rounding."""
    first, second = tensors(one), tensors(other)
    return len(first) == len(second) and all(
        a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=rtol, atol=atol, equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def distance(one: Any, other: Any) -> float:
    """Largest difference of two values, as a share of the largest number in them; infinite where shapes differ."""
    first, second = tensors(one), tensors(other)
    if [tensor.shape for tensor in first] != [tensor.shape for tensor in second]:
        return math.inf
    pairs = [(a.detach().double(), b.detach().double()) for a, b in zip(first, second, strict=True) if a.numel()]
    shares = [
        float((a - b).abs().max() / torch.stack([a.abs().max(), b.abs().max()]).clamp(min=TINY).max()) for a, b in pairs
    ]
    return max((math.inf if math.isnan(share) else share for share in shares), default=0.0)


def number(value: Tensor | float) -> float:
    """A tensor of one number as a float, whether it has a gradient or not."""
    return float(value.detach()) if isinstance(value, Tensor) else float(value)


def described(value: Any) -> str:
    """A tensor's type and shape, or what else a value is."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    return type(value).__name__
