"""The settings of a recipe. Each field is a key; its default, range and help line stand beside it."""

from pathlib import Path
from typing import Any, TypeVar, Union, cast, dataclass_transform

import attrs

from outfitrec.core.config import Config
from outfitrec.core.fields import field, part, parts

S = TypeVar("S")
# What a file of weights ends in.
WEIGHTS = ".safetensors"
T = TypeVar("T", bound=type)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field, part, parts))
def settings(cls: T) -> T:
    """Make a class one of settings: a frozen attrs class with keyword arguments."""
    return attrs.frozen(cls, kw_only=True)


def changed(settings: S, **changes: Any) -> S:
    """Settings with some values changed."""
    # Typed by dataclass_transform, the classes are no attrs classes to mypy.
    return cast(S, attrs.evolve(cast(Any, settings), **changes))


@settings
class ImageSettings:
    """Photos as the encoder sees them."""

    size: int = field(default=224, minimum=1, help="side of the square photos that the encoder sees, px")
    stored: int | None = field(
        default=None,
        minimum=1,
        help="side at which photos are kept, px; where larger than size, training takes random crops of size and "
        "evaluation the centre; null: size",
    )
    flip: bool = field(default=True, help="flip photos at random in training")

    def __attrs_post_init__(self) -> None:
        if self.stored is not None and self.stored < self.size:
            raise ValueError(f"stored ({self.stored} px) must be at least size ({self.size} px)")


@settings
class ModelSettings:
    """The recommender: encoder → aggregator → preference."""

    dim: int = field(default=128, minimum=1, search=(64, 128, 256), help="size of an item's and an outfit's embedding")
    encoder: Config = part("encoder", default="alexnet", help="photos → item embeddings")
    aggregator: Config = part("aggregator", default="set_transformer", help="items of an outfit → the outfit's state")
    preference: Config = part("preference", default="cosine", help="user × outfit state → score")


@settings
class GroupSettings:
    """What a part of the model has of its own in training."""

    lr: float | None = field(default=None, minimum=0, help="learning rate; null: the optimizer's")
    weight_decay: float | None = field(default=None, minimum=0, help="weight decay; null: the optimizer's")


@settings
class TrainSettings:
    """Training."""

    epochs: int = field(default=50, minimum=0, help="passes over the training pairs; 0: the model as it starts")
    batch: int = field(default=32, minimum=1, help="pairs (or outfits, or items) of a step", search=(16, 128))
    seed: int = field(default=0, minimum=0, help="of everything random in training")
    optimizer: Config = part("optimizer", default="sgd", help="updates the parameters")
    schedule: Config = part("schedule", default="constant", help="the learning rate over the run")
    lr_batch: int | None = field(
        default=None,
        minimum=1,
        help="batch that the learning rates are given for; they are scaled linearly to batch; null: as they are",
    )
    groups: dict[str, GroupSettings] = field(
        factory=dict, help="settings of parts of the model, by prefix of the parameters' names (encoder.backbone)"
    )
    freeze: tuple[str, ...] = field(
        default=(), help="parts of the model that stay as they start, by prefix of the parameters' names (encoder)"
    )
    clip_norm: float | None = field(
        default=None, above=0, search=(0.1, 10.0), help="largest norm of the gradient; null: any"
    )
    clip_value: float | None = field(default=None, above=0, help="largest entry of the gradient; null: any")
    select: str | None = field(
        default="auc",
        help="metric, by its label, whose best validation value selects the epoch; null: the last epoch, not validated",
    )
    patience: int | None = field(
        default=None, minimum=1, help="epochs without a better validation value before training stops; null: never"
    )
    precision: int | str = field(
        default=32, choices=(32, "bf16-mixed", "16-mixed"), help="of the arithmetic; 32 is a number, the others words"
    )
    compile: bool = field(default=False, help="compile the encoder of photos (torch.compile)")
    accelerator: str = field(
        default="auto", choices=("auto", "cpu", "cuda", "mps"), runtime=True, help="kind of device to run on"
    )
    devices: int = field(default=1, minimum=1, runtime=True, help="number of devices, each with a process of its own")
    workers: int | None = field(
        default=None, minimum=0, runtime=True, help="threads that decode photos; null: one a processor"
    )
    checkpoint_steps: int | None = field(
        default=None, minimum=1, runtime=True, help="steps between checkpoints within an epoch; null: one an epoch"
    )

    def __attrs_post_init__(self) -> None:
        if self.clip_norm is not None and self.clip_value is not None:
            raise ValueError("clip_norm and clip_value exclude each other")
        if self.patience is not None and self.select is None:
            raise ValueError("patience counts epochs without a better validation value, and select names no metric")


