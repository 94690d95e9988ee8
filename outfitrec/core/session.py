"""One run in the making: training, evaluation, and what they leave on disk."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import torch
from lightning_fabric import Fabric
from torch import Tensor

from outfitrec.core.batches import Batches
from outfitrec.core.build import build_recommender, given_by
from outfitrec.core.cache import cached
from outfitrec.core.config import create, plain
from outfitrec.core.data import Dataset, Split
from outfitrec.core.devices import fabric as make_fabric
from outfitrec.core.errors import RunError
from outfitrec.core.evaluation import Evaluation, Evaluator
from outfitrec.core.files import digest, write_text
from outfitrec.core.items import ItemSource, embed_all, item_source, state_digest, tensor_digest
from outfitrec.core.manifest import manifest, versions
from outfitrec.core.program import Program
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import dump_recipe, identity
from outfitrec.core.recommender import Recommender
from outfitrec.core.runs import MANIFEST, MODEL, RECIPE, RESULT, Result, Run, RunDirectory, read_json
from outfitrec.core.seeds import seed_of
from outfitrec.core.serving import Model, save_model
from outfitrec.core.settings import Recipe
from outfitrec.core.splits import halve
from outfitrec.core.stores import open_store, used_items
from outfitrec.core.teacher import Teacher
from outfitrec.core.trainer import Direction, Fitted, Trainer

STUDENT = "student"
TEACHER = "teacher"
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
    """

    out: Path = Path("runs")
    resume: bool = False
    force: bool = False
    strict: bool = False
    progress: Progress = QUIET


