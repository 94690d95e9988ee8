"""A recipe with its data: where items come from, what is ranked, and what a run of it is called."""

from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
import torch
from jaxtyping import Int
from torch import Tensor

from outfitrec.core.build import given_by
from outfitrec.core.cold import ColdEvaluator, load_cold
from outfitrec.core.config import Config, create, label
from outfitrec.core.data import Dataset, Split
from outfitrec.core.errors import UserError
from outfitrec.core.evaluation import UNRANKED, Evaluator
from outfitrec.core.files import digest
from outfitrec.core.images import ImageStore
from outfitrec.core.items import ItemSource, about, item_source
from outfitrec.core.manifest import code
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import identity
from outfitrec.core.recommender import Recommender
from outfitrec.core.runs import RunDirectory
from outfitrec.core.settings import INNER, ImageSettings, Recipe, changed
from outfitrec.core.splits import halve
from outfitrec.core.stores import open_store, used_items
from outfitrec.core.team import ALONE, Team
from outfitrec.protocols import Encoder

STUDENT = "student"
TEACHER = "teacher"
# What a recipe under a key of another is run as; one that another starts from, as that other.
ROLES = {"teacher": TEACHER, "neighbours": STUDENT}
# The halves of the validation split are the same for every run.
SPLIT_SEED = 0


@attrs.frozen(kw_only=True)
class Options:
    """How to run, apart from what the recipe says.

    Attributes:
        out: Folder that holds run directories.
        resume: Go on with an interrupted run, start where there is none, return a finished one.
        force: Start again, whatever is there.
        strict: A warning is an error.
        progress: Told how it goes.
        team: The processes that torchrun started.
        stores: Photos that are open already, by data and size: sessions with the same options share them.
    """

    out: Path = Path("runs")
    resume: bool = False
    force: bool = False
    strict: bool = False
    progress: Progress = QUIET
    team: Team = ALONE
    stores: dict[tuple[str, int], ImageStore | None] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        given: object = self.progress
        if not isinstance(given, Progress):
            raise UserError(
                f"progress is a listener, not {given!r}",
                hint="outfitrec.console_progress() prints on standard error; outfitrec.Progress is for one's own",
            )


class Session:
    """A recipe with its data.

    Args:
        recipe: The recipe.
        dataset: Its data.
        role: ``teacher`` or ``student``: which half of the validation split selects the epoch.
        options: How to run.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, role: str, options: Options) -> None:
        self.recipe = recipe
        self.dataset = dataset
        self.role = role
        self.options = options

    @cached_property
    def used(self) -> Int[Tensor, " used"]:
        """Items that occur in any outfit of the data."""
        return used_items(self.dataset)

    @cached_property
    def given(self) -> dict[str, Any]:
        """What the data give to the components of the model."""
        return given_by(self.dataset, self.recipe.model, self.recipe.image)

    @cached_property
    def store(self) -> ImageStore | None:
        """The photos, where the encoder needs them."""
        encoder, image, progress = self.recipe.model.encoder, self.recipe.image, self.options.progress
        if not encoder.component.photos:
            return None
        stores, key = self.options.stores, (self.dataset.digest, image.stored or image.size)
        if key not in stores:
            stores[key] = open_store(encoder.component, self.dataset, image, self.used, self.recipe, progress)
        return stores[key]

    @cached_property
    def cold(self) -> "Session | None":
        """The same recipe with the data of unknown users, where it asks how these are served."""
        settings = self.recipe.evaluate.cold_start
        if settings is None:
            return None
        dataset = load_cold(settings, self.dataset)
        return Session(changed(self.recipe, dataset=settings.dataset), dataset, self.role, self.options)

    @property
    def content(self) -> dict[str, str | None]:
        """Hashes of the data and the photos."""
        return {"data": self.dataset.digest, "photos": self.store.key if self.store else None}

    @cached_property
    def identity(self) -> str:
        """Hash of all that the result depends on: recipe, data, photos, versions, and those of the recipes in it."""
        # The data first: a folder that is missing is for the dataset to explain.
        data = {**self.content, "cold_start": self.cold.content if self.cold else None}
        facts = {
            "recipe": identity(self.recipe),
            "role": self.role,
            **data,
            "versions": code(self.recipe),
            "before": {key: session.identity for key, session in self.before.items()},
        }
        return digest(facts)

    @cached_property
    def before(self) -> "dict[str, Session]":
        """The recipes in it, which are run first, by key."""
        inner = {key: getattr(self.recipe, key) for key in INNER}
        return {key: self.inner(key, one, self.options) for key, one in inner.items() if isinstance(one, Recipe)}

    def inner(self, key: str, recipe: Recipe, options: Options) -> "Session":
        """The recipe under a key of this one, with the same data."""
        return Session(recipe, self.dataset, ROLES.get(key, self.role), options)

    @cached_property
    def directory(self) -> RunDirectory:
        """Where a run leaves what it found."""
        return RunDirectory(self.options.out / f"{self.recipe.name}-{self.identity[:8]}", self.identity)

    def metrics(self) -> list[Any]:
        """The metrics of an evaluation."""
        return [create(config) for config in self.recipe.evaluate.metrics]

    def validation(self) -> Evaluator | None:
        """Ranks the half of the validation split that is this role's; None where the recipe has no metrics."""
        halves = dict(zip((TEACHER, STUDENT), halve(self.dataset.splits["valid"], SPLIT_SEED), strict=True))
        return self._evaluator(f"valid ({self.role}'s half)", halves[self.role])

    def test(self) -> Evaluator | None:
        """Ranks the test split; None where the recipe has no metrics."""
        return self._evaluator("test", self.dataset.splits["test"])

    def cold_start(self, recommender: Recommender, device: torch.device) -> ColdEvaluator | None:
        """Ranks outfits for users unknown to the recommender, where the recipe asks for that."""
        settings, cold, rest = self.recipe.evaluate.cold_start, self.cold, self.recipe.evaluate
        test = cold.test() if cold else None
        if settings is None or cold is None or test is None:
            return None
        return ColdEvaluator(
            settings,
            cold.dataset,
            test,
            {label(config): create(config, **self.given) for config in settings.strategies},
            self.metrics(),
            cold.source(recommender, device),
            seed=rest.seed,
            chunk=rest.chunk,
            photos=rest.images,
        )

    def protocol(self, test: Evaluator | None) -> dict[str, object]:
        """What stands in a result of this evaluator."""
        return {**(test.protocol if test else UNRANKED), "split_seed": getattr(self.recipe.dataset, "split_seed", None)}

    def source(self, recommender: Recommender, device: torch.device) -> ItemSource:
        """Where the recommender gets its items from."""
        return self.items(recommender.encoder, self.recipe.model.encoder, self.recipe.image, self.store, device)

    def items(
        self,
        encoder: Encoder,
        config: Config,
        image: ImageSettings,
        store: ImageStore | None,
        device: torch.device,
    ) -> ItemSource:
        """Where any encoder, of this configuration and for these photos, gets the items of these data from."""
        return item_source(
            encoder,
            self.dataset.catalog,
            store,
            image,
            device,
            known=about(config),
            used=self.used,
            chunk=self.recipe.evaluate.images,
            progress=self.options.progress,
        )

    def _evaluator(self, name: str, split: Split) -> Evaluator | None:
        settings = self.recipe.evaluate
        if not settings.metrics:
            return None
        negatives = create(settings.negatives, split=split, catalog=self.dataset.catalog)
        return Evaluator(
            self.dataset,
            split,
            name,
            negatives,
            self.metrics(),
            seed=settings.seed,
            chunk=settings.chunk,
            photos=settings.images,
        )
