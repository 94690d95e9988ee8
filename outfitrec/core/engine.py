"""From a recipe to a run: data, teacher, training, evaluation, result."""

import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import torch
from lightning_fabric import Fabric

from outfitrec.core.batches import Batches
from outfitrec.core.build import build_recommender, given_by
from outfitrec.core.checks import check_recipe
from outfitrec.core.config import create
from outfitrec.core.data import Dataset, Split
from outfitrec.core.errors import DataError, Problem, RecipeError, RunError
from outfitrec.core.evaluation import Evaluation, Evaluator
from outfitrec.core.files import digest, write_text
from outfitrec.core.images import ImageStore
from outfitrec.core.items import ItemSource, embed_all, item_source
from outfitrec.core.manifest import manifest, versions
from outfitrec.core.program import Program
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.protocols import Encoder
from outfitrec.core.recipe import dump_recipe, identity, load_recipe
from outfitrec.core.recommender import Recommender
from outfitrec.core.runs import MANIFEST, MODEL, RECIPE, RESULT, Result, Run, RunDirectory
from outfitrec.core.seeds import seed_of
from outfitrec.core.serving import load_model, save_model
from outfitrec.core.settings import ImageSettings, Recipe, TeacherRun
from outfitrec.core.splits import halve
from outfitrec.core.teacher import Teacher
from outfitrec.core.trainer import Direction, Fitted, Trainer

STUDENT = "student"
TEACHER = "teacher"


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


def run(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    overrides: Sequence[str] | Mapping[str, object] = (),
    *,
    out: str | Path = "runs",
    seed: int | None = None,
    resume: bool = False,
    force: bool = False,
    strict: bool = False,
    progress: Progress = QUIET,
) -> Run:
    """Run a recipe: train its teacher first where it has one, then the model, then evaluate it on the test split.

    A run's directory is named by what it computes: where the same recipe, data and versions ran before, that run is
    returned.

    Args:
        recipe: Name of a shipped recipe, path of a YAML file, mapping, or recipe.
        overrides: ``KEY=VALUE`` texts, or values by dotted key.
        out: Folder that holds run directories.
        seed: Seed of the run in place of the recipe's; the teacher keeps its own.
        resume: Go on with an interrupted run.
        force: Train again where the run is finished or interrupted.
        strict: Make a warning an error.
        progress: Told how it goes.

    Raises:
        UserError: Something is wrong with the recipe, the data or a plugin: all of it at once.
        RunError: The run failed, or an interrupted one is there and neither ``resume`` nor ``force`` is set.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe, overrides, seed=seed)
    options = Options(out=Path(out), resume=resume, force=force, strict=strict, progress=progress)
    finished = run_recipe(recipe, options, STUDENT)
    if strict and finished.result.warnings:
        raise RunError([Problem(text, str(finished.directory)) for text in finished.result.warnings])
    return finished


def run_recipe(recipe: Recipe, options: Options, role: str, dataset: Dataset | None = None) -> Run:
    """Run a recipe as a teacher or a student (see `run`)."""
    check_recipe(recipe)
    dataset = dataset or load_dataset(recipe)
    session = Session(recipe, dataset, role, options)
    directory = session.directory
    options.out.mkdir(parents=True, exist_ok=True)
    from filelock import FileLock, Timeout

    lock = FileLock(options.out / f".{directory.path.name}.lock")
    try:
        with lock.acquire(blocking=False):
            if options.force and directory.path.exists():
                shutil.rmtree(directory.path)
            directory.check()
            if directory.finished:
                options.progress.message(
                    f"{recipe.name}: finished before, in {directory.path} (--force trains it again)"
                )
                return Run(directory.path)
            if directory.started and not options.resume:
                raise RunError(
                    f"an interrupted run of this recipe is in {directory.path}",
                    hint="--resume goes on with it, --force starts again",
                )
            session.train()
    except Timeout as error:
        raise RunError(f"another process is at work in {directory.path}") from error
    return Run(directory.path, trained=True)


def load_dataset(recipe: Recipe) -> Dataset:
    """The recipe's data, checked for what every run needs.

    Raises:
        DataError: Something is missing or wrong.
    """
    dataset: Dataset = create(recipe.dataset).load()
    missing = [name for name in ("train", "valid", "test") if not len(dataset.splits.get(name, ()))]
    if missing:
        raise DataError(f"the dataset {recipe.dataset.name} has no outfits in {', '.join(missing)}")
    return dataset


class Session:
    """One run in the making.

    Args:
        recipe: What to run.
        dataset: Its data.
        role: ``teacher`` or ``student``: which half of the validation split selects the epoch.
        options: How to run.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, role: str, options: Options) -> None:
        self._began = time.perf_counter()
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

    def train(self) -> None:
        """Train, evaluate, and write everything that a run leaves behind."""
        settings = self._recipe.train
        directory = self.directory
        # The teacher first: what is wrong with it should show before this run leaves anything on disk.
        teacher_model = self._teacher_model()
        fabric = Fabric(
            accelerator=settings.accelerator, devices=settings.devices, precision=_precision(settings.precision)
        )
        fabric.launch()
        facts = manifest(self._recipe, self._identity, self._role, self._dataset, self._versions, fabric)
        self._check_resumed(facts)
        write_text(directory.path / RECIPE, dump_recipe(self._recipe))
        directory.write(MANIFEST, facts)
        with torch.random.fork_rng():
            recommender, fitted, valid, objectives = self._fit(fabric, teacher_model)
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
            seconds=round(time.perf_counter() - self._began, 3),
            data=self._dataset.notes,
        )
        directory.write(MANIFEST, {**facts, "ended": datetime.now(UTC).isoformat(timespec="seconds")})
        directory.write(RESULT, attrs.asdict(result))

    def _fit(self, fabric: Fabric, teacher_model: Any) -> tuple[Recommender, Fitted, Evaluation, Sequence[Any]]:
        settings = self._recipe.train
        dataset = self._dataset
        torch.manual_seed(seed_of(settings.seed, "initialize"))
        recommender = build_recommender(self._recipe.model, self._given)
        objectives = [create(config, **self._given) for config in self._recipe.objectives]
        recommender.initialize()
        recommender.encoder.to(memory_format=torch.channels_last)  # type: ignore[attr-defined]  # an encoder is a Module
        recommender.to(fabric.device)
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

    def _teacher_model(self) -> Any:
        """The trained teacher, which is run first where it is a recipe."""
        teacher = self._recipe.teacher
        if teacher is None:
            return None
        if isinstance(teacher, TeacherRun):
            found = Run(Path(teacher.path))
            check_teacher(found, self._dataset)
        else:
            self._progress.message(f"teacher of {self._recipe.name}: {teacher.name}")
            # A finished teacher stays, whatever is asked of the student; an interrupted one is treated alike.
            options = attrs.evolve(self._options, resume=self._options.resume or self._options.force, force=False)
            found = run_recipe(teacher, options, TEACHER, self._dataset)
        return load_model(found.directory / MODEL)

    def _teacher(self, model: Any, device: torch.device) -> Teacher | None:
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
        table = embed_all(
            recommender, source, self._dataset.catalog, self._used, device, chunk=photos, progress=self._progress
        )
        # Leaves inference mode: the table takes part in the student's step.
        train = self._dataset.splits["train"].positives
        return Teacher(recommender, table.clone(), train, self._dataset.users, chunk)

    def _check_resumed(self, facts: Mapping[str, Any]) -> None:
        if not self.directory.started:
            return
        from outfitrec.core.runs import read_json

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


