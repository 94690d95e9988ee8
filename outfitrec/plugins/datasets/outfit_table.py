"""Outfits from a table of users, outfits and items, an item a row. What is wrong with it is collected, by line."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from outfitrec.core.data import SPLITS
from outfitrec.core.errors import Problem, did_you_mean
from outfitrec.plugins.datasets.columns import Columns, capped

REQUIRED = ("user", "outfit", "item")
SPLIT = "split"
# More is no outfit but a column that was mistaken for another; padded to it, the table could fill the memory.
MOST_ITEMS = 100

Ints: TypeAlias = NDArray[np.int64]
Found: TypeAlias = tuple[Sequence[int], Callable[[int], Problem]]


@attrs.frozen(eq=False)
class OutfitTable:
    """The outfits of a table: the rows with one outfit of one user are an outfit.

    Attributes:
        columns: The table.
        users: Names of the users, sorted.
        items: Names of the items, sorted by the folders that lead to them.
        user: User of each row, an index into ``users``, ``[row]``.
        item: Item of each row, an index into ``items``, ``[row]``.
        outfit: Outfit of each row, ``[row]``; outfits are numbered in the order of their first rows.
        first: First row of each outfit, ``[outfit]``.
        split: Split of each row, an index into ``SPLITS``, ``[row]``; None where the table has no such column, or other
            words in it.
    """

    columns: Columns
    users: Sequence[str]
    items: Sequence[str]
    user: Ints
    item: Ints
    outfit: Ints
    first: Ints
    split: Ints | None

    @classmethod
    def of(cls, columns: Columns) -> "OutfitTable":
        """The outfits of a table that has a row."""
        users, user = numbered(columns.cells["user"])
        items, item = numbered(columns.cells["item"], lambda path: path.split("/"))
        names, name = numbered(columns.cells["outfit"])
        _, first, found = np.unique(user * len(names) + name, return_index=True, return_inverse=True)
        words = columns.cells.get(SPLIT)
        known = words is not None and set(words) <= set(SPLITS)
        split = np.array([SPLITS.index(word) for word in words], np.int64) if words is not None and known else None
        return cls(columns, users, items, user, item, first.argsort().argsort()[found], np.sort(first), split)

    @cached_property
    def owner(self) -> Ints:
        """User of each outfit, ``[outfit]``."""
        return self.user[self.first]

    @cached_property
    def slots(self) -> Ints:
        """Items of each outfit in the order of the table, ``[outfit, slot]``; -1 where a slot is empty."""
        counts = np.bincount(self.outfit)
        rows = self.outfit.argsort(kind="stable")
        slot = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        table = np.full((len(counts), counts.max()), -1, np.int64)
        table[self.outfit[rows], slot] = self.item[rows]
        return table

    @cached_property
    def original(self) -> Ints:
        """The first outfit of the same user with the same items, which may be the outfit itself, ``[outfit]``."""
        keys = np.column_stack([self.owner, np.sort(self.slots, axis=1)])
        _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return first[same.reshape(-1)]

    def line(self, outfit: int) -> int:
        """The line in which an outfit begins."""
        return self.columns.lines[int(self.first[outfit])]

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the outfits: the first problems of each kind."""
        kinds = [self._other_splits, self._twice, self._two_splits]
        # Where rows were left out, an outfit may seem to be smaller than it is.
        kinds += [self._sizes, self._in_other_splits, self._unlearned] if self.columns.complete else []
        for kind in kinds:
            rows, problem = kind()
            yield from capped(rows, problem, self.columns.path)
        if self.split is not None and self.columns.complete:
            empty = [name for number, name in enumerate(SPLITS) if not (self.split == number).any()]
            if empty:
                hint = "give each split outfits, or leave the column out, and the outfits are split for you"
                yield Problem(f"no outfit in {' and '.join(empty)}", str(self.columns.path), hint)

    # Each of these: what is wrong, in the order of the table, and the problem with one of it.

    def _other_splits(self) -> Found:
        words = self.columns.cells.get(SPLIT, ())

        def problem(row: int) -> Problem:
            hint = did_you_mean(words[row].lower(), SPLITS)
            return Problem(f"split: {words[row]!r} is none", self.columns.where(row), hint)

        other = set(words) - set(SPLITS)
        return [row for row, word in enumerate(words) if word in other] if other else [], problem

    def _twice(self) -> Found:
        _, first, same = np.unique(self.outfit * len(self.items) + self.item, return_index=True, return_inverse=True)

        def problem(row: int) -> Problem:
            line = self.columns.lines[first[same[row]]]
            text = f"item {self.items[self.item[row]]!r} is in {self._name(row)} already, in line {line}"
            return Problem(text, self.columns.where(row), "leave one of the two rows")

        return np.flatnonzero(first[same] != np.arange(len(same))).tolist(), problem

    def _two_splits(self) -> Found:
        split, first = self.split, self.first[self.outfit]

        def problem(row: int) -> Problem:
            begin = int(first[row])
            text = f"{self._name(row)} is in {self._split(row)}, and in {self._split(begin)} "
            text += f"in line {self.columns.lines[begin]}"
            return Problem(text, self.columns.where(row), "an outfit is in one split, with all its items")

        return [] if split is None else np.flatnonzero(split != split[first]).tolist(), problem

    def _sizes(self) -> Found:
        counts = np.bincount(self.outfit)

        def problem(outfit: int) -> Problem:
            row, count = int(self.first[outfit]), int(counts[outfit])
            many = "one item" if count == 1 else f"{count:,} items, more than {MOST_ITEMS}"
            hint = "the rows with one outfit of one user are an outfit: is the column 'outfit' right?"
            return Problem(f"{self._name(row)} has {many}", self.columns.where(row), hint)

        return np.flatnonzero((counts < 2) | (counts > MOST_ITEMS)).tolist(), problem

    def _in_other_splits(self) -> Found:
        def problem(outfit: int) -> Problem:
            row, earlier = int(self.first[outfit]), int(self.original[outfit])
            text = f"{self._name(row)}, in {self._split(row)}, has the items of line {self.line(earlier)}'s outfit"
            text += f", in {self._split(int(self.first[earlier]))}"
            return Problem(
                text, self.columns.where(row), "leave one of them: a split would hold what another one tells"
            )

        if self.split is None or np.bincount(self.outfit).max() > MOST_ITEMS:
            return [], problem
        split = self.split[self.first]
        return np.flatnonzero(split != split[self.original]).tolist(), problem

    def _unlearned(self) -> Found:
        def problem(row: int) -> Problem:
            return Problem(f"user {self.users[self.user[row]]!r} has no outfit in train", self.columns.where(row))

        # With no outfit in train at all, it is all users.
        if self.split is None or not (self.split == 0).any():
            return [], problem
        users, first = np.unique(self.user, return_index=True)
        return np.sort(first[~np.isin(users, self.user[self.split == 0])]).tolist(), problem

    def _split(self, row: int) -> str:
        return self.columns.cells[SPLIT][row]

    def _name(self, row: int) -> str:
        return f"outfit {self.columns.cells['outfit'][row]!r} of user {self.columns.cells['user'][row]!r}"


def numbered(cells: Sequence[str], key: Callable[[str], Any] | None = None) -> tuple[list[str], Ints]:
    """The distinct cells, sorted, and which of them each is."""
    names = sorted(set(cells), key=key)
    index = {name: number for number, name in enumerate(names)}
    return names, np.fromiter(map(index.__getitem__, cells), np.int64, len(cells))
