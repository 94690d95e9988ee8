"""Datasets."""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Generator, Tensor

from outfitrec.core.data import SPLITS, Dataset, Photos, Rows, Split
from outfitrec.core.files import digest
from outfitrec.core.outfits import Outfits
from outfitrec.core.photos import BadPhotoError, decode, quiet
from outfitrec.testing.contract import NotApplicableError, check, require
from outfitrec.testing.nested import same, tensors
from outfitrec.testing.subject import Subject
from outfitrec.testing.variants import variants

PIXELS = 32
PHOTOS = 4
THREADS = 4


def inputs(subject: Subject) -> Mapping[str, Any]:
    """Nothing: a dataset is loaded."""
    return {}


def call(subject: Subject, component: Any, inputs: Mapping[str, Any], generator: Generator) -> Any:
    """All that it loads but the photos; words as the numbers of a digest."""
    loaded = _whole(component.load())
    return [_content(loaded), torch.tensor(list(str(loaded.digest).encode()))]


def _content(loaded: Dataset) -> list[Any]:
    """What its digest is of, as tensors."""
    catalog = loaded.catalog
    words = digest([list(catalog.names), list(catalog.categories), loaded.users, sorted(loaded.splits)])
    features = () if catalog.features is None else (catalog.features,)
    splits = [loaded.splits[name] for name in sorted(loaded.splits)]
    return [torch.tensor(list(words.encode())), catalog.category, *features, *splits]


@lru_cache(maxsize=1)
def _loaded(subject: Subject) -> Dataset:
    """What it loads, once for all checks that only look at it."""
    return _whole(subject.build().load())


def _whole(loaded: Any) -> Dataset:
    require(
        isinstance(loaded, Dataset),
        f"load() gives {type(loaded).__name__}, and not a Dataset",
        "return outfitrec.Dataset(catalog, users, splits, digest)",
    )
    wrong = [name for name, split in loaded.splits.items() if not isinstance(split, Split)]
    require(not wrong, f"its splits {', '.join(wrong)} are no Split", "make them as Split(Rows(users, outfits))")
    return cast(Dataset, loaded)


def _rows(loaded: Dataset) -> Iterator[tuple[str, Rows]]:
    """All users with outfits, with where they are."""
    for name, split in loaded.splits.items():
        yield name, split.positives
        for stored, rows in split.negatives.items():
            yield f"{name}, {stored} negatives", rows


def _outfits(loaded: Dataset) -> Iterator[tuple[str, Outfits]]:
    """All outfits, with where they are."""
    for where, rows in _rows(loaded):
        yield where, rows.outfits
    for name, split in loaded.splits.items():
        if split.questions is not None:
            yield f"{name}, questions", split.questions.outfits
        if split.compatibility is not None:
            yield f"{name}, labelled outfits", split.compatibility.outfits


@check("dataset")
def has_three_splits(subject: Subject) -> None:
    """There are outfits in train, valid and test."""
    loaded = _loaded(subject)
    bare = [name for name in SPLITS if not len(loaded.splits.get(name, ()))]
    require(
        not bare,
        f"there are no outfits in {', '.join(bare)}; it has {', '.join(loaded.splits) or 'no split at all'}",
        "splits are called train, valid and test; where a source has fewer, divide its training outfits by a seed",
    )


