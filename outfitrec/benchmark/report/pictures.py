"""Outfits of a few users as photos: those they posted, those a model ranks first, and those a teacher finds."""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from outfitrec.benchmark.report.kept import kept
from outfitrec.benchmark.report.strips import Picture, picture
from outfitrec.core.create import create
from outfitrec.core.data import Dataset, Rows
from outfitrec.core.devices import fabric
from outfitrec.core.encoded import frozen_teacher
from outfitrec.core.errors import DataError, UserError
from outfitrec.core.evaluation import Evaluator
from outfitrec.core.items import embed_all
from outfitrec.core.photos import quiet
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.reevaluate import reopen
from outfitrec.core.runs import Run
from outfitrec.core.seeds import generator
from outfitrec.core.session import Session
from outfitrec.protocols import Negatives

USERS = 3
SHOWN = 5  # outfits of a kind
PER_PAIR = 10  # negatives drawn of each training positive
SEED = 0  # of these negatives


def shown_users(dataset: Dataset) -> list[int]:
    """The users of most training positives, of those who have test positives as well."""
    train, test = (dataset.splits[name].positives.users.bincount(minlength=dataset.users) for name in ("train", "test"))
    count = torch.where(test > 0, train, 0)
    return [user for user in count.argsort(descending=True, stable=True)[:USERS].tolist() if count[user]]


def recommended(run: Run, progress: Progress = QUIET) -> dict[str, Any]:
    """What a run's model ranks first for some users, each user's test outfits among their negatives.

    Args:
        run: The run.
        progress: Told how it goes.

    Returns:
        ``people``: of each user ``user``, the pictures of some ``posted`` outfits (of the training split), and of the
        ``first`` ones, best first, which are right where the user posted them.

    Raises:
        UserError: The run ranks nothing, or its data or photos are not there.
        RunError: The run is damaged.
    """

    def compute() -> dict[str, Any]:
        session = reopen(run, progress=progress)
        test = session.test()
        if test is None:
            raise UserError(f"the run in {run.directory} ranks nothing: its recipe has no metrics")
        _check_photos(session.dataset)
        users = shown_users(session.dataset)
        index = torch.isin(test.rows.users, torch.tensor(users)).nonzero().flatten()
        rows, relevant = test.rows[index], test.relevant[index]
        values = scores(run, session, test, rows)
        people = []
        for user in users:
            own = (rows.users == user).nonzero().flatten()
            first = own[_distinct(rows[own], values[own].argsort(descending=True, stable=True))]
            pictures = [
                _picture(session.dataset, rows.outfits.items[row], right=bool(relevant[row])) for row in first.tolist()
            ]
            people.append({"user": user, "posted": posted(session.dataset, user), "first": pictures})
        return {"people": people}

    with quiet():
        found: dict[str, Any] = kept("recommended", [run], compute)
    return found


def scores(run: Run, session: Session, test: Evaluator, rows: Rows) -> Float[Tensor, " row"]:
    """The scores of some of the evaluator's rows, as it computes them; on the CPU."""
    device = fabric(session.recipe.train).device
    recommender, catalog, settings = run.recommender.to(device), session.dataset.catalog, session.recipe.evaluate
    # Where scores depend on which candidates there are, these are the items of all rows.
    needed = test.used if hasattr(recommender.aggregator, "candidates") else rows.outfits.distinct()[0]
    progress = session.options.progress
    with torch.random.fork_rng(), torch.inference_mode():
        source = session.source(recommender, device)
        table = embed_all(recommender, source, catalog, needed, device, chunk=settings.images, progress=progress)
        recommender.candidates(table[needed.to(device)], catalog.category[needed].to(device))
        return recommender.score_rows(table, rows.users, rows.outfits, settings.chunk).float().cpu()


