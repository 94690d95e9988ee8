"""How well a distiller finds false negatives, where the data say which they are."""

from collections.abc import Callable
from typing import Any

import torch

from outfitrec.core.config import create
from outfitrec.core.create import create as component
from outfitrec.core.data import Dataset
from outfitrec.core.document import Document
from outfitrec.core.encoded import frozen_teacher
from outfitrec.core.errors import OutfitrecError, listed
from outfitrec.core.runs import RECIPE, Run
from outfitrec.core.seeds import generator
from outfitrec.core.session import Session
from outfitrec.core.structure import structure_component
from outfitrec.core.teacher import Teacher
from outfitrec.core.yamlfile import read
from outfitrec.protocols import Distiller, Metric, Negatives

# Negatives of a training pair.
PER_PAIR = 10


def detection(
    run: Run, session: Session, device: torch.device, warn: Callable[[str], None]
) -> dict[str, float | int] | None:
    """What `detect` says of a finished run's teacher and distiller.

    Args:
        run: The run.
        session: Its recipe with the data.
        device: Where the teacher computes.
        warn: Told why the teacher or the distiller cannot be opened, where that is so.

    Returns:
        None where it cannot be said: the data have no truth, or the run no distiller.
    """
    written = _distiller(run)
    if session.dataset.truth is None or written is None:
        return None
    try:
        if run.teacher is None:
            return None
        model = run.teacher.model
        config = structure_component(written, "distiller", run.registry)
    except OutfitrecError as error:
        why = listed([problem.message for problem in error.problems])
        warn(f"how well false negatives are found cannot be said, without the teacher and the distiller: {why}")
        return None
    settings = session.recipe.evaluate
    teacher, distiller = frozen_teacher(model, session, device), create(config, **session.given)
    return detect(teacher, distiller, session.dataset, seed=settings.seed, chunk=settings.chunk)


def detect(
    teacher: Teacher, distiller: Distiller, dataset: Dataset, *, seed: int, chunk: int
) -> dict[str, float | int]:
    """How well a distiller's weights tell, of random negatives of the training positives, which the users like.

    A negative is found where its weight d is below 0 (Eq. 12). It is a false one where its user likes it by the ground
    truth, observed or not.

    Args:
        teacher: Scores the negatives.
        distiller: Weighs them.
        dataset: The data, with ground truth.
        seed: Of the negatives.
        chunk: Outfits scored at once.

    Returns:
        ``auc``: how well -d ranks the false negatives of a user above the true ones (a tie counts one half), mean over
        the users who have both, since d differs in scale from user to user. Of all users' negatives together:
        ``precision``, the share of false ones among those found; ``recall``, the share found of the false ones;
        ``liked``, the share of false ones; ``negatives``, their number. NaN where there is nothing to divide by.

    Raises:
        ValueError: The data have no ground truth.
    """
    if dataset.truth is None:
        raise ValueError("data without ground truth do not say which negatives are liked")
    train = dataset.splits["train"]
    fields: dict[str, Any] = {"split": train, "catalog": dataset.catalog}
    negatives: Negatives = component("negatives", "random_mix", share="pair", count=PER_PAIR, **fields)
    outfits = negatives.draw(train.positives, generator(seed, "false negatives")).outfits
    pairs = train.positives.users
    users = pairs.repeat_interleave(PER_PAIR)
    with torch.inference_mode():
        scores = teacher.recommender.score_rows(teacher.table, users, outfits, chunk)
        means = teacher.positive_mean[pairs.to(scores.device)]
        # On the CPU: the metric computes in 64 bits, which not every device has.
        weight = distiller(means, scores.view(-1, PER_PAIR)).flatten().cpu()
    liked, found = dataset.truth.liked(users, outfits), weight < 0
    auc: Metric = component("metric", "auc")
    hits = (found & liked).sum().double()
    return {
        "auc": float(auc(-weight, liked, users).nanmean()),
        "precision": float(hits / found.sum()),
        "recall": float(hits / liked.sum()),
        "liked": float(liked.double().mean()),
        "negatives": len(users),
    }


def _distiller(run: Run) -> Document | None:
    """The configuration of the run's distiller; of several, the first."""
    objectives = read(run.directory / RECIPE).mapping.get("objectives")
    for objective in objectives.data if objectives else ():
        found: Document | None = objective.mapping.get("distiller")
        if found is not None and found.data is not None:
            return found
    return None
