"""What a finished run's model costs to apply: time, memory and size (the paper's Table 5)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from threading import Thread
from typing import Any, TypeVar

import attrs
import torch
from jaxtyping import Float, Int
from torch import Tensor

from outfitrec.benchmark.memory import gauge
from outfitrec.core.data import Rows
from outfitrec.core.devices import fabric
from outfitrec.core.errors import OutfitrecError, RunError, UserError
from outfitrec.core.items import PhotoItems, embed_all
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.reevaluate import reopen
from outfitrec.core.runs import Run
from outfitrec.core.serving import Model
from outfitrec.core.session import Session

T = TypeVar("T")
Figures = dict[str, list[float] | float]

# New outfits that are scored one by one, whose median is a latency.
OUTFITS = 20


def measure(run: str, repeats: int = 5, progress: Progress = QUIET, **options: Any) -> Figures:
    """Measure what the model of a finished run costs, in a process of its own, with the machine's threads.

    Recommending to every user is to score all outfits of the test split, positives and negatives, each for the user for
    whom it is ranked in an evaluation, and to put every user's in order. What stands on disk (photos are decoded once)
    is there beforehand. A figure that is timed has a value for each repeat; a first one, not counted, warms up.

    - ``photos_seconds``: recommending to every user when the photo of each item has to be encoded, once each: encoder,
      aggregator and scores. Features of a frozen encoder, which training keeps, are encoded like any other.
    - ``cached_seconds``: the same with the items' embeddings at hand, as one would serve.
    - ``photos_per_second``: photos that the encoder makes into embeddings, of those in ``photos_seconds``.
    - ``latency``: seconds from the encoded photos (JPEG, PNG, …) of a single new outfit to its score for one user; the
      median over several outfits.
    - ``memory``: bytes that the model and the work of recommending add at their peak: on a CUDA device of tensors,
      elsewhere of what the process has in memory. ``memory_before``: what is taken before the model is loaded.
    - ``parameters``: of the model.

    A model that needs no photos has only ``cached_seconds``, ``memory``, ``memory_before`` and ``parameters``.

    Args:
        run: The run's directory.
        repeats: Times that each piece of work is timed.
        progress: Told what is done.
        options: Keys of the recipe, as `outfitrec.evaluate` takes them: of ``evaluate``, and of what only says how to
            run, such as ``train.accelerator``.

    Raises:
        UserError: There is no run, or nothing is to be timed.
        RunError: The run is interrupted or damaged, ranks nothing, or fails as it is measured; an option is wrong.
    """
    if repeats < 1:
        raise UserError(f"repeats: must be 1 or more, not {repeats}")
    found = Run(run)
    progress.message(f"{found.directory.name}: measuring time and memory")
    task = {"run": str(found.directory.absolute()), "repeats": repeats, "options": options}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (
        TemporaryFile() as words,
        # This very program, without an argument of anybody's.
        subprocess.Popen(
            [sys.executable, "-m", "outfitrec.benchmark.efficiency"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env=environment,
        ) as child,
    ):
        try:
            # Its input stays open: when it ends, whoever asks is gone.
            answer = _asked(child, json.dumps(task))
        finally:
            child.kill()
        if not answer:
            words.seek(0)
            lines = words.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
            raise RunError(f"the run in {found.directory} could not be measured: {lines[-1]}")
    figures: Figures = json.loads(answer)
    return figures


def _asked(child: "subprocess.Popen[bytes]", task: str) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise TypeError("the process has no pipes")
    child.stdin.write(f"{task}\n".encode())
    child.stdin.flush()
    return child.stdout.read()


def figures_of(run: Path, repeats: int, options: Mapping[str, Any]) -> Figures:
    """Measure in this process (see `measure`): memory is then right where the process has done nothing else."""
    session = reopen(Run(run), options)
    device = fabric(session.recipe.train).device
    test = session.test()
    if test is None:
        raise RunError(f"the run in {run} ranks nothing", hint="measure a run whose recipe has evaluate.metrics")
    store = session.store
    if store is not None:
        # What is on disk takes memory once it is read, and none of that is the model's.
        for ids in test.used.split(session.recipe.evaluate.images):
            store.images(ids)
    level = gauge(device)
    before = level.now()
    # A run of its own: the one above took its model along.
    model = Run(run).model
    work = Recommending(model, session, test.rows, device)
    level.reset()
    table = work.encode()
    work.rank(table)
    found: Figures = {
        "memory": level.peak() - before,
        "memory_before": before,
        "parameters": model.recommender.parameter_counts()["total"],
        "cached_seconds": [_seconds(partial(work.rank, table), device)[0] for _ in range(repeats)],
    }
    if store is not None:
        found |= _with_photos(work, repeats)
        found["latency"] = _latency(model, session, test.rows, repeats)
    return found


@attrs.frozen(eq=False)
class Ranking:
    """What is recommended to every user.

    Attributes:
        scores: Score of each row, ``[row]``.
        order: Rows by user, and of each user the best first, ``[row]``.
    """

    scores: Float[Tensor, " row"]
    order: Int[Tensor, " row"]


class Recommending:
    """Recommends outfits to the users of a session's data.

    Args:
        model: The model, which is moved to ``device``.
        session: The data.
        rows: The outfits, each with the user for whom it is ranked.
        device: Where it works.

    Attributes:
        items: The items of the outfits, ascending.
        device: See above.
    """

    def __init__(self, model: Model, session: Session, rows: Rows, device: torch.device) -> None:
        self.device = device
        self.items, _ = rows.outfits.distinct()
        self._rows = rows
        self._catalog = session.dataset.catalog
        self._settings = session.recipe.evaluate
        self._recommender = model.recommender.to(device)
        self._source = (
            session.source(self._recommender, device)
            if session.store is None
            # Not what the session would take, which has the features of a frozen encoder at hand.
            else PhotoItems(self._recommender.encoder, session.store, model.image, device)
        )

    def encode(self) -> Float[Tensor, "item dim"]:
        """Embeddings of the items in a table with a row for every item of the catalogue."""
        return embed_all(
            self._recommender,
            self._source,
            self._catalog,
            self.items,
            self.device,
            chunk=self._settings.images,
            progress=QUIET,
        )

    @torch.inference_mode()
    def rank(self, table: Float[Tensor, "item dim"]) -> Ranking:
        """Every user's outfits in order."""
        users = self._rows.users.to(self.device)
        self._recommender.candidates(table[self.items], self._catalog.category[self.items].to(self.device))
        scores = self._recommender.score_rows(table, users, self._rows.outfits, self._settings.chunk).float()
        order = scores.argsort(descending=True)
        return Ranking(scores, order[users[order].argsort(stable=True)])