# The halves of the validation split are the same for every run.
SPLIT_SEED = 0


def used_items(dataset: Dataset) -> torch.Tensor:
    """Items that occur in any outfit of the dataset, ascending."""
    found = []
    for split in dataset.splits.values():
        found.append(split.positives.outfits.items.unique())
        found.extend(rows.outfits.items.unique() for rows in split.negatives.values())
        if split.questions is not None:
            found.append(split.questions.outfits.items.unique())
    items: torch.Tensor = torch.cat(found).unique()
    return items[items >= 0]


def open_store(
    encoder: Encoder | type[Any], dataset: Dataset, image: ImageSettings, recipe: Recipe, progress: Progress
) -> ImageStore | None:
    """The photos, where the encoder needs them."""
    if not encoder.photos:
        return None
    if dataset.catalog.photos is None:
        raise RecipeError(
            f"the encoder {recipe.model.encoder.name!r} needs photos, and the dataset {recipe.dataset.name!r} has none"
        )
    return ImageStore.open(
        dataset.catalog,
        image.stored or image.size,
        used=used_items(dataset),
        owners=lambda item: owner(dataset, item),
        workers=recipe.train.workers,
        progress=progress,
    )


def owner(dataset: Dataset, item: int) -> str:
    """Where an item is used, for messages: an outfit of a split."""
    for name, split in dataset.splits.items():
        rows = {"positive": split.positives, **{f"{kind} negative": one for kind, one in split.negatives.items()}}
        for kind, one in rows.items():
            found = (one.outfits.items == item).any(dim=1).nonzero()
            if len(found):
                row = int(found[0])
                return f"{name} {kind} {row} of user {int(one.users[row])}"
    return "a question"


def check_teacher(teacher: Run, dataset: Dataset) -> None:
    """Make sure that a run's model knows this data.

    Raises:
        RecipeError: It was trained on other data.
    """
    if teacher.manifest.get("data") != dataset.digest:
        raise RecipeError(
            f"the teacher in {teacher.directory} was trained on other data than the student's dataset",
            hint="name a recipe as the teacher, and it is trained on the student's data",
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


def _precision(name: int | str) -> Any:
    return "32-true" if name == 32 else name
