"""Decoded photos → what an encoder takes: crops, flips and normalisation, on the device where the photos are."""

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

# ImageNet's mean and deviation of each channel, for values from 0 to 1.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def prepare(
    images: UInt8[Tensor, "item 3 side side"], size: int, generator: Generator | None = None, *, flip: bool = False
) -> Float[Tensor, "item 3 size size"]:
    """Crop to ``size``, flip at random and normalise with ImageNet's mean and deviation.

    Args:
        images: Square photos of at least ``size`` pixels; those of an `ImageStore` need no copy to be read here.
        size: Side of the result.
        generator: On the CPU. With it each photo is cropped at a random place of its own; None crops the centre and
            never flips.
        flip: Whether each photo is mirrored with probability one half.

    Returns:
        float32, in torch's channels-last format, in which convolutions are faster.

    Raises:
        ValueError: The photos are smaller than ``size``.
    """
    count, side = len(images), images.shape[-1]
    if side < size:
        raise ValueError(f"photos of {side} pixels cannot be cropped to {size}")
    pixels = images.permute(0, 2, 3, 1).contiguous()
    if generator is None:
        edge = (side - size) // 2
        pixels = pixels[:, edge : edge + size, edge : edge + size]
    elif flip or side > size:
        pixels = _drawn(pixels, size, generator, flip)
    # Rows of all their pixels' channels: a long inner loop, where [.., 3] would make one of three steps.
    rows = pixels.reshape(count * size, size * 3)
    scale = 1 / (255 * torch.tensor(STD, device=images.device))
    shift = -255 * torch.tensor(MEAN, device=images.device) * scale
    normal = rows.float().mul_(scale.repeat(size)).add_(shift.repeat(size))
    return normal.view(count, size, size, 3).permute(0, 3, 1, 2)


def _drawn(pixels: Tensor, size: int, generator: Generator, flip: bool) -> Tensor:
    """A random crop of each photo ``[item, side, side, 3]``, mirrored or not, as ``[item * size, size * 3]``."""
    count, side = pixels.shape[:2]
    source = torch.arange(count)
    if flip:
        mirrored = (torch.rand(count, generator=generator) < 0.5).nonzero().flatten()
        source[mirrored] = count + torch.arange(len(mirrored))
        pixels = torch.cat([pixels, pixels.index_select(0, mirrored.to(pixels.device)).flip(2)])
    down, right = torch.randint(side - size + 1, (2, count), generator=generator)
    # Every run of ``size`` pixels is a window on the bytes; a crop is the ``size`` windows that start at its left edge.
    start = ((source * side + down)[:, None] + torch.arange(size)) * side + right[:, None]
    windows = pixels.flatten().unfold(0, size * 3, 1)
    return windows.index_select(0, 3 * start.flatten().to(pixels.device))
