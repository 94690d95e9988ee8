"""An encoder: photos → item embeddings."""

from typing import ClassVar

from torch import Tensor, nn

from outfitrec import component, field, given, part
from outfitrec.protocols import Head


@component
class Mine(nn.Module):
    """A small convolutional network, from scratch: blocks of a convolution, a batch normalisation and a pooling.

    Reference:
        Nobody yet.
    """

    photos: ClassVar[bool] = True

    width: int = field(default=16, minimum=1, help="channels of the first block; each further one has twice as many")
    blocks: int = field(default=4, minimum=1, help="number of blocks; each halves the photo")
    head: Head = part("head", default="linear", help="features → item embeddings")
    image_size: int = given("side of a photo")

    @property
    def frozen(self) -> bool:
        """Whether `features` has nothing to train: it is then computed once for the whole catalogue."""
        return False

    def __attrs_post_init__(self) -> None:
        layers: list[nn.Module] = []
        channels = 3
        for block in range(self.blocks):
            wide = self.width * 2**block
            layers += [nn.Conv2d(channels, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.ReLU(), nn.AvgPool2d(2)]
            channels = wide
        self.backbone = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.layers = self.head.build(channels)

    def features(self, images: Tensor) -> Tensor:
        """The expensive half: photos ``[item, 3, height, width]``, normalised as for ImageNet → ``[item, f]``."""
        found: Tensor = self.backbone(images)
        return found

    def embed(self, features: Tensor, category: Tensor) -> Tensor:
        """The rest: ``[item, f]`` and the category of each item → ``[item, dim]``."""
        found: Tensor = self.layers(features, category)
        return found
