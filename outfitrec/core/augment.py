"""Decoded photos → what an encoder takes: crops, flips and normalisation, on the device where the photos are."""

import attrs
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Generator, Tensor

# ImageNet's mean and deviation of each channel, for values from 0 to 1.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@attrs.frozen(eq=False)
class Crops:
    """Where photos are cropped, and which are mirrored: drawn for all photos of a step before any of them is read.

    Attributes:
        down: First row of each photo's crop, ``[item]``; on the CPU, as the others.
        right: First column.
        mirrored: Whether it is mirrored.
    """

    down: Int[Tensor, " item"]
    right: Int[Tensor, " item"]
    mirrored: Bool[Tensor, " item"]

    def __len__(self) -> int:
        return len(self.down)

    def __getitem__(self, index: Int[Tensor, " part"]) -> "Crops":
        return Crops(self.down[index], self.right[index], self.mirrored[index])


def draw_crops(count: int, side: int, size: int, generator: Generator, *, flip: bool) -> Crops | None:
    """Draw random crops; None where there is nothing to draw.

    Args:
        count: Number of photos.
        side: Their side, px.
        size: Side of the crops, px.
        generator: On the CPU.
        flip: Whether each photo is mirrored with probability one half.
    """
    if not flip and side == size:
        return None
    mirrored = torch.rand(count, generator=generator) < 0.5 if flip else torch.zeros(count, dtype=torch.bool)
    down, right = torch.randint(side - size + 1, (2, count), generator=generator)
    return Crops(down, right, mirrored)


def prepare(
    images: UInt8[Tensor, "item 3 side side"], size: int, crops: Crops | None = None
) -> Float[Tensor, "item 3 size size"]:
    """Crop to ``size``, mirror and normalise with ImageNet's mean and deviation.

    Args:
        images: Square photos of at least ``size`` pixels; those of an `ImageStore` need no copy to be read here.
        size: Side of the result.
        crops: A crop for each photo; None for the centre of all, none mirrored.

    Returns:
        float32, in torch's channels-last format, in which convolutions are faster.

    Raises:
        ValueError: The photos are smaller than ``size``.
    """
    count, side = len(images), images.shape[-1]
    if side < size:
        raise ValueError(f"photos of {side} pixels cannot be cropped to {size}")
    pixels = images.permute(0, 2, 3, 1).contiguous()
    if crops is None:
        edge = (side - size) // 2
        pixels = pixels[:, edge : edge + size, edge : edge + size]
    else:
        pixels = _cropped(pixels, size, crops)
    # Rows of all their pixels' channels: a long inner loop, where [.., 3] would make one of three steps.
    rows = pixels.reshape(count * size, size * 3)
    scale = 1 / (255 * torch.tensor(STD, device=images.device))
    shift = -255 * torch.tensor(MEAN, device=images.device) * scale
    normal = rows.float().mul_(scale.repeat(size)).add_(shift.repeat(size))
    return normal.view(count, size, size, 3).permute(0, 3, 1, 2)


def _cropped(pixels: Tensor, size: int, crops: Crops) -> Tensor:
    """A crop of each photo ``[item, side, side, 3]``, mirrored or not, as ``[item * size, size * 3]``."""
    count, side = pixels.shape[:2]
    source = torch.arange(count)
    mirrored = crops.mirrored.nonzero().flatten()
    source[mirrored] = count + torch.arange(len(mirrored))
    pixels = torch.cat([pixels, pixels.index_select(0, mirrored.to(pixels.device)).flip(2)])
    # Every run of ``size`` pixels is a window on the bytes; a crop is the ``size`` windows that start at its left edge.
    start = ((source * side + crops.down)[:, None] + torch.arange(size)) * side + crops.right[:, None]
    windows = pixels.flatten().unfold(0, size * 3, 1)
    return windows.index_select(0, 3 * start.flatten().to(pixels.device))
