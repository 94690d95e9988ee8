"""The terms of the triplet objective, as functions of distances and of general embeddings."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pairwise_distance


def nearer(near: Float[Tensor, " triplet"], far: Float[Tensor, " triplet"], margin: float) -> Float[Tensor, ""]:
    """Mean of max(0, near - far + margin): 0 where each near distance is below the far one by the margin."""
    return (near - far + margin).relu().mean()


def embedding_norm(
    anchor: Float[Tensor, "triplet dim"], far: Float[Tensor, "triplet dim"], close: Float[Tensor, "triplet dim"]
) -> Float[Tensor, ""]:
    """Mean Frobenius norm of the three, by the root of the number of triplets."""
    norms = torch.stack([torch.linalg.matrix_norm(items) for items in (anchor, far, close)])
    return norms.mean() / math.sqrt(len(anchor))


def similarity(
    anchor: Float[Tensor, "triplet dim"],
    far: Float[Tensor, "triplet dim"],
    close: Float[Tensor, "triplet dim"],
    margin: float,
    as_in_code: bool = False,
) -> Float[Tensor, ""]:
    """Far and close item, which are of one type, nearer to each other than each of them to the anchor.

    Args:
        anchor: General embeddings of the anchors.
        far: Of the far items.
        close: Of the close items.
        margin: By which they are to be nearer.
        as_in_code: Whether the sign is that of the original's code, which drives them apart.
    """
    alike = pairwise_distance(far, close)
    others = pairwise_distance(far, anchor), pairwise_distance(close, anchor)
    terms = [nearer(other, alike, margin) if as_in_code else nearer(alike, other, margin) for other in others]
    return torch.stack(terms).mean()
