"""Which items of a recipe's data look alike."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxtyping import Int
from torch import Tensor

from outfitrec.core.data import Dataset
from outfitrec.core.devices import fabric
from outfitrec.core.encoded import find_neighbours
from outfitrec.core.engine import load_dataset, run_before, run_session
from outfitrec.core.errors import DataError
from outfitrec.core.neighbours import Neighbours
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import load_recipe
from outfitrec.core.runs import Run
from outfitrec.core.session import STUDENT, Options, Session


def similar_items(
    recipe: str | Path | Mapping[str, Any],
    overrides: Sequence[str] | Mapping[str, object],
    count: int,
    *,
    out: str | Path = "runs",
    photos: bool = False,
    progress: Progress = QUIET,
) -> tuple[Dataset, Int[Tensor, "item neighbour"]]:
    """The data of a recipe, and the neighbour table that its augmenters would take similar items from.

    Args:
        recipe: Name, path or mapping. What its key ``neighbours`` names is run first where it was not before; without
            that key the recipe itself is run, and its encoder tells which items are similar.
        overrides: ``KEY=VALUE`` texts, or values by dotted key.
        count: Neighbours of each item.
        out: Folder that holds run directories.
        photos: Whether the data must have photos, which is checked before anything is trained.
        progress: Told how it goes.

    Raises:
        UserError: Something is wrong with the recipe or the data.
    """
    loaded = load_recipe(recipe, overrides)
    dataset = load_dataset(loaded)
    if photos and dataset.catalog.photos is None:
        raise DataError(f"the dataset {loaded.dataset.name} has no photos to show")
    options = Options(out=Path(out), resume=True, progress=progress)
    session = Session(loaded, dataset, STUDENT, options)
    finished = run_before(session, "neighbours")
    if not isinstance(finished, Run):
        finished = run_session(session)
    neighbours = Neighbours(dataset.catalog.names)
    find_neighbours(neighbours, finished.model, session, fabric(loaded.train).device)
    return dataset, neighbours.table(count)