@check("dataset")
def has_a_catalogue_of_distinct_items(subject: Subject) -> None:
    """Each item has a name of its own, one of the categories, and features of the same length where there are any."""
    catalog = _loaded(subject).catalog
    names: list[Any] = list(catalog.names)
    count = len(catalog)
    twice = [name for name, times in Counter(names).items() if times > 1]
    require(
        not twice and all(isinstance(one, str) and one for one in names),
        f"{len(twice)} of {count} names are there more than once ({', '.join(map(repr, twice[:5]))}), "
        f"and {names.count('')} are empty",
        "names are what messages and files call items: give each its own, such as its path or number",
    )
    require(
        len(set(catalog.categories)) == len(catalog.categories),
        f"categories have the same name: {', '.join(catalog.categories)}",
        "join categories that are the same",
    )
    category = catalog.category
    require(
        category.shape == (count,)
        and category.dtype == torch.long
        and not ((category < 0) | (category >= len(catalog.categories))).any(),
        f"the categories of {count} items are {tuple(category.shape)} of {category.dtype}, from "
        f"{int(category.min()) if len(category) else 0} to {int(category.max()) if len(category) else 0}, "
        f"and there are {len(catalog.categories)}",
        "give each item the index of its category, as int64",
    )
    features = catalog.features
    require(
        features is None or (features.ndim == 2 and len(features) == count and torch.isfinite(features).all()),
        f"its features are {None if features is None else tuple(features.shape)} for {count} items, or not finite",
        "give a row of finite numbers for each item",
    )
    strange = {one.device.type for one in tensors(_content(_loaded(subject)))} - {"cpu"}
    require(not strange, f"some of its tensors are on {', '.join(sorted(strange))}", "load all of it to the CPU")


@check("dataset")
def gives_outfits_of_its_catalogue(subject: Subject) -> None:
    """All outfits, stored negatives and questions are of items of the catalogue, with the catalogue's categories."""
    loaded = _loaded(subject)
    count, slots = len(loaded.catalog), loaded.splits["train"].positives.outfits.width
    for where, outfits in _outfits(loaded):
        items = outfits.items
        require(
            items.ndim == 2 and items.shape == outfits.category.shape and items.dtype == torch.long,
            f"{where}: items are {tuple(items.shape)} of {items.dtype}, categories {tuple(outfits.category.shape)}",
            "give int64 tensors [outfit, slot], -1 where a slot is empty: catalog.outfits(items) does",
        )
        require(
            outfits.width <= slots,
            f"{where}: outfits have {outfits.width} slots, those of train {slots}: models are made for these",
            "make all of them as wide as the widest: Outfits.padded",
        )
        outside = (items < -1) | (items >= count)
        require(
            not outside.any(),
            f"{where}: {int(outside.sum())} slots hold items beyond the {count}, such as {items[outside][:3].tolist()}",
            "an item is its index in the catalogue, -1 none",
        )
        wrong = int((loaded.catalog.outfits(items).category != outfits.category).sum())
        require(
            not wrong, f"{where}: {wrong} slots have another category than their item", "use catalog.outfits(items)"
        )


@check("dataset")
def knows_its_users(subject: Subject) -> None:
    """Each row is of one of the users, and each user has training outfits."""
    loaded = _loaded(subject)
    hint = "users are numbered from 0: leave out those without training outfits, and number the rest anew"
    for where, rows in _rows(loaded):
        users = rows.users
        require(
            users.shape == (len(rows.outfits),) and users.dtype == torch.long,
            f"{where}: users are {tuple(users.shape)} of {users.dtype} for {len(rows.outfits)} outfits",
            "give the user of each row, as int64",
        )
        strange = users[(users < 0) | (users >= loaded.users)]
        require(not len(strange), f"{where}: users {strange[:5].tolist()} of {loaded.users}", hint)
    for name, split in loaded.splits.items():
        asked = split.questions
        strangers = set() if asked is None else set(asked.users.tolist()) - set(split.positives.users.tolist())
        require(
            not strangers,
            f"{name}: questions of {len(strangers)} users who have no outfits there, such as {sorted(strangers)[:5]}",
            "ask users with outfits in the split, or leave those questions out",
        )
    lacking = loaded.users - len(loaded.splits["train"].positives.users.unique())
    require(not lacking, f"{lacking} of {loaded.users} users have no training outfit", hint)


@check("dataset")
def has_no_outfit_without_items_or_with_one_twice(subject: Subject) -> None:
    """Each outfit has an item or more; those that users posted have none of them twice."""
    loaded = _loaded(subject)
    for where, outfits in _outfits(loaded):
        bare = int((~outfits.mask.any(dim=1)).sum())
        require(not bare, f"{where}: {bare} of {len(outfits)} outfits have no item", "leave them out when loading")
    for name, split in loaded.splits.items():
        keys = split.positives.outfits.keys()
        twice = int(((keys[:, 1:] == keys[:, :-1]) & (keys[:, 1:] >= 0)).any(dim=1).sum())
        require(not twice, f"{name}: {twice} of {len(keys)} outfits have an item twice", "keep one of them")


