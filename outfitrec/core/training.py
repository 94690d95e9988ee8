"""One training: built whole before anything is written, then trained, evaluated and left on disk."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import torch
from torch import Tensor

from outfitrec.core.batches import Batches
from outfitrec.core.build import build_recommender
from outfitrec.core.cache import cached
from outfitrec.core.config import create, plain
from outfitrec.core.devices import fabric
from outfitrec.core.errors import RecipeError, RunError
from outfitrec.core.evaluation import Evaluation
from outfitrec.core.files import digest, write_text
from outfitrec.core.items import about, embed_all, item_source, state_digest, tensor_digest
from outfitrec.core.manifest import manifest
from outfitrec.core.program import Program
from outfitrec.core.progress import QUIET
from outfitrec.core.recipe import dump_recipe
from outfitrec.core.runs import MANIFEST, MODEL, RECIPE, RESULT, Result, Run, read_json
from outfitrec.core.seeds import seed_of
from outfitrec.core.serving import Model, save_model
from outfitrec.core.session import Session
from outfitrec.core.stores import open_store
from outfitrec.core.teacher import Teacher
from outfitrec.core.trainer import Direction, Fitted, Trainer


class Training:
    """A training, ready to start: what is wrong with its recipe or data has shown by now.

    Args:
        session: The recipe with its data.

    Raises:
        UserError: Something is wrong with the recipe, the data, the weights or the device.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._progress = session.options.progress
        recipe, dataset = session.recipe, session.dataset
        settings = recipe.train
        self._fabric = fabric(settings)
        device = self._fabric.device
        with torch.random.fork_rng():
            torch.manual_seed(seed_of(settings.seed, "initialize"))
            self._recommender = build_recommender(recipe.model, session.given)
            self._objectives = [create(config, **session.given) for config in recipe.objectives]
            self._recommender.initialize()
        self._warnings = list(self._unheard())
        encoder: Any = self._recommender.encoder
        encoder.to(memory_format=torch.channels_last)
        self._recommender.to(device)
        if session.store is not None:
            session.store.to(device)
        if settings.compile:
            encoder.features = torch.compile(encoder.features)
        self._source = session.source(self._recommender, device)
        self._validation, self._test = session.validation(), session.test()
        category = dataset.catalog.category.to(device)
        self._program = Program(self._recommender, self._objectives, self._source, category).to(device)
        train = dataset.splits["train"]
        negatives = create(recipe.negatives, split=train, catalog=dataset.catalog)
        metric = next(one for one in session.metrics() if one.label == settings.select)
        self._trainer = Trainer(
            self._fabric,
            self._program,
            Batches(train, negatives, self._objectives, settings.batch, settings.seed),
            settings,
            optimizer=create(settings.optimizer),
            schedule=create(settings.schedule),
            direction=Direction(metric.label, metric.higher_is_better),
            validate=lambda: self._validate().means(),
            record=session.directory.record,
            checkpoints=session.directory.checkpoints,
            progress=self._progress,
        )

    def run(self, teacher: Run | None) -> None:
        """Train, evaluate, and write everything that a run leaves behind.

        Args:
            teacher: The teacher's finished run.
        """
        began = time.perf_counter()
        session, directory = self._session, self._session.directory
        facts = manifest(session.recipe, session.identity, session.role, session.dataset, self._fabric)
        facts["teacher"] = os.path.relpath(teacher.directory, directory.path) if teacher else None
        self._check_resumed(facts)
        self._progress.message(f"{session.recipe.name}: training, in {directory.path}")
        # The manifest first: a directory that has one is a run's.
        directory.write(MANIFEST, facts)
        write_text(directory.path / RECIPE, dump_recipe(session.recipe))
        with torch.random.fork_rng():
            fitted = self._fit(teacher.model if teacher else None)
            valid = self._validate()
            found = self._test.evaluate(self._recommender, self._source, self._fabric.device, self._progress)
        save_model(directory.path / MODEL, self._recommender, session.recipe.model, session.recipe.image, session.given)
        self._warnings += warn(self._objectives, fitted)
        for text in self._warnings:
            self._progress.warning(text)
        result = Result(
            recipe=session.recipe.name,
            parameters=self._recommender.parameter_counts(),
            test=found.means(),
            valid=valid.means(),
            per_user=per_user(found),
            protocol=session.protocol(self._test),
            training=attrs.asdict(fitted),
            warnings=tuple(self._warnings),
            seconds=round(time.perf_counter() - began, 3),
            data=session.dataset.notes,
        )
        directory.write(MANIFEST, {**facts, "ended": datetime.now(UTC).isoformat(timespec="seconds")})
        directory.write(RESULT, attrs.asdict(result))

    def _fit(self, teacher: Model | None) -> Fitted:
        if teacher is not None:
            self._program.learn_from(self._teacher(teacher))
        fitted = self._trainer.fit()
        best = self._session.directory.checkpoints.load("best")
        if best is None:
            select = self._session.recipe.train.select
            raise RunError(f"no epoch of {self._session.recipe.name} has a defined {select} on the validation split")
        self._program.load_state_dict(best["program"])
        return fitted

    def _validate(self) -> Evaluation:
        return self._validation.evaluate(self._recommender, self._source, self._fabric.device, QUIET)

    def _teacher(self, model: Model) -> Teacher:
        session, device = self._session, self._fabric.device
        dataset, settings = session.dataset, session.recipe.evaluate
        recommender = model.recommender.to(device)
        store = open_store(recommender.encoder, dataset, model.image, session.recipe, self._progress)
        source = item_source(
            recommender.encoder,
            dataset.catalog,
            store,
            model.image,
            device,
            known=about(model.settings.encoder),
            used=session.used,
            chunk=settings.images,
            progress=self._progress,
        )

        def embed() -> dict[str, Tensor]:
            table = embed_all(
                recommender,
                source,
                dataset.catalog,
                session.used,
                device,
                chunk=settings.images,
                progress=self._progress,
            )
            return {"items": table}

        key = digest(
            [
                about(model.settings.encoder),
                state_digest(recommender),
                store.key if store else None,
                plain(model.image),
                tensor_digest(session.used),
            ]
        )
        table = cached("items", key, embed)["items"].to(device)
        return Teacher(recommender, table, dataset.splits["train"].positives, dataset.users, settings.chunk)

    def _unheard(self) -> Iterable[str]:
        """Check that objectives have the teacher they need; warn of a teacher that none of them needs."""
        needs = [objective.label for objective in self._objectives if objective.needs_teacher]
        teacher = self._session.recipe.teacher
        if needs and teacher is None:
            raise RecipeError(f"objectives {', '.join(needs)} need a teacher", hint="set the key 'teacher'")
        if teacher is not None and not needs:
            yield "the recipe has a teacher, and no objective learns from it"

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
            self._warnings.append(
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
