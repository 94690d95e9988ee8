"""Broken heads."""

from typing import Any

import torch
from torch import Tensor, nn

from mutants import broken
from outfitrec import component, given


class Layer(nn.Module):
    """One linear layer."""

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, dim)

    def forward(self, features: Tensor, category: Tensor) -> Tensor:
        embedded: Tensor = self.linear(features)
        return embedded


@component
class Sound:
    """Keeps to all of it."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> nn.Module:
        return Layer(size, self.dim)


@broken("head", "builds_modules_of_the_declared_shape")
@component
class AsLong:
    """Embeddings are as long as the features."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> nn.Module:
        return Layer(size, size)


@broken("head", "builds_modules_of_the_declared_shape")
@component
class Squeezed:
    """Loses the dimension of the items where there is one."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> nn.Module:
        class Squeezing(Layer):
            def forward(self, features: Tensor, category: Tensor) -> Tensor:
                return super().forward(features, category).squeeze()

        return Squeezing(size, self.dim)


@broken("head", "takes_items_of_any_categories")
@component
class Branching:
    """A layer for each category, of which every step must have items."""

    dim: int = given("size of an item embedding")
    categories: tuple[str, ...] = given("names of the categories")

    def build(self, size: int) -> nn.Module:
        class Branches(nn.ModuleList):
            def forward(self, features: Tensor, category: Tensor) -> Tensor:
                order = category.argsort(stable=True)
                parts = zip(self, category.unique_consecutive(), strict=True)
                rows = [layer(features[category == one], category) for layer, one in parts]
                return torch.cat(rows)[order.argsort()]

        return Branches(Layer(size, self.dim) for _ in self.categories)


@broken("head", "treats_each_item_alone")
@component
class Centred:
    """Takes the mean of the batch off."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> nn.Module:
        class Centring(Layer):
            def forward(self, features: Tensor, category: Tensor) -> Tensor:
                return super().forward(features - features.mean(dim=0), category)

        return Centring(size, self.dim)


@broken("head", "passes_a_gradient_to_the_features")
@component
class Detached:
    """The encoder learns nothing."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> nn.Module:
        class Detaching(Layer):
            def forward(self, features: Tensor, category: Tensor) -> Tensor:
                return super().forward(features.detach(), category)

        return Detaching(size, self.dim)


@broken("head", "builds_modules_that_survive_a_checkpoint")
@component
class Forgetful:
    """Has a projection that is in no checkpoint."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> nn.Module:
        class Projecting(Layer):
            def __init__(self, size: int, dim: int) -> None:
                super().__init__(dim, dim)
                self.projection = torch.randn(size, dim)

            def forward(self, features: Tensor, category: Any) -> Tensor:
                return super().forward(features @ self.projection, category)

        return Projecting(size, self.dim)