@settings
class ColdStartSettings:
    """Users whom the model does not know, served by a few outfits that they liked (the paper's Table 3)."""

    dataset: Config = part("dataset", help="the unknown users: profiles are drawn from train, and test is ranked")
    strategies: tuple[Config, ...] = parts(
        "cold_start", default=("average", "weighted_average"), help="how a profile gives scores"
    )
    profiles: tuple[int, ...] = field(default=(1, 5), minimum=1, help="numbers of liked outfits of a profile")
    draws: int = field(default=10, minimum=1, help="profiles drawn for each user and size")


@settings
class EvaluateSettings:
    """Evaluation, on the validation split in training and on the test split at its end."""

    metrics: tuple[Config, ...] = parts("metric", default=("auc", "ndcg"), help="per-user values of the ranking")
    negatives: Config = part("negatives", default="stored", help="the outfits that positives are ranked against")
    seed: int = field(default=0, minimum=0, help="of the negatives that are drawn where none are stored")
    cold_start: ColdStartSettings | None = field(default=None, help="evaluation on users unknown to the model")
    chunk: int = field(default=4096, minimum=1, runtime=True, help="outfits scored at once")
    images: int = field(default=256, minimum=1, runtime=True, help="photos encoded at once")


@attrs.frozen
class FinishedRun:
    """A finished run in place of a recipe that comes before another.

    Attributes:
        path: Its directory; under ``start`` also a file of weights.
    """

    path: str

    @property
    def is_file(self) -> bool:
        """Whether it is a file of weights: a run's directory may have any name."""
        return Path(self.path).suffix == WEIGHTS and not Path(self.path).is_dir()


@settings
class Recipe:
    """A recipe, checked and complete."""

    name: str = field(help="what the run is called: letters, digits, '.', '_' and '-'")
    description: str = field(default="", help="one line for people")
    requires: dict[str, str] = field(factory=dict, help="versions of plugins it needs, such as outfitrec: '>=0.1'")
    plugins: tuple[str, ...] = field(
        default=(), path=True, help="Python files with plugins of its own, relative to the recipe's file"
    )
    # Union in words: "Recipe" is no type yet, and a string knows no |.
    teacher: Union["Recipe", FinishedRun, None] = field(
        default=None, help="recipe (name, path or mapping) trained first, or directory of a run; null: none"
    )
    neighbours: Union["Recipe", FinishedRun, None] = field(
        default=None,
        help="recipe (name, path or mapping) trained first, or directory of a run, by whose encoder items are similar",
    )
    start: Union["Recipe", FinishedRun, None] = field(
        default=None,
        help="recipe (name, path or mapping) trained first, directory of a run, or .safetensors file, from whose "
        "parameters of the same name and shape this one starts",
    )
    dataset: Config = part("dataset", default="synthetic", help="users, outfits and photos")
    image: ImageSettings = field(factory=ImageSettings, help="photos as the encoder sees them")
    model: ModelSettings = field(factory=ModelSettings, help="the recommender")
    negatives: Config = part("negatives", default="random_mix", help="the unobserved outfits of a training step")
    objectives: tuple[Config, ...] = parts("objective", default=("ranking",), help="terms of the training objective")
    train: TrainSettings = field(factory=TrainSettings, help="training")
    evaluate: EvaluateSettings = field(factory=EvaluateSettings, help="evaluation")
    loggers: tuple[Config, ...] = parts(
        "logger", default=(), runtime=True, help="where it is shown how training goes, besides metrics.jsonl"
    )


INNER = ("teacher", "neighbours", "start")
"""Keys of a recipe that hold a recipe, or a run, that comes before it."""


# A key of the document that no settings hold: what it names is merged before.
EXTENDS = "extends"
TAKEN = "it takes the dataset of the recipe that it is in"


def alone(recipe: Recipe) -> Recipe:
    """A recipe without those that come before it."""
    return changed(recipe, teacher=None, neighbours=None, start=None)
