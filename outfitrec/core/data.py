"""What a dataset gives: a catalogue of items, users, and splits of the outfits that they posted."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import attrs
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from outfitrec.core.outfits import Outfits

# The parts of a dataset, in the order in which they are used.
SPLITS = ("train", "valid", "test")


@runtime_checkable
class Photos(Protocol):
    """Where a catalogue's photos come from. Reading must be safe from several threads."""

    def read(self, item: int) -> bytes:
        """The encoded photo (JPEG, PNG, …) of an item.

        Raises:
            OSError: It is missing or cannot be read.
        """
        ...

    def where(self, item: int) -> str:
        """Where the photo of an item is, for messages: a path, or an address inside a file."""
        ...

    def stamp(self, item: int) -> str:
        """A string that changes when the photo changes, cheap to get (size and time of a file)."""
        ...


@runtime_checkable
class Truth(Protocol):
    """Ground truth of a generated dataset."""

    def liked(self, users: Int[Tensor, " row"], outfits: Outfits) -> Bool[Tensor, " row"]:
        """Whether each user likes each outfit, observed or not."""
        ...


@attrs.frozen(eq=False)
class Catalog:
    """The items.

    Attributes:
        names: Name of each item, unique; what messages and files call it.
        category: Category index of each item, ``[item]``.
        categories: Name of each category.
        photos: Where the photos are; None for a catalogue known by features alone.
        features: Given feature vectors, ``[item, f]``, or None.
    """

    names: Sequence[str]
    category: Int[Tensor, " item"]
    categories: tuple[str, ...]
    photos: Photos | None = None
    features: Float[Tensor, "item f"] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def outfits(self, items: Int[Tensor, "outfit slot"]) -> Outfits:
        """`Outfits` of these items (-1: empty slot), with the catalogue's categories."""
        return Outfits(items, torch.where(items >= 0, self.category[items.clamp(min=0)], -1))


@attrs.frozen(eq=False)
class Rows:
    """Users with outfits, row by row.

    Attributes:
        users: User of each row, ``[row]``.
        outfits: Outfit of each row.
    """

    users: Int[Tensor, " row"]
    outfits: Outfits

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, index: Tensor | slice) -> "Rows":
        return Rows(self.users[index], self.outfits[index])


@attrs.frozen(eq=False)
class Questions:
    """Fill-in-the-blank questions: candidates that differ in one slot, the first of which is right.

    Attributes:
        users: User of each question, ``[question]``.
        outfits: Candidates of all questions, question by question: ``question * candidates`` outfits.
        candidates: Number of candidates of a question.
    """

    users: Int[Tensor, " question"]
    outfits: Outfits
    candidates: int


@attrs.frozen(eq=False)
class Labelled:
    """Outfits whose compatibility is known: somebody said which go together. They are no user's.

    Attributes:
        outfits: The outfits.
        label: Whether each is compatible, ``[outfit]``.
    """

    outfits: Outfits
    label: Bool[Tensor, " outfit"]


@attrs.frozen(eq=False)
class Split:
    """One part (train, valid or test) of a dataset.

    Attributes:
        positives: The users' outfits, ``[pair]``.
        negatives: Stored negatives by name (``random``, ``hard``): as many rows for each positive, in the order of the
            positives: rows ``k * ratio`` to ``(k + 1) * ratio`` belong to positive ``k``.
        questions: Fill-in-the-blank questions, where the dataset has them.
        compatibility: Outfits that are labelled compatible or not, where the dataset has them; evaluated for data with
            one user alone.
    """

    positives: Rows
    negatives: Mapping[str, Rows] = attrs.field(factory=dict)
    questions: Questions | None = None
    compatibility: Labelled | None = None

    def __len__(self) -> int:
        return len(self.positives)

    def take(self, index: Int[Tensor, " pair"]) -> "Split":
        """The split of these positives alone; stored negatives follow their positive.

        Questions and labelled outfits stay behind.
        """
        negatives = {}
        for name, rows in self.negatives.items():
            ratio = len(rows) // max(len(self.positives), 1)
            negatives[name] = rows[(index[:, None] * ratio + torch.arange(ratio)).flatten()]
        return Split(self.positives[index], negatives)


@attrs.frozen(eq=False)
class Dataset:
    """Everything a run needs to know of the data. All tensors are on the CPU.

    Attributes:
        catalog: The items.
        users: Number of users; a user is an index below it.
        splits: ``train``, ``valid`` and ``test``.
        digest: Hash of the content of everything but the photos (hexadecimal).
        truth: Ground truth, where the dataset is generated.
        notes: Facts that a result should carry, such as the shares that a split reached.
        user_names: Name of each user, where they have any: what messages call them, and what serving takes as well.
    """

    catalog: Catalog
    users: int
    splits: Mapping[str, Split]
    digest: str
    truth: Truth | None = None
    notes: Mapping[str, object] = attrs.field(factory=dict)
    user_names: Sequence[str] = ()
