"""The original implementations' parameters, as a recommender of this project."""

from collections.abc import Mapping

import torch
from torch import Tensor

from outfitrec import Recommender, create
from outfitrec_baselines.triplets.original import assembled, matrix, parameters, wrong

METHOD = "SCE-Net"
_BRANCHES = {2: "pair", 3: "triplet"}


def from_original(state_dict: Mapping[str, Tensor]) -> Recommender:
    """A recommender with the original's parameters.

    Masks (``masks.weight``) and the network of the conditions' weights (``fc1.0``, ``fc2.0``), with or without the
    prefixes ``embeddingnet.`` and ``concept_branch.``. Whether that network sees two items or three is told by its
    shape. The layer that gives general embeddings (``fc_embed``) is used where it is there, and then items are given
    by its input; without, by general embeddings. The convolutional network is not used.

    Args:
        state_dict: Parameters by the originals' names.

    Returns:
        The recommender in evaluation mode, with the parameters' dtype and device.

    Raises:
        DataError: Parameters are missing, unknown or of another shape.

    Reference:
        Tan et al. 2019; their implementation for triplets of shoes (rxtan2/Learning-Similarity-Conditions), and that
        for pairs of an outfit's items (tianyu-su/OCM-sce-net), without its slips in evaluation.
    """
    found = parameters(METHOD, state_dict)
    conditions, dim = matrix(METHOD, found, "masks.weight")
    _, seen = matrix(METHOD, found, "fc1.0.weight")
    if seen % dim or seen // dim not in _BRANCHES:
        raise wrong(METHOD, [f"fc1.0.weight takes {seen} numbers, and not two or three items of {dim}"])
    with torch.random.fork_rng():
        aggregator = create("aggregator", "sce_net", conditions=conditions, branch=_BRANCHES[seen // dim], dim=dim)
    return assembled(METHOD, found, aggregator, dim)
