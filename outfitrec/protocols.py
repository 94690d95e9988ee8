"""What a component of each kind must offer, and may.

With the names of `outfitrec` itself and with `outfitrec.hooks` it is all that a plugin needs to know.

A component of any kind may have a static method ``check_recipe(config, recipe)``, which yields the key and message of
whatever is wrong with a recipe as a whole. A part of the model (encoder, aggregator or preference) may define
``initialize()``, called once before training, and ``on_epoch(epoch)``, called before each training step with its epoch,
from 0. What scores depend on belongs in parameters and persistent buffers, which are kept of the best epoch and served.

Shapes use one word a dimension: ``item`` (distinct items), ``outfit``, ``slot`` (places of an outfit, empty ones
among them), ``pair`` (a user with a posted outfit), ``negative`` (negatives of a pair), ``dim`` (the embedding).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import Module
from torch.optim import Optimizer as TorchOptimizer
from torch.optim.lr_scheduler import LRScheduler

from outfitrec.core.data import Dataset as DatasetOf
from outfitrec.core.data import Rows
from outfitrec.core.drawn import Drawn
from outfitrec.core.outfits import Outfits
from outfitrec.core.state import State

if TYPE_CHECKING:
    from outfitrec.core.recommender import Recommender
    from outfitrec.core.step import Batch, Step


@runtime_checkable
class Encoder(Protocol):
    """Photos → item embeddings, in two halves. An nn.Module.

    Attributes:
        frozen: Whether `features` is fixed: no trainable parameter, no dropout. The features of the whole catalogue
            are then computed once, from unflipped photos, and cached by content.
        photos: Whether `features` needs photos, told by the class: without, the encoder has a method
            ``table(catalog)`` that gives the features of every item.
    """

    @property
    def frozen(self) -> bool: ...

    @property
    def photos(self) -> bool: ...

    def features(self, images: Float[Tensor, "item 3 height width"]) -> Float[Tensor, "item f"]:
        """The expensive half. ``images`` are normalised with ImageNet's mean and deviation."""
        ...

    def embed(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """The trainable rest."""
        ...


@runtime_checkable
class Head(Protocol):
    """Makes the trainable half of an encoder, which learns the length of its features only when it is built."""

    def build(self, size: int) -> Module:
        """A module of ``(features [item, size], category [item]) → items [item, dim]``.

        Raises:
            RecipeError: It takes no features of this length.
        """
        ...


@runtime_checkable
class Aggregator(Protocol):
    """An outfit's items → its state: a tensor, or a named tuple of tensors, whose first dimension is ``outfit``.

    Called as a function: an nn.Module with this ``forward``. Empty slots (mask False) hold zeros and must have no
    influence. It may also define ``candidates(items [item, dim], category [item])``, which is called beforehand with
    the step's items in training, the split's in evaluation, the training split's for a teacher, and the request's in
    serving; and ``fewest``, the number of items that an outfit must have: outfits of fewer are then refused.

    The order of the slots has no influence, unless a class attribute ``ordered`` says so: ``"category"`` where that
    of items of one category counts, and ``"slots"`` where that of all items does.
    """

    def __call__(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> State: ...


@runtime_checkable
class Preference(Protocol):
    """Score of a user for an outfit's state; higher is better. An nn.Module.

    It may also define ``fewest`` (see `Aggregator`) and ``personal = False``, which says that users play no part.
    """

    def __call__(self, users: Int[Tensor, "..."], state: State) -> Float[Tensor, "..."]:
        """Scores, by broadcasting over users and outfits: ``(b, 1) × (k,) → (b, k)``, ``(p,) × (p,) → (p,)``."""
        ...


@runtime_checkable
class Loss(Protocol):
    """Ranking loss. Usable in anybody's training loop."""

    def __call__(
        self,
        positive: Float[Tensor, " pair"],
        negative: Float[Tensor, "pair negative"],
        weight: Float[Tensor, "pair negative"] | None = None,
        mask: Bool[Tensor, "pair negative"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean loss over the pairs. Entries whose mask is False leave the sum; a weight multiplies its score."""
        ...


@runtime_checkable
class Distiller(Protocol):
    """Weights of the negatives in the ranking loss, from the scores that the frozen teacher gives."""

    def __call__(
        self, teacher_positive_mean: Float[Tensor, " pair"], teacher_negative: Float[Tensor, "pair negative"]
    ) -> Float[Tensor, "pair negative"]: ...


@runtime_checkable
class Contrast(Protocol):
    """Contrastive loss of two views of the same outfits, row by row."""

    def __call__(
        self,
        a: Float[Tensor, "outfit dim"],
        b: Float[Tensor, "outfit dim"],
        label: Int[Tensor, " outfit"] | None = None,
    ) -> Float[Tensor, ""]: ...


@runtime_checkable
class Objective(Protocol):
    """A term of the training objective.

    It may be an nn.Module with parameters of its own: they are trained and checkpointed, and not part of the model that
    is served.

    Attributes:
        label: Its name in recipes, logs and overrides.
        weight: Its factor in the sum.
        unit: What its step draws: ``pair`` (users with posted outfits, and negatives), ``outfit`` or ``item``.
        needs_teacher: Whether it reads the teacher's scores. Told by the class (``needs_teacher = True``) where it can
            be: a recipe without a teacher is then refused even if the objective has fields that only the data know.

    It may also define ``report(means) -> iterable of str``: called at the end of training with the mean of each figure
    that it logged in the last epoch, it gives warnings.
    """

    @property
    def label(self) -> str: ...

    @property
    def weight(self) -> float: ...

    @property
    def unit(self) -> str: ...

    @property
    def needs_teacher(self) -> bool: ...

    def extra(self, batch: "Batch", generator: Generator) -> Outfits | None:
        """Further outfits that it needs encoded in this step; asked before the one call of the encoder."""
        ...

    def __call__(self, step: "Step") -> Float[Tensor, ""]:
        """The value of the term, to be minimised."""
        ...


@runtime_checkable
class Augmenter(Protocol):
    """An outfit → an altered view. Never changes its input, never leaves an outfit without an item.

    It may also define ``keeps_categories = True``, which says that no slot is emptied, and that what is put in one is
    of the category that it had, and ``alters = False``, of one that leaves every outfit as it is.
    """

    def __call__(
        self, outfits: Outfits, free: Bool[Tensor, "outfit slot"], generator: Generator
    ) -> tuple[Outfits, Bool[Tensor, "outfit slot"]]:
        """The views, and which slots were altered. Only slots that are ``free`` may be."""
        ...


@runtime_checkable
class ColdStart(Protocol):
    """Serves a user known by a few liked outfits alone. Nothing of the recommender is trained.

    It may also define ``unobserved(state)``, called before any profile is made with the states of outfits that were put
    together at random: for strategies that learn from such.
    """

    def profile(self, recommender: "Recommender", liked: State) -> Mapping[str, Tensor]:
        """What is to be kept of the user: tensors that can be stored. ``liked``: the state of the liked outfits."""
        ...

    def score(
        self, recommender: "Recommender", profile: Mapping[str, Tensor], state: State
    ) -> Float[Tensor, "... outfit"]:
        """Scores of outfits for the user; several users by a leading dimension of the profile."""
        ...


@runtime_checkable
class Negatives(Protocol):
    """Draws unobserved outfits. Built by the engine for one split: only that split's positives are known to it.

    It may also define ``for_training = False``, which says that it is for evaluation: it is then asked for all
    positives of its split, in their order.
    """

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        """Negatives of these pairs. All tensors are on the CPU."""
        ...


@runtime_checkable
class Dataset(Protocol):
    """A source of data.

    It may also have a static method ``outline(config)``: the most items of each category in an outfit, by name, as far
    as the configuration tells. Sizes and costs of models are computed by it where the data are not there. And it may
    define ``overlapping = True``, which says that an outfit of a user may be in more than one split.
    """

    def load(self) -> DatasetOf:
        """Read everything but the photos.

        Raises:
            DataError: Something is missing or wrong; all that was found, with file and line.
        """
        ...


@runtime_checkable
class Metric(Protocol):
    """Per-user value of a ranking, ties broken neutrally (the expected value over random orders of equal scores).

    Attributes:
        label: Its name in results, such as ``ndcg@10``.
        higher_is_better: The direction.
    """

    @property
    def label(self) -> str: ...

    @property
    def higher_is_better(self) -> bool: ...

    def __call__(
        self, scores: Float[Tensor, " n"], relevant: Bool[Tensor, " n"], user: Int[Tensor, " n"]
    ) -> Float[Tensor, " user"]:
        """One value a user, in ascending order of the user indices that occur; NaN where the metric is undefined."""
        ...


@runtime_checkable
class Optimizer(Protocol):
    """Makes the optimiser of a run."""

    @property
    def lr(self) -> float: ...

    def build(self, groups: Iterable[dict[str, Any]]) -> TorchOptimizer:
        """An optimiser over parameter groups; a group may carry its own ``lr`` and ``weight_decay``."""
        ...


@runtime_checkable
class Schedule(Protocol):
    """Makes the learning-rate schedule of a run.

    Attributes:
        every: When it moves: after each ``step`` or after each ``epoch``. One that needs the validation metric
            (torch's ReduceLROnPlateau) moves after each epoch.
    """

    @property
    def every(self) -> str: ...

    def build(self, optimizer: TorchOptimizer, epochs: int, steps: int, higher_is_better: bool) -> LRScheduler:
        """The schedule for a run of so many epochs of so many steps each."""
        ...


@runtime_checkable
class Logger(Protocol):
    """Shows elsewhere how a training goes; ``metrics.jsonl`` is written in any case.

    The leading process alone has loggers. They are made before anything is trained, recipes that come before among it:
    what can be wrong with them by then, such as a package that is missing, they say when they are made. What `start`
    raises ends the run before it begins. What they raise later is a warning, and they are not called again.

    A result never depends on a logger: neither the name of a run nor its manifest has any.
    """

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        """Training begins, or goes on where it was interrupted.

        Args:
            directory: The run's directory, which ``--force`` empties: the place for what must be known to go on.
            recipe: The resolved recipe, as ``recipe.yaml`` has it.
        """
        ...

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """An epoch ended.

        Args:
            epoch: Number of the epoch, from 1. After an interruption the last one that was told may come again, with
                the same figures.
            figures: Finite numbers by name: ``train/loss``, ``valid/auc``, ``lr/0``, ``seconds`` …
        """
        ...

    def finish(self, result: Mapping[str, Any] | None) -> None:
        """The run ended.

        Args:
            result: What ``result.json`` will hold; None where the run is interrupted or failed.
        """
        ...
