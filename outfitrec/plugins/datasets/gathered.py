"""From the users and outfits of a release to a catalogue of the items in use, and rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.files import digest
from outfitrec.core.items import tensor_digest
from outfitrec.plugins.datasets.checks import Complaints
from outfitrec.plugins.datasets.photos import FolderPhotos

Numbers = NDArray[np.integer]


@attrs.frozen(eq=False)
class Items:
    """All items that a release names.

    Attributes:
        names: Name of each.
        category: Index of its category, ``[item]``.
        categories: Name of each category, in the order that outfits are laid out in.
        photos: Path of the photo of each within ``folder``, or the path at which one was expected.
        missing: Whether there is none, ``[item]``.
        folder: Where the photos are.
    """

    names: Sequence[str]
    category: Numbers
    categories: Sequence[str]
    photos: Sequence[str]
    missing: NDArray[np.bool_]
    folder: Path


def padded(flat: Numbers, sizes: Numbers) -> Numbers:
    """Rows ``[row, slot]`` of these sizes from their numbers one after another; -1 in what is left of a row."""
    table = np.full((len(sizes), sizes.max(initial=1)), -1, flat.dtype)
    table[np.arange(table.shape[1]) < sizes[:, None]] = flat
    return table


def identities(items: Numbers) -> Numbers:
    """A number for each row of items ``[row, slot]``, the same for rows of the same items in any order."""
    return np.unique(np.sort(items, axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def without_photo(items: Numbers, known: Items) -> NDArray[np.bool_]:
    """Whether an item of each row ``[row, slot]`` has no photo."""
    found: NDArray[np.bool_] = ((items >= 0) & np.append(known.missing, False)[items]).any(axis=1)
    return found


def need_photos(items: Numbers, known: Items, complaints: Complaints) -> None:
    """Complain of the items in these rows ``[row, slot]`` that have no photo."""
    used = np.unique(items[items >= 0])
    for item in used[known.missing[used]].tolist():
        complaints.note(
            known.folder,
            "photos",
            f"the item {known.names[item]} has no photo",
            str(known.folder / known.photos[item]),
            "put a photo in each place, or leave out the outfits of such items with missing_photos: leave_out",
        )


def gather(users: Numbers, outfits: Numbers, items: Numbers, known: Items) -> tuple[Catalog, Rows]:
    """Number users, items and categories anew, without those that no row has.

    An outfit's items stand in the order of their categories, so that a slot of a random mix is drawn from similar
    categories; items of one category stay in the order of the release.

    Args:
        users: User of each row, any number, ``[row]``.
        outfits: Outfit of each row, an index into ``items``, ``[row]``.
        items: Index of each item into ``known``, ``[outfit, slot]``; -1 where a slot is empty.
        known: The items.

    Returns:
        The catalogue, and the rows.
    """
    # By outfit first: many users have the same ones.
    chosen, outfit = np.unique(outfits, return_inverse=True)
    items = items[chosen]
    used = np.unique(items[items >= 0])
    kinds, category = np.unique(known.category[used], return_inverse=True)
    at = np.where(items >= 0, np.searchsorted(used, items), -1)
    rank = np.where(at >= 0, category[at], len(kinds))
    at = np.take_along_axis(at, rank.argsort(axis=1, kind="stable"), axis=1)
    catalog = Catalog(
        [known.names[item] for item in used.tolist()],
        torch.from_numpy(category.astype(np.int64)),
        tuple(known.categories[kind] for kind in kinds.tolist()),
        FolderPhotos(known.folder, [known.photos[item] for item in used.tolist()]),
    )
    _, user = np.unique(users, return_inverse=True)
    return catalog, Rows(torch.from_numpy(user), catalog.outfits(torch.from_numpy(at))[torch.from_numpy(outfit)])


def content(catalog: Catalog, splits: Mapping[str, Split]) -> str:
    """Hash of a catalogue and the positives of its splits."""
    return digest(
        {
            "items": list(catalog.names),
            "categories": list(catalog.categories),
            "category": tensor_digest(catalog.category),
            "splits": {
                name: [tensor_digest(part) for part in (split.positives.users, split.positives.outfits.items)]
                for name, split in splits.items()
            },
        }
    )
