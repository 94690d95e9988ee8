"""The first half of a convolutional autoencoder, whose features tell which items look alike."""

from itertools import pairwise
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec.core.component import component
from outfitrec.core.fields import field, given

# Layers halve a photo until its side is no longer than this; their channels double up to so many times the first's.
SMALLEST = 4
WIDEST = 8


@component
class Autoencoder(nn.Module):
    """Convolutions that halve the photo again and again, and a linear layer to the latent features.

    Trained by the objective ``reconstruction``, its other half. Each latent feature has mean 0 and deviation 1 over the
    items: otherwise cosines would tell what all items have in common, and a few features would outweigh the rest.

    Reference:
        Kim et al. 2021, "Replace", names the latent features of a CNN autoencoder, and nothing more of it.
    """

    photos: ClassVar[bool] = True

    latent: int = field(default=128, minimum=1, help="length of the features")
    width: int = field(
        default=16, minimum=1, help="channels of the first layer; each further one has twice as many, up to 8 times"
    )
    dim: int = given("size of an item embedding")
    image_size: int = given("side of the photos, px")

    @property
    def frozen(self) -> bool:
        """Never: all of it is trained."""
        return False

    def __attrs_post_init__(self) -> None:
        maps = feature_maps(self.image_size, self.width)
        layers: list[nn.Module] = []
        for (before, _), (channels, _) in pairwise(maps):
            layers += [nn.Conv2d(before, channels, 3, stride=2, padding=1), nn.ReLU(inplace=True)]
        channels, side = maps[-1]
        self.backbone = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side**2, self.latent, bias=False))
        self.norm = nn.BatchNorm1d(self.latent, affine=False)
        self.head = nn.Linear(self.latent, self.dim, bias=False)

    def features(self, images: Float[Tensor, "item 3 height width"]) -> Float[Tensor, "item f"]:
        """Latent features: f is ``latent``."""
        found = self.backbone(images)
        if self.training and len(found) == 1:
            # One item has no deviation, and the last step of an epoch may be that small.
            return F.batch_norm(found, self.norm.running_mean, self.norm.running_var)
        normal: Tensor = self.norm(found)
        return normal

    def embed(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """Item embeddings, linear in the features."""
        embedded: Tensor = self.head(features)
        return embedded


def feature_maps(image_size: int, width: int) -> list[tuple[int, int]]:
    """Channels and side of the photo and of the feature map after each layer; a decoder goes them backwards."""
    maps = [(3, image_size)]
    while maps[-1][1] > SMALLEST:
        maps.append((width * min(2 ** (len(maps) - 1), WIDEST), -(-maps[-1][1] // 2)))
    return maps
