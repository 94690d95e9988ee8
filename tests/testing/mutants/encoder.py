"""Broken encoders."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mutants import broken
from outfitrec import Catalog, Example, component, field, given


@component
class Sound(nn.Module):
    """The mean colour of a photo, and a linear layer."""

    photos: ClassVar[bool] = True
    frozen: bool = field(default=False, help="leave the filter as it is")
    dim: int = given("size of an item embedding")

    def __attrs_post_init__(self) -> None:
        self.filter = nn.Conv2d(3, 8, 5, stride=4).requires_grad_(not self.frozen)
        self.linear = nn.Linear(8, self.dim)

    def features(self, images: Tensor) -> Tensor:
        found: Tensor = self.filter(images).relu().mean(dim=(2, 3))
        return found

    def embed(self, features: Tensor, category: Tensor) -> Tensor:
        embedded: Tensor = self.linear(features)
        return embedded


@component
class Table(nn.Module):
    """Given features, and a linear layer."""

    photos: ClassVar[bool] = False
    frozen: ClassVar[bool] = True
    dim: int = given("size of an item embedding")

    def __attrs_post_init__(self) -> None:
        self.linear = nn.Linear(12, self.dim)

    def table(self, catalog: Catalog) -> Tensor:
        assert catalog.features is not None
        return catalog.features

    def features(self, images: Tensor) -> Tensor:
        raise TypeError("no photos")

    def embed(self, features: Tensor, category: Tensor) -> Tensor:
        embedded: Tensor = self.linear(features)
        return embedded


@component
class Large(Sound):
    """Takes photos of 96 px or more."""

    image_size: int = given("side of the photos, px")

    @staticmethod
    def examples() -> Iterable[Example]:
        yield Example(image_size=96)

    def features(self, images: Tensor) -> Tensor:
        assert images.shape[2:] == (self.image_size, self.image_size)
        assert self.image_size >= 96
        return super().features(images)


@broken("encoder", "says_by_its_class_whether_it_needs_photos")
@component
class Late(Sound):
    """Tells only once it is built."""

    @property
    def photos(self) -> bool:  # type: ignore[override]  # it is what is broken
        return True


@broken("encoder", "gives_a_vector_for_each_item")
@component
class Squeezed(Sound):
    """Loses the dimension of the items where there is one."""

    def features(self, images: Tensor) -> Tensor:
        return super().features(images).squeeze()


@broken("encoder", "gives_a_vector_for_each_item")
@component
class Narrow(Sound):
    """Embeddings of the length of its own features."""

    def embed(self, features: Tensor, category: Tensor) -> Tensor:
        return features


@broken("encoder", "treats_each_item_alone")
@component
class Normalising(Sound):
    """Features by their place among those of the batch."""

    def features(self, images: Tensor) -> Tensor:
        found = super().features(images)
        return found - found.mean(dim=0)


@broken("encoder", "treats_each_item_alone")
@component
class Sorting(Sound):
    """Gives the embeddings in the order of the categories."""

    def embed(self, features: Tensor, category: Tensor) -> Tensor:
        return super().embed(features, category)[category.argsort(stable=True)]


@broken("encoder", "keeps_frozen_features", fields={"frozen": True})
@component
class Thawed(Sound):
    """Says that it is frozen, and is trained."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.filter.requires_grad_(True)


@broken("encoder", "keeps_frozen_features", fields={"frozen": True})
@component
class Dropping(Sound):
    """Has dropout in its frozen half."""

    def features(self, images: Tensor) -> Tensor:
        return nn.functional.dropout(super().features(images), 0.5, self.training)


@broken("encoder", "keeps_frozen_features", fields={"frozen": True})
@component
class Running(Sound):
    """Running means go on in its frozen half."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.norm = nn.BatchNorm1d(8, affine=False)

    def features(self, images: Tensor) -> Tensor:
        found = super().features(images)
        # In training, too, it is normalised by what it was: what changes shows later.
        mean, variance = (self.norm.get_buffer(f"running_{name}").clone() for name in ("mean", "var"))
        before = nn.functional.batch_norm(found, mean, variance)
        self.norm(found)
        return before


@broken("encoder", "has_a_row_for_each_item")
@component
class Short(Table):
    """Has no features of the last item."""

    def table(self, catalog: Catalog) -> Tensor:
        return super().table(catalog)[:-1]


@broken("encoder", "has_a_row_for_each_item")
@component
class Learned(Table):
    """Its table is trained."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.scale = nn.Parameter(torch.ones(()))

    def table(self, catalog: Catalog) -> Tensor:
        return super().table(catalog) * self.scale


@broken("encoder", "learns_from_its_embeddings")
@component
class Detached(Sound):
    """Embeddings without a gradient."""

    def embed(self, features: Tensor, category: Any) -> Tensor:
        return super().embed(features, category).detach()
