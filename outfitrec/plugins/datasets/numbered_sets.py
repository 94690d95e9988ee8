"""Outfits in JSON as the Polyvore releases without users have them, and what names their items by outfit and index.

Questions and labelled outfits call an item ``<set_id>_<index>``: the item with that index in the outfit with that id,
which is of the same split.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import attrs
import numpy as np
import torch

from outfitrec.core.data import Catalog, Labelled, Questions, Rows, Split
from outfitrec.core.outfits import Outfits
from outfitrec.plugins.datasets.gathered import padded
from outfitrec.plugins.datasets.release_files import ReleaseFiles

# Ids become parts of paths.
PLAIN = re.compile(r"[A-Za-z0-9-]{1,200}")
# Name of an item, of what a file says of it. Raises a ValueError that says what is wrong with it.
Naming = Callable[[Mapping[str, Any]], str]


@attrs.frozen
class Item:
    """An item, where it is named first.

    Attributes:
        number: Its number, in the order in which items are named.
        set_id: The outfit.
        index: Its index in the outfit.
        where: File and place, for messages.
    """

    number: int
    set_id: str
    index: int
    where: str


@attrs.define
class Sets:
    """The outfits of a split, and what it is judged by, as numbers of items.

    Attributes:
        outfits: The outfits.
        numbers: Number of the item that a reference names.
        candidates: Candidates of the questions, the right one first, question by question.
        count: Number of candidates of a question.
        labelled: Outfits that are labelled.
        labels: Whether each of these is compatible.
    """

    outfits: list[list[int]] = attrs.field(factory=list)
    numbers: dict[str, int] = attrs.field(factory=dict)
    candidates: list[list[int]] = attrs.field(factory=list)
    count: int = 0
    labelled: list[list[int]] = attrs.field(factory=list)
    labels: list[bool] = attrs.field(factory=list)

    def named(self, references: Sequence[str]) -> list[int]:
        """Numbers of the items that these references name, some of them perhaps again.

        Raises:
            ValueError: One is unknown.
        """
        unknown = [one for one in references if one not in self.numbers]
        if unknown:
            raise ValueError(f"unknown item {unknown[0]!r}: no outfit of the split has it (<set_id>_<index>)")
        return [self.numbers[one] for one in references]

    @property
    def width(self) -> int:
        """The most items of an outfit."""
        return max(map(len, chain(self.outfits, self.candidates, self.labelled)), default=0)

    def split(self, catalog: Catalog, width: int) -> Split:
        """The same as data, all of it of user 0, in outfits of so many slots."""

        def outfits(rows: Sequence[Sequence[int]]) -> Outfits:
            sizes = np.fromiter(map(len, rows), np.int64, len(rows))
            flat = np.fromiter(chain.from_iterable(rows), np.int64, int(sizes.sum()))
            return catalog.outfits(torch.from_numpy(padded(flat, sizes))).padded(width)

        def users(count: int) -> torch.Tensor:
            return torch.zeros(count, dtype=torch.long)

        questions, compatibility = None, None
        if self.candidates:
            asked = users(len(self.candidates) // self.count)
            questions = Questions(asked, outfits(self.candidates), self.count)
        if self.labelled:
            compatibility = Labelled(outfits(self.labelled), torch.tensor(self.labels))
        return Split(Rows(users(len(self.outfits)), outfits(self.outfits)), {}, questions, compatibility)


class SetReader:
    """Reads outfits, questions and labels from the files of a release, and numbers items as they come.

    Args:
        files: The files, which keep what is wrong with them.

    Attributes:
        items: The items of all outfits, by name, in the order of their numbers.
        notes: What is odd and no mistake: ``items_again``, how many items were named again in their outfit, and
            ``answers_again``, of how many questions the right answer is among the wrong ones too, from another outfit.
    """

    def __init__(self, files: ReleaseFiles) -> None:
        self.items: dict[str, Item] = {}
        self.notes: dict[str, int] = {}
        self._files = files
        self._homes: dict[str, str] = {}

    def sets(self, file: str, naming: Naming) -> Sets:
        """The outfits of a file: a list of objects with ``set_id`` and ``items``, which have an ``index``.

        An item that an outfit names twice is in it once, where it is named first.
        """
        sets = Sets()
        for place, entry in enumerate(self._files.entries(file)):
            fields = entry if isinstance(entry, dict) else {}
            set_id, items, where = fields.get("set_id"), fields.get("items"), f"[{place}]"
            if not isinstance(set_id, str) or not PLAIN.fullmatch(set_id) or not isinstance(items, list):
                self._files.note(file, "sets", f"{where}: expected a set_id of letters and digits, and a list of items")
                continue
            home = self._homes.setdefault(set_id, f"{file}{where}")
            if home != f"{file}{where}":
                self._files.note(file, "again", f"{where}: set_id {set_id!r} is that of {home} already")
            outfit = []
            for k, item in enumerate(items):
                try:
                    outfit.append(self._item(item, set_id, f"{file}{where}.items[{k}]", naming, sets))
                except ValueError as error:
                    self._files.note(file, "items", f"{where}.items[{k}]: {error}")
            distinct = list(dict.fromkeys(outfit))
            again = len(outfit) - len(distinct)
            self._odd("items_again", again)
            if len(items) - again < 2:
                self._files.note(file, "few", f"{where}: an outfit of fewer than 2 items (set_id {set_id!r})")
            sets.outfits.append(distinct)
        return sets

    def questions(self, file: str, sets: Sets, *, first: bool) -> None:
        """Add the fill-in-the-blank questions of a file to a split.

        Args:
            file: A list of objects with ``question`` and ``answers``, both lists of references, and ``blank_position``,
                the place of the answer in the outfit, counted from 1.
            sets: The outfits of the same split.
            first: Whether the first answer is the right one, which is of the outfit of the question; else the right one
                is the only one that is.
        """
        for place, entry in enumerate(self._files.entries(file) if sets.numbers else ()):
            try:
                made = _candidates(entry if isinstance(entry, dict) else {}, sets, first)
                sets.count = sets.count or len(made)
                if len(made) != sets.count:
                    raise ValueError(f"{len(made)} answers, and {sets.count} to the first question")
                sets.candidates += made
                self._odd("answers_again", made[0] in made[1:])
            except ValueError as error:
                self._files.note(file, "questions", f"[{place}]: {error}")

    def labelled(self, file: str, sets: Sets) -> None:
        """Add the labelled outfits of a file to a split: a line each, of 1 (compatible) or 0, and references."""
        for line, text in enumerate(self._files.lines(file) if sets.numbers else (), 1):
            try:
                label, *references = text.split() or [""]
                if label not in ("0", "1"):
                    raise ValueError(f"begins with {label!r}, expected 1 (compatible) or 0")
                if len(references) < 2:
                    raise ValueError("an outfit of fewer than 2 items")
                # Each item once, where it is named first, as in the outfits of the splits.
                sets.labelled.append(list(dict.fromkeys(sets.named(references))))
                sets.labels.append(label == "1")
            except ValueError as error:
                self._files.note(file, "labelled", str(error), f":{line}")
        if len(set(sets.labels)) == 1:
            self._files.note(
                file, "labels", f"all outfits are labelled {int(sets.labels[0])}, expected some 1 and some 0"
            )

    def _odd(self, what: str, count: int) -> None:
        if count:
            self.notes[what] = self.notes.get(what, 0) + count

    def _item(self, item: Any, set_id: str, where: str, naming: Naming, sets: Sets) -> int:
        """Number of an item of an outfit."""
        fields = item if isinstance(item, dict) else {}
        index = fields.get("index")
        if type(index) is not int or index < 0:
            raise ValueError(f"index is {index!r}, expected a whole number of 0 or more")
        reference = f"{set_id}_{index}"
        again = reference in sets.numbers
        # What names a wrong item is not wrong itself: it is known from here on.
        sets.numbers[reference] = -1
        if again:
            raise ValueError(f"index {index} is that of another item of the outfit already (set_id {set_id!r})")
        name = naming(fields)
        found = self.items.get(name)
        if found is None:
            found = self.items[name] = Item(len(self.items), set_id, index, where)
        sets.numbers[reference] = found.number
        return found.number


def splits_of(sets: Mapping[str, Sets], catalog: Catalog) -> dict[str, Split]:
    """Splits as data, the outfits of all of them with as many slots."""
    width = max(one.width for one in sets.values())
    return {name: one.split(catalog, width) for name, one in sets.items()}


def _candidates(asked: Mapping[str, Any], sets: Sets, first: bool) -> list[list[int]]:
    """The candidates of a question, the right one first.

    Raises:
        ValueError: Something is wrong with it.
    """
    question, answers = _references(asked, "question", 1), _references(asked, "answers", 2)
    blank = asked.get("blank_position")
    numbers, options = sets.named(question), sets.named(answers)
    if type(blank) is not int or not 1 <= blank <= len(numbers) + 1:
        raise ValueError(f"blank_position is {blank!r}, expected 1 to {len(numbers) + 1}")
    homes = {_home(one) for one in question}
    if len(homes) > 1:
        raise ValueError(f"the items of the question are of several outfits: {', '.join(sorted(homes))}")
    right = [k for k, one in enumerate(answers) if _home(one) in homes]
    if not right or (first and right[0] != 0):
        raise ValueError(f"no right answer: {'the first' if first else 'none'} is of the outfit {homes.pop()}")
    if not first and len(right) > 1:
        raise ValueError(
            f"{len(right)} right answers: expected one of the outfit {homes.pop()}, and the rest of others"
        )
    ordered = [options.pop(right[0]), *options]
    # An answer that the question has already stays: candidates differ in one slot, and in nothing else.
    return [[*numbers[: blank - 1], option, *numbers[blank - 1 :]] for option in ordered]


def _references(asked: Mapping[str, Any], key: str, fewest: int) -> list[str]:
    found = asked.get(key)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{key!r} is not a list of items (<set_id>_<index>)")
    if len(found) < fewest:
        raise ValueError(f"{key!r} has {len(found)} of the {fewest} items or more that it needs")
    return found


def _home(reference: str) -> str:
    """The outfit that a reference names."""
    return reference.rpartition("_")[0]
