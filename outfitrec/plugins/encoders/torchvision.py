"""Any backbone of torchvision."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import get_model, list_models

from outfitrec.core.component import component
from outfitrec.core.errors import RecipeError, did_you_mean, listed
from outfitrec.core.fields import field, given, part
from outfitrec.plugins.encoders.weights import IMAGENET, NONE, fit_weights, load_weights
from outfitrec.protocols import Head

# Where torchvision's classification models keep their classifier.
CLASSIFIERS = ("classifier", "fc", "heads", "head")
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")


@component
class TorchvisionEncoder(nn.Module):
    """A classification model of torchvision without its head, with a fully connected item encoder.

    Models made of ``features`` and a classifier (AlexNet, VGG, SqueezeNet, DenseNet, MobileNet, EfficientNet,
    ConvNeXt) give the global average of their last feature map; others (ResNet, RegNet, ViT, Swin, …) what reaches
    their head.
    """

    photos: ClassVar[bool] = True

    architecture: str = field(default="resnet18", help="name of a classification model of torchvision")
    frozen: bool = field(default=False, help="leave the backbone as it is; its features are computed once and cached")
    weights: str = field(
        default=IMAGENET,
        choices=(IMAGENET, NONE),
        path=True,
        help="imagenet (torchvision's), none, or the path of a weights file",
    )
    last: str | None = field(
        default=None, help="last layer that is kept, by its name in torchvision (layer3 of a ResNet); null: all of them"
    )
    norm: bool = field(default=True, help="bring each item's features to mean 0 and deviation 1 first")
    head: Head = part("head", default="item_encoder", help="features → item embeddings")
    image_size: int = given("side of the photos, px")

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse unknown models, photos that a model cannot take, and frozen random weights."""
        names = list_models(module=torch_models())
        if config.architecture not in names:
            yield "architecture", f"no such model: {config.architecture!r}; {did_you_mean(config.architecture, names)}"
            return
        if config.frozen and config.weights == NONE and recipe.start is None:
            yield (
                "weights",
                "a frozen backbone without pretrained weights learns nothing: give weights, a start, or frozen: false",
            )
        try:
            with torch.device("meta"):
                _probe(_backbone(config.architecture, recipe.image.size, config.last), recipe.image.size)
        except RecipeError as error:
            yield "last", f"{error.problems[0].message}: {error.problems[0].hint}"
        except Exception as error:
            # Models are written for all of their layers: cut, they fail in whatever way.
            if config.last is not None:
                yield "last", f"{config.architecture} cannot end at {config.last}: {error}"
                return
            if not isinstance(error, RuntimeError | ValueError | AssertionError):
                raise
            yield "architecture", f"{config.architecture} cannot take photos of {recipe.image.size} px: {error}"

    def __attrs_post_init__(self) -> None:
        self.backbone = _backbone(self.architecture, self.image_size, self.last)
        with torch.device("meta"):
            size = _probe(_backbone(self.architecture, self.image_size, self.last), self.image_size)
        self.layers = self.head.build(size)
        if self.frozen:
            self.backbone.requires_grad_(False)
            self.backbone.eval()

    def initialize(self) -> None:
        """Load the pretrained weights.

        Raises:
            DataError: They cannot be had, or do not fit.
        """
        if self.weights != NONE:
            weights = load_weights(self.architecture, self.weights)
            # What was cut off stands there as Identity.
            cut = [name for name, module in self.backbone.named_modules() if isinstance(module, nn.Identity)]
            ignored = tuple(f"{name}." for name in (*CLASSIFIERS, *cut)) + AUXILIARY
            fit_weights(self.backbone.state_dict(keep_vars=True), weights, ignored, self.architecture)

    def train(self, mode: bool = True) -> "TorchvisionEncoder":
        """Switch training mode; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def features(self, images: Float[Tensor, "item 3 height width"]) -> Float[Tensor, "item f"]:
        """Backbone features."""
        return _pooled(self.backbone(images))

    def embed(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """Item embeddings, by the head."""
        if self.norm:
            # Frozen features have any scale, and the same learning rate must do for all: ImageNet's SqueezeNet gives a
            # deviation of 6, with which gradient descent leaves no unit alive.
            features = F.layer_norm(features, features.shape[1:])
        embedded: Tensor = self.layers(features, category)
        return embedded


def torch_models() -> Any:
    """The module whose models are image classifiers (and not detectors or video models)."""
    import torchvision.models

    return torchvision.models


class FeatureMaps(nn.Module):
    """The convolutional part of a model, averaged over places. Named as in torchvision, so that weights fit."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.features: nn.Module = model.features

    def forward(self, images: Tensor) -> Tensor:
        """Photos → feature vectors."""
        maps: Tensor = self.features(images)
        # DenseNet's last activation stands in its forward, not among its features.
        return (maps.relu() if hasattr(self.features, "denseblock1") else maps).mean(dim=(2, 3))


def _backbone(architecture: str, image_size: int, last: str | None = None) -> nn.Module:
    options: dict[str, Any] = {}
    if architecture.startswith("vit_"):
        # Vision Transformers learn their positions for one size of photo.
        options = {"image_size": image_size}
    if architecture in ("googlenet", "inception_v3"):
        # Their pretrained weights are for pixels from -1 to 1, which they make of ImageNet's mean and deviation.
        options = {"aux_logits": False, "init_weights": False, "transform_input": True}
    model: Any = get_model(architecture, weights=None, **options)
    if last is not None:
        _cut(architecture, getattr(model, "features", model), last)
    if hasattr(model, "features") and hasattr(model, "classifier"):
        return FeatureMaps(model)
    for head in CLASSIFIERS:
        if hasattr(model, head):
            setattr(model, head, nn.Identity())
            found: nn.Module = model
            return found
    raise ValueError(f"{architecture} has no head that is known")


def _cut(architecture: str, layers: nn.Module, last: str) -> None:
    """Put Identity in place of the layers after ``last``, pooling apart.

    Raises:
        RecipeError: There is no such layer.
    """
    names = [name for name, _ in layers.named_children() if name not in (*CLASSIFIERS, "avgpool")]
    if last not in names:
        raise RecipeError(f"{architecture} has no layer {last!r}", hint=f"it has {listed(names)}")
    for name in names[names.index(last) + 1 :]:
        setattr(layers, name, nn.Identity())


def _probe(backbone: nn.Module, image_size: int) -> int:
    with torch.no_grad():
        found: Tensor = backbone.eval()(torch.empty(1, 3, image_size, image_size))
    return _pooled(found).shape[1]


def _pooled(found: Tensor) -> Tensor:
    # Some models pool in their head.
    return found.mean(dim=(2, 3)) if found.ndim == 4 else found
