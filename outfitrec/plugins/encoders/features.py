"""Items known by vectors that somebody computed before."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec.core.component import component
from outfitrec.core.data import Catalog
from outfitrec.core.errors import DataError, listed
from outfitrec.core.example import Example
from outfitrec.core.fields import field, part
from outfitrec.protocols import Head


@component
class Features(nn.Module):
    """Precomputed item features with a fully connected item encoder. No photo is read."""

    photos: ClassVar[bool] = False

    size: int = field(minimum=2, help="length of a feature vector")
    file: str | None = field(
        default=None,
        path=True,
        help="an .npz with 'names' [item] and 'features' [item, size]; without, the dataset's own",
    )
    norm: bool = field(default=True, help="bring each item's features to mean 0 and deviation 1 first")
    head: Head = part("head", default="item_encoder", help="features → item embeddings")

    @property
    def frozen(self) -> bool:
        """Always: the features are given."""
        return True

    @staticmethod
    def examples() -> Iterable[Example]:
        """Of the features that the contract kit's items have."""
        yield Example(fields={"size": 12})
        yield Example(fields={"size": 12, "norm": False, "head": "linear"})

    def __attrs_post_init__(self) -> None:
        self.layers = self.head.build(self.size)

    def table(self, catalog: Catalog) -> Float[Tensor, "item f"]:
        """The features of every item of a catalogue.

        Raises:
            DataError: The file is missing or damaged, lacks an item, or has vectors of another length.
        """
        table = catalog.features if self.file is None else self._read(Path(self.file), catalog)
        if table is None:
            raise DataError("the dataset has no features of its own", hint="give model.encoder.file")
        if table.shape[1] != self.size:
            raise DataError(f"the features have length {table.shape[1]}, and model.encoder.size is {self.size}")
        if not torch.isfinite(table).all():
            raise DataError(f"the features of {self.file or 'the dataset'} are not all finite")
        return table

    def features(self, images: Float[Tensor, "item 3 height width"]) -> Float[Tensor, "item f"]:
        """Never called, since `photos` is false.

        Raises:
            TypeError: Always.
        """
        raise TypeError("the encoder 'features' takes given features, not photos")

    def embed(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """Item embeddings, by the head."""
        if self.norm:
            # Frozen features have any scale, and the same learning rate must do for all: ImageNet's SqueezeNet gives a
            # deviation of 6, with which gradient descent leaves no unit alive.
            features = F.layer_norm(features, features.shape[1:])
        embedded: Tensor = self.layers(features, category)
        return embedded

    def _read(self, path: Path, catalog: Catalog) -> Tensor:
        try:
            with np.load(path, allow_pickle=False) as file:
                names, features = file["names"], file["features"]
        except (OSError, KeyError, ValueError) as error:
            raise DataError(
                f"the features file {path} cannot be read: {error}",
                hint="write it with numpy.savez(path, names=…, features=…)",
            ) from error
        rows = {str(name): row for row, name in enumerate(names)}
        missing = [name for name in catalog.names if name not in rows]
        if missing:
            raise DataError(f"the features file {path} lacks {len(missing)} items: {listed(missing, 5)}")
        if features.ndim != 2 or len(features) != len(names):
            raise DataError(f"the features file {path} has features of shape {features.shape} for {len(names)} names")
        return torch.from_numpy(features[[rows[name] for name in catalog.names]]).float()