def false_negatives(run: Run, progress: Progress = QUIET) -> dict[str, Any]:
    """Unobserved outfits that a teacher scores above the mean of a user's training positives (d < 0, Eq. 12).

    Args:
        run: The run whose teacher is asked; one without is asked itself.
        progress: Told how it goes.

    Returns:
        ``people``: of each user ``user``, the ``mean`` score of the training positives in words, how many negatives
        were ``drawn`` and how many of them are ``found``, the pictures of some ``posted`` outfits, and those of the
        ``first`` negatives, lowest d first, with their scores; where the data have ground truth, they are right where
        the user likes them, and ``liked`` is how many of those found are.

    Raises:
        UserError: Data, photos or the teacher are not there.
        RunError: A run is damaged.

    Reference:
        Kim et al. 2021, Eq. 12 and Fig. 8.
    """
    teacher = run.teacher or run

    def compute() -> dict[str, Any]:
        session = reopen(run, progress=progress)
        _check_photos(session.dataset)
        return {"people": list(_unobserved(teacher, session))}

    with quiet():
        found: dict[str, Any] = kept("false-negatives", [run, teacher], compute)
    return found


def _unobserved(run: Run, session: Session) -> Iterator[dict[str, Any]]:
    dataset, chunk = session.dataset, session.recipe.evaluate.chunk
    teacher = frozen_teacher(run.model, session, fabric(session.recipe.train).device)
    train, truth = dataset.splits["train"], dataset.truth
    fields: dict[str, Any] = {"split": train, "catalog": dataset.catalog}
    negatives: Negatives = create("negatives", "random_mix", share="pair", count=PER_PAIR, **fields)
    for user in shown_users(dataset):
        own = train.positives[train.positives.users == user]
        outfits = negatives.draw(own, generator(SEED, "false negatives", user)).outfits
        rows = Rows(own.users.repeat_interleave(PER_PAIR), outfits)
        with torch.inference_mode():
            values = teacher.recommender.score_rows(teacher.table, rows.users, rows.outfits, chunk).float().cpu()
        mean = float(teacher.positive_mean[user])
        found = values > mean
        liked = None if truth is None else truth.liked(rows.users, rows.outfits)
        order = values.argsort(descending=True, stable=True)
        first = _distinct(rows, order[found[order]]).tolist()
        pictures = [
            _picture(
                dataset,
                outfits.items[row],
                note=f"score {_text(values[row].item())}",
                right=None if liked is None else bool(liked[row]),
            )
            for row in first
        ]
        yield {
            "user": user,
            "mean": _text(mean),
            "drawn": len(rows),
            "found": int(found.sum()),
            "liked": None if liked is None else int((found & liked).sum()),
            "posted": posted(dataset, user),
            "first": pictures,
        }


def posted(dataset: Dataset, user: int) -> list[Picture]:
    """Some outfits that a user posted for training, spread evenly over all of hers."""
    positives = dataset.splits["train"].positives
    own = positives.outfits.items[positives.users == user]
    count = min(SHOWN, len(own))
    return [_picture(dataset, own[place * len(own) // count]) for place in range(count)]


def _distinct(rows: Rows, order: Int[Tensor, " row"]) -> Int[Tensor, " first"]:
    """The first few rows of an order, without those whose outfit has been there."""
    keys = rows.outfits.keys().tolist()
    seen: set[tuple[int, ...]] = set()
    first: list[int] = []
    for row in order.tolist():
        key = tuple(keys[row])
        if key not in seen and len(first) < SHOWN:
            seen.add(key)
            first.append(row)
    return torch.tensor(first, dtype=torch.long)


def _picture(dataset: Dataset, items: Int[Tensor, " slot"], note: str = "", right: bool | None = None) -> Picture:
    return picture(dataset.catalog, items.tolist(), note, right)


def _text(score: float) -> str:
    return f"{score:.3f}".replace("-", "−")


def _check_photos(dataset: Dataset) -> None:
    """Make sure, before anything is computed, that there is something to show."""
    if dataset.catalog.photos is None:
        raise DataError("the dataset has no photos to show")
