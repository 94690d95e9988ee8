"""Reconstruction: the photos again, from the encoder's features alone."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from outfitrec.core.component import component
from outfitrec.core.errors import RecipeError
from outfitrec.core.example import Example
from outfitrec.core.fields import field, given
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch, Step
from outfitrec.plugins.encoders.autoencoder import feature_maps


@component
class Reconstruction(nn.Module):
    """Mean squared error of photos that a decoder makes from the encoder's features.

    The decoder mirrors the encoder ``autoencoder``, serves training alone, and takes the features of any encoder of
    photos. Photos are normalised as the encoder sees them.

    Reference:
        Kim et al. 2021, "Replace", names the latent features of a CNN autoencoder, and nothing more of it.
    """

    latent: int = field(default=128, minimum=1, help="length of the encoder's features")
    width: int = field(
        default=16,
        minimum=1,
        help="channels of the decoder's last layer but one; each before has twice as many, up to 8 times",
    )
    weight: float = field(default=1.0, minimum=0, search=(0.01, 10.0), help="factor in the sum of objectives")
    label: str = field(default="reconstruction", help="name in logs and overrides")
    image_size: int = given("side of the photos, px")

    unit = "item"
    needs_teacher = False

    @staticmethod
    def examples() -> Iterable[Example]:
        """Beside the encoder whose other half it is."""
        yield Example(
            fields={"latent": 8, "width": 2}, beside={"encoder": {"name": "autoencoder", "latent": 8, "width": 2}}
        )

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """The encoder must see photos and learn from them, and its features have the decoder's length."""
        encoder = recipe.model.encoder
        if not encoder.component.photos:
            yield "model.encoder", f"reconstruction needs an encoder of photos, and {encoder.name!r} sees none"
        elif getattr(encoder, "frozen", False):
            yield "model.encoder.frozen", "reconstruction trains the encoder, and a frozen one learns nothing"
        latent = getattr(encoder, "latent", config.latent)
        if latent != config.latent:
            yield "latent", f"must be that of the encoder ({latent}), and is {config.latent}"

    def __attrs_post_init__(self) -> None:
        maps = feature_maps(self.image_size, self.width)[::-1]
        channels, side = maps[0]
        layers: list[nn.Module] = [nn.Linear(self.latent, channels * side**2), nn.Unflatten(1, (channels, side, side))]
        for (before, _), (after, side) in pairwise(maps):
            layers += [nn.BatchNorm2d(before), nn.ReLU(inplace=True)]
            # Of the two sides that the encoder's layer brings to the same one, the right one.
            layers.append(nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1 - side % 2))
        self.decoder = nn.Sequential(*layers).to(memory_format=torch.channels_last)

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def forward(self, step: Step) -> Float[Tensor, ""]:
        """Mean over items, channels and pixels.

        Raises:
            RecipeError: The features have another length than ``latent``.
        """
        found = step.features.shape[1]
        if found != self.latent:
            raise RecipeError(
                f"objective {self.label!r}: the encoder's features have length {found}, and latent is {self.latent}",
                hint=f"set objectives.{self.label}.latent to {found}",
            )
        return F.mse_loss(self.decoder(step.features.float()), step.photos)
