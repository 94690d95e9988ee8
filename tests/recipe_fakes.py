"""Small components without torch, in a registry of their own, for tests of recipes."""

from collections.abc import Iterable
from typing import Any, Literal

from outfitrec.core.component import component
from outfitrec.core.fields import field, given, part, parts
from outfitrec.core.loading import Plugins, Policy
from outfitrec.core.registry import BUILTIN, Registration, Registry


class Idle:
    """Has the methods of every kind, none of which is called."""

    def __call__(self, *values: object) -> None:
        raise AssertionError("no fake is used")


for _name in ("build", "draw", "embed", "extra", "features", "load", "log", "profile", "score", "start", "finish"):
    setattr(Idle, _name, Idle.__call__)


@component
class Alexnet(Idle):
    size: str = field(default="xs", choices=("large", "m", "s", "xs"), help="width of the layers")
    weights: str = field(default="imagenet", choices=("imagenet", "none"), path=True, help="pretrained weights")
    dropout: float = field(default=0.5, minimum=0, below=1, help="dropout")
    dim: int = given("size of an item embedding")

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        if recipe.image.size < 63:
            yield "image.size", f"alexnet needs photos of at least 63 px, not {recipe.image.size}"


@component
class Torchvision(Idle):
    architecture: str = field(help="name of a model")
    frozen: bool = field(default=False, help="leave the backbone as it is")


@component
class SetTransformer(Idle):
    heads: int = field(default=8, minimum=1, help="attention heads")
    blocks: int = field(default=2, minimum=0, help="attention blocks")
    dim: int = given("size of an item embedding")

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        if recipe.model.dim % config.heads:
            yield "heads", f"must divide model.dim ({recipe.model.dim}), and is {config.heads}"


@component
class Cosine(Idle):
    std: float = field(default=1, above=0, help="deviation of the users at the start")
    users: int = given("number of users")


@component
class Npair(Idle):
    temperature: float = field(default=0.1, above=0, help="temperature")


@component
class Fnd(Idle):
    alpha: float = field(default=1.25, above=0, help="strength")


@component
class Ranking(Idle):
    loss: Npair = part("loss", default="npair", help="ranking loss")
    distiller: Fnd | None = part("distiller", default=None, help="weights by what the teacher says")
    weight: float = field(default=1.0, minimum=0, help="factor in the sum of objectives")
    label: str = field(default="ranking", help="name in logs and overrides")

    @property
    def needs_teacher(self) -> bool:
        return self.distiller is not None


@component
class Erase(Idle):
    count: int = field(default=1, minimum=1, help="items to leave out")


@component
class Contrastive(Idle):
    views: tuple[Erase, ...] = parts("augmenter", default=("erase", "erase"), help="the two augmenters")
    weight: float = field(default=0.2, minimum=0, help="factor in the sum of objectives")

    needs_teacher = False


@component
class RandomMix(Idle):
    share: Literal["step", "pair"] = field(default="step", help="who negatives are for")
    count: int | None = field(default=None, minimum=1, help="negatives a positive")


@component
class Synthetic(Idle):
    users: int = field(default=40, minimum=1, help="number of users")


@component
class Folder(Idle):
    root: str = field(path=True, help="folder of the data")
    users: int = field(minimum=1, help="number of users")
    extra: dict[str, float] = field(factory=dict, help="anything else")


@component
class Auc(Idle):
    """Area under the curve."""

    label = "auc"


@component
class Ndcg(Idle):
    k: int | None = field(default=None, minimum=1, help="ranks that count")

    @property
    def label(self) -> str:
        return f"ndcg@{self.k}" if self.k else "ndcg"


@component
class Sgd(Idle):
    lr: float = field(default=0.1, above=0, help="learning rate")
    momentum: float = field(default=0.9, minimum=0, below=1, help="share of the last update that is kept")
    weight_decay: float = field(default=0.0, minimum=0, help="factor of the penalty")
    betas: tuple[float, float] = field(default=(0.9, 0.99), minimum=0, below=1, help="averages")
    steps: list[int] = field(factory=list, minimum=1, help="epochs of change")


@component
class Constant(Idle):
    every: str = field(default="epoch", choices=("epoch", "step"), help="when it moves")


@component
class Average(Idle):
    threshold: float = field(default=0, help="similarity of users who count")
    users: int = given("number of users")


COMPONENTS: dict[str, dict[str, type]] = {
    "encoder": {"alexnet": Alexnet, "torchvision": Torchvision},
    "aggregator": {"set_transformer": SetTransformer},
    "preference": {"cosine": Cosine},
    "loss": {"npair": Npair, "bpr": Npair},
    "distiller": {"fnd": Fnd},
    "objective": {"ranking": Ranking, "contrastive": Contrastive},
    "augmenter": {"erase": Erase, "replace": Erase},
    "negatives": {"random_mix": RandomMix, "stored": RandomMix},
    "dataset": {"synthetic": Synthetic, "polyvore_u": Folder},
    "metric": {"auc": Auc, "ndcg": Ndcg},
    "cold_start": {"average": Average, "weighted_average": Average},
    "optimizer": {"sgd": Sgd},
    "schedule": {"constant": Constant, "cosine": Constant},
}
RECIPES = ("bpr", "fnd", "npair", "quickstart", "teacher")


def fake_registry() -> Registry:
    """The components above and the shipped recipes, as built-ins; a metric that two distributions provide."""
    registry = Registry()
    for kind, classes in COMPONENTS.items():
        for name, cls in classes.items():
            registry.add(Registration(kind, name, f"{__name__}:{cls.__name__}", f"fake {name}", BUILTIN, "1.0"))
    for name in RECIPES:
        registry.add(Registration("recipe", name, f"outfitrec.recipes:{name}.yaml", "a recipe", BUILTIN, "1.0"))
    for provider in ("one", "two"):
        registry.add(Registration("metric", "twin", f"{__name__}:Auc", "metric of two plugins", provider, "1.0"))
    return registry


def fake_plugins() -> Plugins:
    """Plugins with the registry above, and nothing that is installed."""
    plugins = Plugins(Policy(), ())
    plugins.registry = fake_registry()
    return plugins
