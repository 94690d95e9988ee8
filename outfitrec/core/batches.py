"""The batches of a run: what each step of each epoch draws."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from outfitrec.core.data import Split
from outfitrec.core.errors import RecipeError
from outfitrec.core.outfits import Outfits
from outfitrec.core.seeds import generator
from outfitrec.core.step import Batch
from outfitrec.protocols import Negatives, Objective


class Batches:
    """Batches of the training split.

    Args:
        split: The training split.
        negatives: Draws the negatives of pairs.
        objectives: What is trained; their ``unit`` says what a step draws, and they may ask for further outfits.
        size: Pairs (or outfits, or items) a step.
        seed: Seed of the run.

    Raises:
        RecipeError: The objectives' units differ, or there are no objectives.
    """

    def __init__(
        self, split: Split, negatives: Negatives, objectives: Sequence[Objective], size: int, seed: int
    ) -> None:
        units = {objective.label: objective.unit for objective in objectives}
        if len(set(units.values())) != 1:
            raise RecipeError(f"the objectives of a recipe must draw the same unit, not {units or 'none at all'}")
        self.unit = next(iter(units.values()))
        self._negatives = negatives
        self._objectives = objectives
        self._size = size
        self._seed = seed
        self._rows = split.positives
        self._items = torch.empty(0, dtype=torch.long)
        if self.unit == "outfit":
            distinct = split.positives.outfits.items.unique(dim=0, return_inverse=True)[1]
            self._rows = split.positives[_first(distinct)]
        elif self.unit == "item":
            items = split.positives.outfits.items
            self._items = items[items >= 0].unique()
        self.count = len(self._items) if self.unit == "item" else len(self._rows)
        # The last step of an epoch may be smaller: nothing is left out.
        self.steps = -(-self.count // size)

    def order(self, epoch: int) -> Tensor:
        """The order of an epoch, ``[count]``."""
        return torch.randperm(self.count, generator=generator(self._seed, "order", epoch))

    def draw(self, order: Tensor, epoch: int, step: int) -> tuple[Batch, Generator]:
        """The batch of a step, and the generator for what else the step draws."""
        index = order[step * self._size : (step + 1) * self._size]
        draws = generator(self._seed, "step", epoch, step)
        none = torch.empty(0, dtype=torch.long)
        if self.unit == "item":
            empty = self._rows.outfits[:0]
            batch = Batch(none, empty, self._items[index])
        elif self.unit == "outfit":
            batch = Batch(none, self._rows[index].outfits, none)
        else:
            rows = self._rows[index]
            batch = Batch(rows.users, rows.outfits, none, self._negatives.draw(rows, draws))
        extra: dict[str, Outfits] = {}
        for objective in self._objectives:
            more = objective.extra(batch, draws)
            if more is not None:
                extra[objective.label] = more
        return Batch(batch.users, batch.positives, batch.items, batch.drawn, extra), draws


def _first(inverse: Tensor) -> Tensor:
    """Index of the first row of each distinct value, in order."""
    order = inverse.argsort(stable=True)
    values = inverse[order]
    starts = torch.ones_like(values, dtype=torch.bool)
    starts[1:] = values[1:] != values[:-1]
    return order[starts].sort().values
