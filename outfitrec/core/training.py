"""One training: built whole before anything is written, then trained, evaluated and left on disk."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import torch

from outfitrec.core.batches import Batches
from outfitrec.core.build import build_recommender
from outfitrec.core.config import components, create, label
from outfitrec.core.devices import fabric
from outfitrec.core.encoded import find_neighbours, frozen_teacher
from outfitrec.core.errors import RecipeError, RunError, listed
from outfitrec.core.evaluation import Evaluation, Evaluator
from outfitrec.core.fields import info
from outfitrec.core.files import sweep, write_text
from outfitrec.core.loggers import Loggers
from outfitrec.core.manifest import manifest
from outfitrec.core.neighbours import Neighbours
from outfitrec.core.processes import started
from outfitrec.core.program import Program
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import dump_recipe, resolved
from outfitrec.core.rehearsal import rehearse
from outfitrec.core.runs import MANIFEST, MODEL, RECIPE, RESULT, Result, Run, jsonable, read_json
from outfitrec.core.seeds import seed_of
from outfitrec.core.serving import CONFIG, save_model
from outfitrec.core.session import Session
from outfitrec.core.settings import FinishedRun, Recipe
from outfitrec.core.start import of_other_data, parts, start_from
from outfitrec.core.team import Team
from outfitrec.core.trainer import Direction, Fitted, Trainer


@attrs.frozen
class Before:
    """The finished runs that a training learns from.

    Attributes:
        teacher: Scores outfits for objectives.
        neighbours: Its encoder says which items are similar.
        start: Its parameters are where training begins; or a file of such.
    """

    teacher: Run | None = None
    neighbours: Run | None = None
    start: Run | Path | None = None

    def paths(self) -> dict[str, Path]:
        """Where those are that there are, by key of the recipe."""
        some = {"teacher": self.teacher, "neighbours": self.neighbours, "start": self.start}
        return {key: one if isinstance(one, Path) else one.directory for key, one in some.items() if one is not None}

    @classmethod
    def at(cls, paths: Mapping[str, Path]) -> "Before":
        """Those that are there."""
        some: dict[str, Any] = {key: Run(path) if path.is_dir() else path for key, path in paths.items()}
        return cls(**some)


@attrs.frozen
class Found:
    """What a training found: how it went, and what evaluations gave where they were asked for."""

    fitted: Fitted
    valid: Evaluation | None
    test: Evaluation | None
    cold: Mapping[str, Any] | None


class Training:
    """A training, ready to start: what is wrong with its recipe or data has shown by now.

    Args:
        session: The recipe with its data.

    Attributes:
        warnings: What the user should know of, as far as it shows by now.

    Raises:
        UserError: Something is wrong with the recipe, the data, the weights or the device.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._progress = session.options.progress
        recipe, dataset = session.recipe, session.dataset
        settings = recipe.train
        leads = session.options.team.leads
        self._loggers = Loggers([(label(config), create(config)) for config in recipe.loggers if leads], self._progress)
        # The place in a team that may be gathered only when everything else is ready.
        team = session.options.team
        if team.size == 1:
            team = Team(0, settings.devices)
        self._fabric = fabric(settings, team)
        device = self._fabric.device
        with torch.random.fork_rng():
            torch.manual_seed(seed_of(settings.seed, "initialize"))
            self._recommender = build_recommender(recipe.model, session.given)
            self._neighbours = Neighbours(dataset.catalog.names)
            train = dataset.splits["train"]
            given = {
                **session.given,
                "teacher_dim": teacher_dim(recipe.teacher),
                "neighbours": self._neighbours,
                "split": train,
                "catalog": dataset.catalog,
            }
            self._objectives = [create(config, **given) for config in recipe.objectives]
            self._recommender.initialize()
        if not self._objectives and not self._recommender.encoder.frozen:
            raise RecipeError(
                "objectives: there are none, and nothing trains the encoder",
                hint="add an objective, or take an encoder that is frozen",
            )
        encoder: Any = self._recommender.encoder
        encoder.to(memory_format=torch.channels_last)
        self._recommender.to(device)
        if session.store is not None:
            session.store.to(device)
        if settings.compile:
            encoder.features = torch.compile(encoder.features)
        self._source = session.source(self._recommender, device)
        self._validation, self._test = session.validation(), session.test()
        self._check_sizes()
        rehearse(self._recommender, self._source, dataset, recipe.model, device)
        self._cold = session.cold_start(self._recommender, device)
        category = dataset.catalog.category.to(device)
        self._program = Program(self._recommender, self._objectives, self._source, category).to(device)
        self._program.freeze(settings.freeze)
        self.warnings = list(self._unheard(team))
        negatives = create(recipe.negatives, split=train, catalog=dataset.catalog)
        metric = next((one for one in session.metrics() if one.label == settings.select), None)
        self._trainer = None
        if self._objectives:
            self._trainer = Trainer(
                self._fabric,
                self._program,
                Batches(train, negatives, self._objectives, settings.batch, settings.seed),
                settings,
                optimizer=create(settings.optimizer),
                schedule=create(settings.schedule),
                direction=Direction(metric.label, metric.higher_is_better) if metric else None,
                validate=self._validate,
                record=self._record,
                checkpoints=session.directory.checkpoints,
                progress=self._progress,
            )

    def run(self, before: Before) -> None:
        """Train, evaluate, and write everything that a run leaves behind.

        Args:
            before: The finished runs that it learns from.
        """
        began = time.perf_counter()
        session, directory = self._session, self._session.directory
        facts = manifest(session.recipe, session.identity, session.role, session.dataset, self._fabric)
        facts |= {key: os.path.relpath(path, directory.path) for key, path in before.paths().items()}
        self._check_resumed(facts)
        known = len(self.warnings)
        sweep(directory.path)
        doing = "training" if session.recipe.train.epochs else "evaluating"
        self._progress.message(f"{session.recipe.name}: {doing}, in {directory.path}")
        # The manifest first: a directory that has one is a run's.
        directory.write(MANIFEST, facts)
        write_text(directory.path / RECIPE, dump_recipe(session.recipe))
        with self._loggers.at_work(directory.path, resolved(session.recipe)):
            with torch.random.fork_rng():
                self._learn_from(before)
                with self._gathered(before) as team:
                    found = self._work(team)
            save_model(
                directory.path / MODEL, self._recommender, session.recipe.model, session.recipe.image, session.given
            )
            self.warnings += warn(self._objectives, found.fitted)
            if found.test and found.fitted.idle:
                self.warnings.append(
                    f"nothing trained {listed(found.fitted.idle)}, which the ranking depends on: no objective "
                    "reaches it"
                )
            for text in self.warnings[known:]:
                self._progress.warning(text)
            result = self._result(found, time.perf_counter() - began)
            self._loggers.finish(jsonable(attrs.asdict(result)))
        # They may fail to the last.
        result = attrs.evolve(result, warnings=(*self.warnings, *self._loggers.warnings))
        directory.write(MANIFEST, {**facts, "ended": datetime.now(UTC).isoformat(timespec="seconds")})
        directory.write(RESULT, attrs.asdict(result))

    def _result(self, found: "Found", seconds: float) -> Result:
        session = self._session
        return Result(
            recipe=session.recipe.name,
            parameters=self._recommender.parameter_counts(),
            test=found.test.means() if found.test else {},
            valid=found.valid.means() if found.valid else {},
            per_user=per_user(found.test) if found.test else {},
            protocol=session.protocol(self._test),
            training=attrs.asdict(found.fitted),
            warnings=(*self.warnings, *self._loggers.warnings),
            seconds=round(seconds, 3),
            data=session.dataset.notes,
            cold_start=found.cold,
        )

    def _record(self, line: Mapping[str, Any]) -> None:
        self._session.directory.record(line)
        self._loggers.log(line)

    def follow(self, before: Before, team: Team) -> None:
        """Train and evaluate with the process that leads; nothing is written."""
        self._learn_from(before)
        self._work(team)

    @contextmanager
    def _gathered(self, before: Before) -> Iterator[Team]:
        """The processes that train, told what to train."""
        session = self._session
        job = {
            "recipe": resolved(session.recipe),
            "role": session.role,
            "out": str(session.options.out.absolute()),
            "before": {key: str(path.absolute()) for key, path in before.paths().items()},
        }
        with ExitStack() as stack:
            team = session.options.team
            if team.size == 1 and session.recipe.train.devices > 1:
                team = stack.enter_context(started(session.recipe.train.devices))
            team.broadcast(job)
            yield team

    def _work(self, team: Team) -> "Found":
        """Train and evaluate, together with the other processes of the team."""
        if team.size > 1:
            self._fabric.launch()
        fitted = self._trainer.fit(team) if self._trainer and self._session.recipe.train.epochs else Fitted()
        valid, test = self._rank(self._validation, team, QUIET), self._rank(self._test, team, self._progress)
        cold = self._cold.evaluate(self._recommender, self._fabric.device, self._progress) if self._cold else None
        return Found(fitted, valid, test, cold)

    def _rank(self, evaluator: Evaluator | None, team: Team, progress: Progress) -> Evaluation | None:
        if evaluator is None:
            return None
        return evaluator.evaluate(self._recommender, self._source, self._fabric.device, progress, team)

    def _validate(self, team: Team) -> dict[str, float]:
        found = self._rank(self._validation, team, QUIET)
        return found.means() if found else {}

    def _learn_from(self, before: Before) -> None:
        session, device = self._session, self._fabric.device
        if before.start is not None:
            self._start_from(before.start)
        if before.teacher is not None:
            self._program.learn_from(frozen_teacher(before.teacher.model, session, device))
        if before.neighbours is not None:
            find_neighbours(self._neighbours, before.neighbours.model, session, device)

    def _start_from(self, source: Run | Path) -> None:
        session, device = self._session, self._fabric.device
        taken = start_from(self._recommender, source)
        if session.options.team.leads:
            self._progress.message(f"{session.recipe.name} {taken.text()}")
        self.warnings += [*taken.warnings(), *of_other_data(source, session.dataset)]
        trainable = {name for name, _ in self._program.trainable()}
        untrained = parts(trainable & {*taken.new, *taken.other})
        if untrained and not session.recipe.train.epochs:
            self.warnings.append(f"train.epochs is 0, and {untrained} is neither trained nor in {taken.path}")
        if self._recommender.encoder.frozen:
            # Its features are in a table, of the weights that it had.
            self._source = session.source(self._recommender, device)
            self._program.feed(self._source)
            self._cold = session.cold_start(self._recommender, device)

    def _check_sizes(self) -> None:
        """Make sure that the model can score all outfits, before anything is trained."""
        cold = self._session.cold
        sets = {"": self._session.dataset, "evaluate.cold_start.": cold.dataset if cold else None}
        for before, dataset in sets.items():
            for name, split in dataset.splits.items() if dataset else ():
                self._recommender.check_sizes(split.positives.outfits, f"{before}dataset, {name}")
                for kind, rows in split.negatives.items():
                    self._recommender.check_sizes(rows.outfits, f"{before}dataset, {name}, {kind} negatives")
                if split.questions:
                    self._recommender.check_sizes(split.questions.outfits, f"{before}dataset, {name}, questions")
                if split.compatibility:
                    outfits = split.compatibility.outfits
                    self._recommender.check_sizes(outfits, f"{before}dataset, {name}, labelled outfits")

    def _unheard(self, team: Team) -> Iterable[str]:
        """Check that objectives have the teacher they need; warn of what is given and has no effect."""
        recipe = self._session.recipe
        needs = [objective.label for objective in self._objectives if objective.needs_teacher]
        if needs and recipe.teacher is None:
            raise RecipeError(f"objectives {', '.join(needs)} need a teacher", hint="set the key 'teacher'")
        if not recipe.train.epochs and (recipe.teacher is not None or recipe.neighbours is not None):
            yield "train.epochs is 0: the recipe's teacher and neighbours play no part, and are not run"
        if not recipe.train.epochs and recipe.start is None and self._objectives:
            yield "train.epochs is 0 and there is no start: the model is untrained"
        if recipe.teacher is not None and not needs:
            yield "the recipe has a teacher, and no objective learns from it"
        takers = [one for config in recipe.objectives for _, one in components(config)]
        if recipe.neighbours is not None and not any(
            attribute.name == "neighbours" and info(attribute).given
            for config in takers
            for attribute in attrs.fields(config.component)
        ):
            yield "the recipe has neighbours, and nothing in its objectives asks for similar items"
        batch_norm = torch.nn.modules.batchnorm._BatchNorm
        self._program.train()
        if team.size > 1 and any(isinstance(one, batch_norm) and one.training for one in self._recommender.modules()):
            yield (
                "the model normalises over the batch, and each process has a part of it: "
                "the result differs from that of one process"
            )

    def _check_resumed(self, facts: Mapping[str, Any]) -> None:
        directory = self._session.directory
        if not directory.started:
            return
        before = read_json(directory.path / MANIFEST).get("hardware", {})
        now = facts["hardware"]
        changed = [
            f"{key} {before.get(key)} → {now[key]}" for key in ("device", "devices") if before.get(key) != now[key]
        ]
        if changed:
            raise RunError(
                f"the interrupted run in {directory.path} ran on other devices: {', '.join(changed)}",
                hint="resume on the same, or start again with --force",
            )
        if before.get("threads") != now["threads"]:
            text = (
                f"resumed with {now['threads']} threads in place of {before.get('threads')}: "
                "the result can differ in the last bits from a run that was never interrupted"
            )
            self.warnings.append(text)
            self._progress.warning(text)


def teacher_dim(teacher: Recipe | FinishedRun | None) -> int | None:
    """Size of a teacher's embeddings, known before it is trained or loaded.

    Raises:
        RunError: The teacher's run is damaged.
    """
    if not isinstance(teacher, FinishedRun):
        return teacher.model.dim if teacher is not None else None
    path = Path(teacher.path) / MODEL / CONFIG
    try:
        return int(read_json(path)["model"]["dim"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} is damaged: it says no model.dim") from error


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
