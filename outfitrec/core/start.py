"""Parameters to start from: those of another model that have the same name and shape."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from outfitrec.core.data import Dataset
from outfitrec.core.errors import RecipeError, RunError, listed
from outfitrec.core.recommender import Recommender
from outfitrec.core.runs import MODEL, Run
from outfitrec.core.serving import WEIGHTS


@attrs.frozen
class Taken:
    """What a recommender took from another model.

    Attributes:
        path: Where from.
        taken: Names of the parameters that were taken.
        new: Those that the other model does not have.
        other: Those that it has in another shape.
        left: Those that it alone has.
        idle: Parts of the other model that nothing trained: nothing is lost where they are not taken.
    """

    path: str
    taken: tuple[str, ...]
    new: tuple[str, ...]
    other: tuple[str, ...]
    left: tuple[str, ...]
    idle: frozenset[str] = frozenset()

    def text(self) -> str:
        """In one line, for people."""
        own = len(self.taken) + len(self.new) + len(self.other)
        new = f"; new: {parts(self.new)}" if self.new else ""
        return f"starts from {self.path}: {len(self.taken)} of {own} parameters ({parts(self.taken)}){new}"

    def warnings(self) -> Iterator[str]:
        """What was learned there and could not be taken."""
        other, left = ([name for name in some if part(name) not in self.idle] for some in (self.other, self.left))
        if other:
            yield f"start: {listed(other, 5)} of {self.path} have another shape here, and were not taken"
        if left:
            yield f"start: this recipe's model has no {parts(left)}, which {self.path} has"


def start_from(recommender: Recommender, source: Run | Path) -> Taken:
    """Copy into a recommender what another one learned.

    Args:
        recommender: The recommender that is to be trained.
        source: A finished run, or a .safetensors file of parameters by the recommender's names.

    Raises:
        RecipeError: Nothing in it fits.
        RunError: It cannot be read, or holds numbers that are not finite or of another type.
    """
    path = source if isinstance(source, Path) else source.directory / MODEL / WEIGHTS
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise RunError(f"start: {path} cannot be read: {error}") from error
    own = recommender.state_dict()
    common = [name for name in own if name in weights]
    fitting = [name for name in common if weights[name].shape == own[name].shape]
    if not fitting:
        raise RecipeError(
            f"start: {path} has no parameter of the same name and shape as this recipe's model",
            hint=f"this one has {parts(own)}; the file has {parts(weights) or 'none'}",
        )
    for name in fitting:
        if weights[name].is_floating_point() != own[name].is_floating_point():
            raise RunError(f"start: {name} in {path} is of type {weights[name].dtype}, and not {own[name].dtype}")
        if not torch.isfinite(weights[name]).all():
            raise RunError(f"start: {name} in {path} has numbers that are not finite")
    recommender.load_state_dict({**own, **{name: weights[name] for name in fitting}})
    return Taken(
        path=str(path),
        taken=tuple(fitting),
        new=tuple(name for name in own if name not in weights),
        other=tuple(name for name in common if name not in fitting),
        left=tuple(name for name in weights if name not in own),
        idle=frozenset(source.result.training.get("idle", ())) if isinstance(source, Run) else frozenset(),
    )


def of_other_data(source: Run | Path, dataset: Dataset) -> Iterator[str]:
    """Warn of a run that learned from other data than these."""
    if isinstance(source, Run) and source.manifest["data"] != dataset.digest:
        yield (
            f"start: {source.directory} was trained on other data: what it knows of users is of others, "
            "and outfits of its training may be in this test split"
        )


def parts(names: Iterable[str]) -> str:
    """The parts of a model that some parameters are in."""
    return listed(sorted({part(name) for name in names}), 6)


def part(name: str) -> str:
    """The part of a model that a parameter is in: the first two words of its name."""
    return ".".join(name.split(".")[:2])
