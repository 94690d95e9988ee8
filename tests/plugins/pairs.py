"""A plugin file for tests: the dataset of `tiny` with outfits of two items."""

import attrs

from outfitrec import Dataset, Split, component
from outfitrec.hooks import Register, hookimpl
from plugins.tiny import Tiny


@component
class Pairs:
    """Tops and bottoms."""

    def load(self) -> Dataset:
        whole: Dataset = Tiny().load()
        splits = {}
        for name, split in whole.splits.items():
            rows = split.positives
            outfits = attrs.evolve(rows.outfits, items=rows.outfits.items[:, :2], category=rows.outfits.category[:, :2])
            splits[name] = Split(attrs.evolve(rows, outfits=outfits))
        return attrs.evolve(whole, splits=splits)


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's dataset."""
    register.component("dataset", "pairs", ":Pairs", "outfits of two items")