@check("dataset")
def keeps_splits_apart(subject: Subject) -> None:
    """No outfit of a user is in two splits, unless it says so (``overlapping = True``)."""
    if getattr(subject.component, "overlapping", False):
        raise NotApplicableError("it says that its splits overlap (overlapping = True)")
    loaded = _loaded(subject)
    known: dict[tuple[int, ...], str] = {}
    shared: Counter[tuple[str, str]] = Counter()
    for name, split in loaded.splits.items():
        rows = torch.cat([split.positives.users[:, None], split.positives.outfits.keys()], dim=1)
        # Splits of different widths: an outfit is its items.
        for row in {(user, *(item for item in items if item >= 0)) for user, *items in rows.tolist()}:
            first = known.setdefault(row, name)
            shared[first, name] += first != name
    both = [f"{count} in {one} and {other}" for (one, other), count in shared.items() if count]
    require(
        not both,
        f"outfits of the same user are in two splits: {', '.join(both)}",
        "leave them out of the later split, or declare overlapping = True where the source has them in both",
    )


@check("dataset")
def groups_stored_negatives_by_positive(subject: Subject) -> None:
    """Stored negatives are as many for each positive, in the order of the positives, and of the same user."""
    loaded, seen = _loaded(subject), False
    for name, split in loaded.splits.items():
        owner = split.positives.users
        for stored, rows in split.negatives.items():
            seen = True
            ratio, rest = divmod(len(rows), len(owner))
            require(
                ratio and not rest,
                f"{name}: {len(rows)} {stored} negatives of {len(owner)} positives",
                "store as many for each positive",
            )
            wrong = int((rows.users != owner.repeat_interleave(ratio)).sum())
            require(
                not wrong,
                f"{name}: {wrong} of {len(rows)} {stored} negatives are of another user than their positive",
                f"rows k * {ratio} to (k + 1) * {ratio} belong to positive k",
            )
    if not seen:
        raise NotApplicableError("it stores no negatives")


@check("dataset")
def asks_questions_whose_first_answer_is_right(subject: Subject) -> None:
    """A question's candidates differ in one slot, and the first one is of an outfit that the user posted there."""
    loaded, seen = _loaded(subject), False
    for name, split in loaded.splits.items():
        asked = split.questions
        if asked is None:
            continue
        seen = True
        count = len(asked.users)
        require(
            asked.candidates > 1 and len(asked.outfits) == count * asked.candidates,
            f"{name}: {count} questions of {asked.candidates} candidates have {len(asked.outfits)} outfits",
            "give all candidates of the first question, then all of the second",
        )
        items = asked.outfits.items.view(count, asked.candidates, -1)
        slots = (items != items[:, :1]).any(dim=1).sum(dim=1)
        hint = "candidates of a question have the same items but for one slot, in which each differs from the first"
        wrong = slots != 1
        require(
            not wrong.any(),
            f"{name}: in {int(wrong.sum())} of {count} questions the candidates differ in {slots[wrong][:5].tolist()} "
            "slots, expected 1",
            hint,
        )
        again = int((items[:, 1:] == items[:, :1]).all(dim=2).any(dim=1).sum())
        require(not again, f"{name}: in {again} of {count} questions the right answer is among the wrong ones", hint)
        strange = sum(not one for one in _posted(split.positives, asked.users, items[:, 0]))
        require(
            not strange,
            f"{name}: the first candidate of {strange} of {count} questions is of no outfit that the user posted there",
            "the first candidate is the right answer: the outfit as it was posted, or some of its items",
        )
    if not seen:
        raise NotApplicableError("it asks no questions")


def _posted(positives: Rows, users: Tensor, items: Tensor) -> Iterator[bool]:
    """Whether each row of items is in one outfit of its user."""
    places: dict[tuple[int, int], set[int]] = {}
    for number, (user, outfit) in enumerate(
        zip(positives.users.tolist(), positives.outfits.items.tolist(), strict=True)
    ):
        for item in outfit:
            places.setdefault((user, item), set()).add(number)
    for user, row in zip(users.tolist(), items.tolist(), strict=True):
        yield bool(set.intersection(*(places.get((user, item), set()) for item in row if item >= 0)))