def _with_photos(work: Recommending, repeats: int) -> Figures:
    """Time of recommending with the photos encoded, and of the encoding in it."""
    seconds, rates = [], []
    for _ in range(repeats):
        encoded, table = _seconds(work.encode, work.device)
        ranked, _ = _seconds(partial(work.rank, table), work.device)
        seconds.append(encoded + ranked)
        rates.append(len(work.items) / encoded)
    return {"photos_seconds": seconds, "photos_per_second": rates}


def _latency(model: Model, session: Session, rows: Rows, repeats: int) -> list[float]:
    """Median time of scoring one outfit for one user, from the photos' files."""
    catalog = session.dataset.catalog
    if catalog.photos is None:
        raise TypeError("the catalogue has no photos, and a store of them was opened")
    asked = []
    for row in torch.linspace(0, len(rows) - 1, min(OUTFITS, len(rows))).long().tolist():
        items = rows.outfits.items[row]
        there: list[int] = items[items >= 0].tolist()
        photos = [catalog.photos.read(item) for item in there]
        asked.append((int(rows.users[row]), photos, [catalog.categories[int(catalog.category[k])] for k in there]))

    def score(user: int, photos: list[bytes], categories: list[str]) -> float:
        return float(model.score_photos([user], [photos], [categories]))

    device = next(model.recommender.parameters()).device
    score(*asked[0])
    return [median(_seconds(partial(score, *one), device)[0] for one in asked) for _ in range(repeats)]


def _seconds(work: Callable[[], T], device: torch.device) -> tuple[float, T]:
    """Seconds that work takes until the device is done with it, and what it gives."""
    _wait(device)
    began = time.perf_counter()
    found = work()
    _wait(device)
    return time.perf_counter() - began, found


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def main() -> None:
    """Measure what a line of the standard input asks for, and write the figures to the standard output, as JSON."""
    task = json.loads(sys.stdin.readline())
    Thread(target=_end_with_input, daemon=True).start()
    answer = sys.stdout
    # What a plugin prints is no part of the answer.
    sys.stdout = sys.stderr
    try:
        found = figures_of(Path(task["run"]), task["repeats"], task["options"])
    except OutfitrecError as error:
        # In one line, which whoever asked repeats.
        sys.exit("; ".join(problem.message for problem in error.problems))
    answer.write(json.dumps(found))
    answer.flush()


def _end_with_input() -> None:
    # Unbuffered: Python cannot end while a thread is in a buffered read of this file.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
