"""What there is once in a process: a check begins with it as it was, whatever components did before."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

_SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "the grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "the default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "the number of threads": (torch.get_num_threads, torch.set_num_threads),
    "the default device": (torch.get_default_device, torch.set_default_device),
    "the precision of matrix products": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "deterministic algorithms": (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
}


def settings() -> dict[str, Any]:
    """Torch's settings for the whole process, by what people call them."""
    return {name: read() for name, (read, _) in _SETTINGS.items()}


@contextmanager
def isolated() -> Iterator[None]:
    """Settings of torch, and the global generators on the CPU, are afterwards as they were before."""
    before, numpy, python = settings(), np.random.get_state(), random.getstate()  # to put them back
    try:
        with torch.random.fork_rng(devices=()):
            yield
    finally:
        _restore(before)
        np.random.set_state(numpy)
        random.setstate(python)


def _restore(before: Mapping[str, Any]) -> None:
    for name, value in settings().items():
        # To set the default device, even to what it is, slows torch down from then on.
        if value != before[name]:
            _SETTINGS[name][1](before[name])
