"""AlexNet in the paper's four sizes."""

from collections.abc import Iterable
from typing import Any, ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec.core.component import component
from outfitrec.core.fields import field, part
from outfitrec.plugins.encoders.weights import IMAGENET, NONE, fit_weights, load_weights
from outfitrec.protocols import Head

WIDTH = {"large": 4096, "m": 2048, "s": 1024, "xs": 0}
CONV_FEATURES = 256
GRID = 6
DROPOUT = 0.5
# Below these the last pooling layer, or the 6 × 6 kernel that slides over its output, has nothing left.
SMALLEST = {"adaptive": 63, "sliding": 223}


class Backbone(nn.Module):
    """The layers that torchvision's AlexNet has too, by the same names, so that its weights fit.

    Args:
        width: Of the fully connected layers; 0 for none, and global pooling.
        dropout: Before each fully connected layer.
        sliding: Whether they slide over the grid of the last feature map.
    """

    def __init__(self, width: int, dropout: float, *, sliding: bool) -> None:
        super().__init__()
        self.sliding = sliding
        # Imported late: a recipe is validated without torchvision, which takes as long to import as torch.
        from torchvision.models import alexnet

        self.features: nn.Module = alexnet(weights=None).features
        self.classifier: nn.Module | None = None
        if width:
            self.classifier = nn.Sequential(
                nn.Dropout(dropout),
                nn.Linear(CONV_FEATURES * GRID * GRID, width),
                nn.ReLU(inplace=True),
                nn.Dropout(dropout),
                nn.Linear(width, width),
                nn.ReLU(inplace=True),
            )

    def forward(self, images: Float[Tensor, "item 3 height width"]) -> Float[Tensor, "item f"]:
        """Photos → features."""
        maps: Tensor = self.features(images)
        if self.classifier is None:
            return maps.mean(dim=(2, 3))
        if self.sliding:
            places: Tensor = self.classifier(F.unfold(maps, GRID).transpose(1, 2))
            return places.mean(dim=1)
        found: Tensor = self.classifier(F.adaptive_avg_pool2d(maps, GRID).flatten(1))
        return found


@component
class AlexNet(nn.Module):
    """AlexNet backbone with a fully connected item encoder.

    ``large`` is the original without its classifier (the paper's teacher); ``m`` and ``s`` have fully connected layers
    of half and a quarter of its width; ``xs`` has none, and pools globally (the paper's student).

    Reference:
        Kim et al. 2021, "Settings" and Table 5; Krizhevsky et al. 2012, with torchvision's layer widths.
    """

    photos: ClassVar[bool] = True

    size: str = field(default="xs", choices=WIDTH, help="large, m, s (fully connected layers) or xs (none)")
    weights: str = field(
        default=IMAGENET,
        choices=(IMAGENET, NONE),
        path=True,
        help="imagenet (torchvision's), none, or the path of a weights file",
    )
    fc_mode: str = field(
        default="adaptive",
        choices=SMALLEST,
        help="fully connected layers on a 6 × 6 pooled grid, or sliding over the grid and averaged",
    )
    fc_init: str = field(
        default="random", choices=("random", "slice"), help="narrow fully connected layers: random, or pretrained rows"
    )
    dropout: float = field(
        default=DROPOUT, minimum=0, below=1, help="dropout before each fully connected layer of large, m and s"
    )
    head: Head = part("head", default="item_encoder", help="features → item embeddings")

    @property
    def frozen(self) -> bool:
        """Never: the backbone is trained."""
        return False

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse photos that are too small for the layers."""
        mode = "adaptive" if config.size == "xs" else config.fc_mode
        if config.size == "xs" and config.dropout != DROPOUT:
            yield "dropout", "size xs has no fully connected layers: the dropout of its head is head.dropout"
        if recipe.image.size < SMALLEST[mode]:
            yield (
                "size" if mode == "adaptive" else "fc_mode",
                f"AlexNet ({mode}) needs photos of at least {SMALLEST[mode]} px, and image.size is {recipe.image.size}",
            )

    def __attrs_post_init__(self) -> None:
        width = WIDTH[self.size]
        self.backbone = Backbone(width, self.dropout, sliding=self.fc_mode == "sliding")
        self.layers = self.head.build(width or CONV_FEATURES)

    def initialize(self) -> None:
        """Load the pretrained weights.

        Raises:
            DataError: They cannot be had, or do not fit.
        """
        if self.weights == NONE:
            return
        weights = load_weights("alexnet", self.weights)
        wanted = self.backbone.state_dict(keep_vars=True)
        width = WIDTH[self.size]
        if 0 < width < WIDTH["large"]:
            if self.fc_init == "random":
                wanted = {name: tensor for name, tensor in wanted.items() if not name.startswith("classifier.")}
            else:
                weights = {name: _first(tensor, name, width) for name, tensor in weights.items()}
        fit_weights(wanted, weights, ("classifier.",), f"alexnet ({self.size})")

    def features(self, images: Float[Tensor, "item 3 height width"]) -> Float[Tensor, "item f"]:
        """Backbone features: f is 256 (xs), 1,024 (s), 2,048 (m) or 4,096 (large)."""
        found: Tensor = self.backbone(images)
        return found

    def embed(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """Item embeddings, by the head."""
        embedded: Tensor = self.layers(features, category)
        return embedded


def _first(tensor: Tensor, name: str, width: int) -> Tensor:
    """The first ``width`` rows (and, of the second layer, columns) of a fully connected layer's parameter."""
    if name == "classifier.4.weight":
        return tensor[:width, :width]
    return tensor[:width] if name.startswith(("classifier.1.", "classifier.4.")) else tensor