@check("dataset")
def labels_outfits_of_both_kinds(subject: Subject) -> None:
    """Where outfits are labelled, each has its label, and some are compatible and some are not."""
    found = {name: one.compatibility for name, one in _loaded(subject).splits.items() if one.compatibility is not None}
    if not found:
        raise NotApplicableError("it has no labelled outfits")
    for name, one in found.items():
        require(
            one.label.shape == (len(one.outfits),) and one.label.dtype == torch.bool and len(one.label.unique()) == 2,
            f"{name}: {len(one.outfits)} outfits have {int(one.label.sum())} compatible ones among "
            f"{one.label.numel()} labels of {one.label.dtype}",
            "give a truth value for each outfit; without both kinds there is nothing to rank",
        )


@check("dataset")
def has_a_digest_of_its_content(subject: Subject) -> None:
    """The digest is hexadecimal, and another one wherever a field changes what is loaded (all but the photos)."""
    loaded = _loaded(subject)
    word: Any = loaded.digest
    hint = "hash all that is loaded but the photos, or the content of the files and the fields that it is made by"
    require(
        isinstance(word, str) and len(word) >= 8 and not set(word) - set("0123456789abcdef"),
        f"its digest is {word!r}",
        f"give 8 hexadecimal digits or more: {hint}",
    )
    before = _content(loaded)
    for name, value, config in variants(subject):
        try:
            other = subject.make(config).load()
        # Other data need not be possible: there may be no file of it, or too few items.
        except Exception:  # noqa: S112  # it is anybody's
            continue
        require(
            other.digest != word or same(before, _content(other)),
            f"with {name}={value} it loads something else under the same digest",
            hint,
        )


@check("dataset")
def shows_its_photos(subject: Subject) -> None:
    """Photos of outfits can be read, from several threads as well, and messages can say where they are."""
    loaded = _loaded(subject)
    photos = loaded.catalog.photos
    if photos is None:
        raise NotApplicableError("it has no photos")
    used = loaded.splits["train"].positives.outfits.distinct()[0].tolist()
    items = sorted({used[place * (len(used) - 1) // (PHOTOS - 1)] for place in range(PHOTOS)})
    found = [_photo(photos, item) for item in items]
    with ThreadPoolExecutor(THREADS) as pool:
        again = list(pool.map(photos.read, items * THREADS))
    require(
        again == found * THREADS,
        f"read from {THREADS} threads, photos are others than read one after the other",
        "share nothing between two reads: no file position, no buffer",
    )


def _photo(photos: Photos, item: int) -> bytes:
    where: Any = photos.where(item)
    stamp: Any = photos.stamp(item)
    require(
        isinstance(where, str) and where and isinstance(stamp, str) and stamp and stamp == photos.stamp(item),
        f"item {item}: where() says {where!r}, stamp() {stamp!r} and then {photos.stamp(item)!r}",
        "where() is a path or address for messages; stamp() a string that changes when the photo does, and only then",
    )
    try:
        content = photos.read(item)
        with quiet():
            decode(content, PIXELS)
    except (OSError, BadPhotoError) as error:
        text = f"cannot be read: {error}" if isinstance(error, OSError) else str(error)
        require(
            condition=False,
            message=f"the photo of item {item} ({where}) {text}",
            hint="read() gives the bytes of a JPEG, PNG, WebP, BMP, GIF or TIFF",
        )
    return content


@check("dataset")
def outlines_its_own_categories(subject: Subject) -> None:
    """Where it has an outline, that names the categories of the catalogue, in their order."""
    outline = getattr(subject.component, "outline", None)
    if outline is None:
        raise NotApplicableError("it has no outline")
    told, catalog = outline(subject.config), _loaded(subject).catalog
    require(
        tuple(told) == tuple(catalog.categories) and all(isinstance(one, int) and one > 0 for one in told.values()),
        f"its outline is {dict(told)}, and the categories are {', '.join(catalog.categories)}",
        "give the most items of each category in an outfit, by the category's name and in the catalogue's order",
    )
