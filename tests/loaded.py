"""What became of data that were loaded, by name; and what was wrong with those that were not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outfitrec.core.data import Dataset
from outfitrec.core.errors import DataError
from outfitrec.core.outfits import Outfits


def complaints(root: Path, load: Callable[[], Dataset]) -> list[str]:
    """What loading complains of: the place within the root, and the message."""
    with pytest.raises(DataError) as caught:
        load()
    return [f"{one.where.removeprefix(str(root)).removeprefix('/')} {one.message}" for one in caught.value.problems]


def named(data: Dataset, outfits: Outfits) -> list[list[str]]:
    """The items of each outfit, in their order."""
    return [[data.catalog.names[item] for item in row if item >= 0] for row in outfits.items.tolist()]


def posted(data: Dataset, *names: str) -> list[tuple[int, frozenset[str]]]:
    """Users and items of the outfits of some splits; by default, of all."""
    rows = [data.splits[name].positives for name in names or data.splits]
    return [
        (user, frozenset(items))
        for one in rows
        for user, items in zip(one.users.tolist(), named(data, one.outfits), strict=True)
    ]
