"""A plugin file for tests: the dataset of `tiny` with smaller outfits."""

import attrs

from outfitrec import Dataset, Split, component, field
from outfitrec.hooks import Register, hookimpl
from plugins.tiny import Tiny


@component
class Pairs:
    """The first items of each outfit."""

    width: int = field(default=2, minimum=1, help="items of an outfit")
    seed: int = field(default=0, minimum=0, help="of the data")

    def load(self) -> Dataset:
        whole: Dataset = Tiny(seed=self.seed).load()
        splits = {}
        for name, split in whole.splits.items():
            rows = split.positives
            kept = rows.outfits.items[:, : self.width]
            splits[name] = Split(attrs.evolve(rows, outfits=whole.catalog.outfits(kept)))
        return attrs.evolve(whole, splits=splits)


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's dataset."""
    register.component("dataset", "pairs", ":Pairs", "outfits of two items")
