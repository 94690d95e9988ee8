"""What the original implementations of the methods of pairs share: names of parameters, and the item encoder."""

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from outfitrec import DataError, Recommender, create
from outfitrec_baselines.shared.state_dict import checked, misfits

# What a parameter's name begins with depends on which of the nested modules was saved.
_PREFIX = re.compile(r"(?:embeddingnet\.)*(?:concept_branch\.)?")
# The convolutional network is not built anew, its features are given; texts are not used.
_UNUSED = re.compile(r"(?:conv1|bn1|layer\d|text_branch)\..*")
# Of a recommender's parameters.
_NAMES = {
    "encoder.layers.0.": "fc_embed.",
    "aggregator.weighing.0.": "fc1.0.",
    "aggregator.weighing.2.": "fc2.0.",
    "aggregator.": "",
}


def parameters(method: str, state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameters that are used, by the original's names without prefixes.

    Raises:
        DataError: One is there twice, or it is no state dict.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in checked(method, state_dict).items():
        short = _PREFIX.sub("", name, count=1)
        if short in found:
            raise wrong(method, [f"{short} is there twice"])
        if not _UNUSED.fullmatch(short):
            found[short] = tensor
    return found


def matrix(method: str, found: Mapping[str, Tensor], name: str) -> tuple[int, int]:
    """The shape of a parameter that tells sizes.

    Raises:
        DataError: It is missing, or no matrix.
    """
    if name not in found:
        raise wrong(method, [f"{name} is missing"])
    if found[name].ndim != 2:
        raise wrong(method, [f"{name} has the shape {list(found[name].shape)}, and not two dimensions"])
    rows, columns = found[name].shape
    return rows, columns


def assembled(method: str, found: Mapping[str, Tensor], aggregator: nn.Module, dim: int) -> Recommender:
    """The recommender of these parameters, in evaluation mode, of their dtype and on their device.

    Its items are general embeddings, or, where the original's last layer (``fc_embed``) is among the parameters, what
    goes into that.

    Raises:
        DataError: Parameters are missing, unknown or of another shape.
    """
    size, head = dim, "identity"
    if "fc_embed.weight" in found:
        size, head = matrix(method, found, "fc_embed.weight")[1], "linear"
    encoder = create("encoder", "features", size=size, norm=False, head=head, dim=dim)
    recommender = Recommender(encoder, aggregator, create("preference", "compatibility")).to(next(iter(found.values())))
    wanted = {_name(name): tensor for name, tensor in recommender.state_dict().items()}
    problems = misfits(found, {name: tensor.shape for name, tensor in wanted.items()})
    if problems:
        raise wrong(method, problems)
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(found[name])
    return recommender.eval()


def wrong(method: str, problems: Iterable[str]) -> DataError:
    """An error that says what does not fit."""
    return DataError(f"not the parameters of {method}: {'; '.join(problems)}")


def _name(name: str) -> str:
    start = next(start for start in _NAMES if name.startswith(start))
    return _NAMES[start] + name.removeprefix(start)