class Session:
    """One run in the making.

    Args:
        recipe: What to run.
        dataset: Its data.
        role: ``teacher`` or ``student``: which half of the validation split selects the epoch.
        options: How to run.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, role: str, options: Options) -> None:
        self._recipe = recipe
        self._dataset = dataset
        self._role = role
        self._options = options
        self._progress = options.progress
        self._used = used_items(dataset)
        self._given = given_by(dataset, recipe.model, recipe.image)
        self._store = open_store(recipe.model.encoder.component, dataset, recipe.image, recipe, self._progress)
        self._versions = versions(recipe)
        facts = {
            "recipe": identity(recipe),
            "role": role,
            "data": dataset.digest,
            "photos": self._store.key if self._store else None,
            "versions": self._versions,
        }
        self._identity = digest(facts)
        self.directory = RunDirectory(options.out / f"{recipe.name}-{self._identity[:8]}", self._identity)

    def train(self, teacher: Run | None) -> None:
        """Train, evaluate, and write everything that a run leaves behind.

        Args:
            teacher: The teacher's finished run.
        """
        began = time.perf_counter()
        settings = self._recipe.train
        directory = self.directory
        fabric = make_fabric(settings)
        facts = manifest(self._recipe, self._identity, self._role, self._dataset, self._versions, fabric)
        facts["teacher"] = str(teacher.directory) if teacher else None
        self._check_resumed(facts)
        write_text(directory.path / RECIPE, dump_recipe(self._recipe))
        directory.write(MANIFEST, facts)
        with torch.random.fork_rng():
            recommender, fitted, valid, objectives = self._fit(fabric, teacher.model if teacher else None)
            test = self.test()
            found = test.evaluate(recommender, self.source(recommender, fabric.device), fabric.device, self._progress)
        save_model(directory.path / MODEL, recommender, self._recipe.model, self._recipe.image, self._given)
        warnings = [*warn(objectives, fitted)]
        for text in warnings:
            self._progress.warning(text)
        result = Result(
            recipe=self._recipe.name,
            parameters=recommender.parameter_counts(),
            test=found.means(),
            valid=valid.means(),
            per_user=per_user(found),
            protocol=self.protocol(test),
            training=attrs.asdict(fitted),
            warnings=tuple(warnings),
            seconds=round(time.perf_counter() - began, 3),
            data=self._dataset.notes,
        )
        directory.write(MANIFEST, {**facts, "ended": datetime.now(UTC).isoformat(timespec="seconds")})
        directory.write(RESULT, attrs.asdict(result))

    def _fit(
        self, fabric: Fabric, teacher_model: Model | None
    ) -> tuple[Recommender, Fitted, Evaluation, Sequence[Any]]:
        settings = self._recipe.train
        dataset = self._dataset
        torch.manual_seed(seed_of(settings.seed, "initialize"))
        recommender = build_recommender(self._recipe.model, self._given)
        objectives = [create(config, **self._given) for config in self._recipe.objectives]
        recommender.initialize()
        recommender.encoder.to(memory_format=torch.channels_last)  # type: ignore[attr-defined]  # an encoder is a Module
        recommender.to(fabric.device)
        if self._store is not None:
            self._store.to(fabric.device)
        if settings.compile:
            encoder: Any = recommender.encoder
            encoder.features = torch.compile(encoder.features)
        teacher = self._teacher(teacher_model, fabric.device)
        program = Program(
            recommender,
            objectives,
            self.source(recommender, fabric.device),
            dataset.catalog.category.to(fabric.device),
            teacher,
        ).to(fabric.device)
        train = dataset.splits["train"]
        negatives = create(self._recipe.negatives, split=train, catalog=dataset.catalog)
        validation = self.validation()
        source = self.source(recommender, fabric.device)

        def validate() -> Mapping[str, float]:
            return validation.evaluate(recommender, source, fabric.device, QUIET).means()

        metric = next(one for one in self._metrics() if one.label == settings.select)
        trainer = Trainer(
            fabric,
            program,
            Batches(train, negatives, objectives, settings.batch, settings.seed),
            settings,
            optimizer=create(settings.optimizer),
            schedule=create(settings.schedule),
            direction=Direction(metric.label, metric.higher_is_better),
            validate=validate,
            record=self.directory.record,
            checkpoints=self.directory.checkpoints,
            progress=self._progress,
        )
        fitted = trainer.fit()
        best = self.directory.checkpoints.load("best")
        if best is None:
            raise RunError(f"no epoch of {self._recipe.name} has a defined {settings.select} on the validation split")
        program.load_state_dict(best["program"])
        valid = validation.evaluate(recommender, source, fabric.device, QUIET)
        return recommender, fitted, valid, objectives

    def _metrics(self) -> list[Any]:
        return [create(config) for config in self._recipe.evaluate.metrics]

    def validation(self) -> Evaluator:
        """Ranks the half of the validation split that is this role's."""
        halves = dict(zip((TEACHER, STUDENT), halve(self._dataset.splits["valid"], SPLIT_SEED), strict=True))
        return self._evaluator(f"valid ({self._role}'s half)", halves[self._role])

    def test(self) -> Evaluator:
        """Ranks the test split."""
        return self._evaluator("test", self._dataset.splits["test"])

    def protocol(self, test: Evaluator) -> dict[str, object]:
        """What stands in a result of this evaluator."""
        return {**test.protocol, "split_seed": getattr(self._recipe.dataset, "split_seed", None)}

    def _evaluator(self, name: str, split: Split) -> Evaluator:
        settings = self._recipe.evaluate
        negatives = create(settings.negatives, split=split, catalog=self._dataset.catalog)
        return Evaluator(
            self._dataset,
            split,
            name,
            negatives,
            self._metrics(),
            seed=settings.seed,
            chunk=settings.chunk,
            photos=settings.images,
        )

    def source(self, recommender: Recommender, device: torch.device) -> ItemSource:
        """Where the recommender gets its items from."""
        return item_source(
            recommender.encoder,
            self._dataset.catalog,
            self._store,
            self._recipe.image,
            device,
            used=self._used,
            chunk=self._recipe.evaluate.images,
            progress=self._progress,
        )

    def _teacher(self, model: Model | None, device: torch.device) -> Teacher | None:
        if model is None:
            return None
        recommender: Recommender = model.recommender.to(device)
        chunk, photos = self._recipe.evaluate.chunk, self._recipe.evaluate.images
        store = open_store(recommender.encoder, self._dataset, model.image, self._recipe, self._progress)
        source = item_source(
            recommender.encoder,
            self._dataset.catalog,
            store,
            model.image,
            device,
            used=self._used,
            chunk=photos,
            progress=self._progress,
        )

        def embed() -> dict[str, Tensor]:
            catalog = self._dataset.catalog
            table = embed_all(recommender, source, catalog, self._used, device, chunk=photos, progress=self._progress)
            return {"items": table}

        facts = [state_digest(recommender), store.key if store else None, plain(model.image), tensor_digest(self._used)]
        table = cached("items", digest(facts), embed)["items"].to(device)
        return Teacher(recommender, table, self._dataset.splits["train"].positives, self._dataset.users, chunk)

    def _check_resumed(self, facts: Mapping[str, Any]) -> None:
        if not self.directory.started:
            return
        before = read_json(self.directory.path / MANIFEST).get("hardware", {})
        now = facts["hardware"]
        changed = [
            f"{key} {before.get(key)} → {now[key]}" for key in ("device", "devices") if before.get(key) != now[key]
        ]
        if changed:
            raise RunError(
                f"the interrupted run in {self.directory.path} ran on other devices: {', '.join(changed)}",
                hint="resume on the same, or start again with --force",
            )
        if before.get("threads") != now["threads"]:
            self._progress.warning(
                f"resumed with {now['threads']} threads in place of {before.get('threads')}: "
                "the result can differ in the last bits from a run that was never interrupted"
            )


def warn(objectives: Sequence[Any], fitted: Fitted) -> list[str]:
    """What the user should know of the training."""
    found: list[str] = []
    for objective in objectives:
        first, last = fitted.first.get(objective.label), fitted.figures.get(objective.label)
        if fitted.epochs > 1 and first is not None and last is not None and abs(first - last) <= 1e-7 * abs(first):
            found.append(f"objective {objective.label!r} stayed constant at {last:g} over {fitted.epochs} epochs")
        report = getattr(objective, "report", None)
        if report is not None:
            found.extend(report(fitted.figures))
    return found


def per_user(evaluation: Evaluation) -> dict[str, Any]:
    """Values by user, as they stand in ``result.json``."""
    return {"user": list(evaluation.users), **{label: list(column) for label, column in evaluation.values.items()}}
