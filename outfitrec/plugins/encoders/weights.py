"""Pretrained weights of a backbone: torchvision's own, or a local file."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from outfitrec.core.errors import DataError, Problem, listed

NONE = "none"
IMAGENET = "imagenet"


def load_weights(architecture: str, source: str) -> dict[str, Tensor]:
    """The state dict that ``source`` names, by torchvision's parameter names.

    Args:
        architecture: A model of torchvision, such as ``alexnet``.
        source: ``imagenet`` for torchvision's default weights, or the path of a ``.safetensors`` or ``.pth`` file.

    Raises:
        DataError: The file is missing or damaged, or the weights cannot be downloaded: what was tried, and where to
            put a file instead.
    """
    if source == IMAGENET:
        return _download(architecture)
    path = Path(source)
    if not path.is_file():
        raise DataError(
            f"no weights file {path}", hint=f"give {IMAGENET}, {NONE}, or the path of a .safetensors or .pth file"
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise DataError(f"the weights file {path} cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise DataError(f"the weights file {path} is no state dict (a mapping of names to tensors)")
    return dict(loaded)


def fit_weights(
    wanted: Mapping[str, Tensor], weights: Mapping[str, Tensor], ignored: tuple[str, ...], who: str
) -> None:
    """Copy ``weights`` into ``wanted`` in place.

    Args:
        wanted: Parameters and buffers by name.
        weights: What was loaded.
        ignored: Prefixes of names that the weights may have in addition (the classification head).
        who: What the weights are for, for messages.

    Raises:
        DataError: Names or shapes differ; all of them at once.
    """
    problems = []
    # Counters of batches in normalisation layers are missing from old files, and nothing depends on them.
    missing = [name for name in wanted if name not in weights and not name.endswith("num_batches_tracked")]
    extra = [name for name in weights if name not in wanted and not name.startswith(ignored)]
    if missing:
        problems.append(Problem(f"weights for {who} lack {listed(missing, 6)}"))
    if extra:
        problems.append(Problem(f"weights for {who} have unknown {listed(extra, 6)}"))
    for name, tensor in wanted.items():
        if name in weights and weights[name].shape != tensor.shape:
            shapes = f"{list(weights[name].shape)}, not {list(tensor.shape)}"
            problems.append(Problem(f"weights for {who}: {name} has shape {shapes}"))
    if problems:
        raise DataError(problems)
    with torch.no_grad():
        for name, tensor in wanted.items():
            if name in weights:
                tensor.copy_(weights[name])


def _download(architecture: str) -> dict[str, Tensor]:
    from torchvision.models import get_model_weights

    weights = get_model_weights(architecture).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rpartition("/")[2]
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True)
    except Exception as error:
        raise DataError(
            f"the ImageNet weights of {architecture} cannot be had: {weights.url}: {type(error).__name__}: {error}",
            hint=f"put the file at {file}, or set model.encoder.weights to {NONE} or to the path of a file",
        ) from error
    return state
