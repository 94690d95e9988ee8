"""The negatives that the dataset stores."""

from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Generator

from outfitrec.core.component import component
from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.drawn import Drawn
from outfitrec.core.errors import DataError, UserError
from outfitrec.core.fields import field, given
from outfitrec.plugins.negatives.random_mix import RandomMix


@component
class Stored:
    """The split's stored negatives, for evaluation. Where it has no random ones, they are drawn as ``random_mix`` does.

    Attributes:
        source: Where the negatives come from, in words; part of an evaluation's protocol.
    """

    for_training: ClassVar[bool] = False

    set: str = field(default="random", choices=("random", "hard"), help="which stored negatives")
    count: int = field(default=10, minimum=1, help="number drawn for each positive where no random ones are stored")
    split: Split = given("the split whose stored negatives are used")
    catalog: Catalog = given("the items")

    @staticmethod
    def check_recipe(config: Any, recipe: Any) -> Iterable[tuple[str, str]]:
        """Refuse to train with them."""
        if config is recipe.negatives:
            yield "negatives", "stored negatives are for evaluation only: train with random_mix, hard or mixed"

    def __attrs_post_init__(self) -> None:
        self._mix: RandomMix | None = None
        self.source = f"stored {self.set}"
        if self.set in self.split.negatives:
            return
        if self.set != "random":
            raise DataError(
                f"the dataset stores no {self.set} negatives",
                hint=f"stored: {', '.join(sorted(self.split.negatives)) or 'none'}; to draw hard ones, set "
                "evaluate.negatives: {name: hard, share: pair, count: 10}",
            )
        self._mix = RandomMix(share="pair", count=self.count, split=self.split, catalog=self.catalog)
        self.source = f"drawn random, {self.count} a positive"

    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        """Negatives of these pairs, which must be the positives of the split, all of them in order.

        Raises:
            UserError: They are others, such as those of a training step.
            DataError: Negatives have to be drawn, and the split's pools are too small.
        """
        positives = self.split.positives
        if not (
            torch.equal(pairs.users, positives.users) and torch.equal(pairs.outfits.items, positives.outfits.items)
        ):
            raise UserError(
                f"stored negatives belong to the {len(positives)} positives of their split and are for evaluation; "
                f"{len(pairs)} other pairs were given",
                hint="train with negatives: random_mix, hard or mixed",
            )
        if self._mix is not None:
            return self._mix.draw(pairs, generator)
        return Drawn(self.split.negatives[self.set].outfits, shared=False)
