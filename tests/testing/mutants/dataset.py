"""Broken datasets: each has the kit's own small world, less something."""

from typing import Any

import attrs
import numpy as np
import torch

from mutants import broken
from outfitrec import Dataset, Outfits, Questions, Rows, component, field
from outfitrec.core.data import Labelled
from outfitrec.core.files import digest
from outfitrec.testing import WORLD

TEST = WORLD.dataset.splits["test"]
TRAIN = WORLD.dataset.splits["train"]


def world(**splits: Any) -> Dataset:
    """The world's data, with other splits of these names."""
    return attrs.evolve(WORLD.dataset, splits={**WORLD.dataset.splits, **splits})


@component
class Sound:
    """Keeps to all of it."""

    seed: int = field(default=0, minimum=0, help="seed of the order of the training outfits")

    def load(self) -> Dataset:
        order = torch.randperm(len(TRAIN), generator=torch.Generator().manual_seed(self.seed))
        labelled = Labelled(TEST.positives.outfits[:8], torch.arange(8) < 4)
        made = world(train=TRAIN.take(order), test=attrs.evolve(TEST, compatibility=labelled))
        return attrs.evolve(made, digest=digest(["sound", self.seed]))


@broken("dataset", "has_three_splits")
@component
class Unvalidated:
    """Nothing to validate with."""

    def load(self) -> Dataset:
        return attrs.evolve(WORLD.dataset, splits={"train": TRAIN, "test": TEST})


@broken("dataset", "has_a_catalogue_of_distinct_items")
@component
class Nameless:
    """All items have the same name."""

    def load(self) -> Dataset:
        catalog = attrs.evolve(WORLD.catalog, names=["item"] * len(WORLD.catalog))
        return attrs.evolve(WORLD.dataset, catalog=catalog)


@broken("dataset", "has_a_catalogue_of_distinct_items")
@component
class Uncategorised:
    """A category that has no name."""

    def load(self) -> Dataset:
        catalog = attrs.evolve(WORLD.catalog, categories=("top", "bottom"))
        return attrs.evolve(WORLD.dataset, catalog=catalog)


@broken("dataset", "gives_outfits_of_its_catalogue")
@component
class OffByOne:
    """Items numbered from 1."""

    def load(self) -> Dataset:
        old = TEST.positives
        items = torch.where(old.outfits.mask, old.outfits.items + 1, -1)
        shifted = Outfits(items, old.outfits.category)
        return world(test=attrs.evolve(TEST, positives=Rows(old.users, shifted)))


@broken("dataset", "gives_outfits_of_its_catalogue")
@component
class Wide:
    """Test outfits of more slots than training outfits have."""

    def load(self) -> Dataset:
        wide = Rows(TEST.positives.users, TEST.positives.outfits.padded(9))
        return world(test=attrs.evolve(TEST, positives=wide))


@broken("dataset", "knows_its_users")
@component
class Uncounted:
    """One user more than there are."""

    def load(self) -> Dataset:
        return attrs.evolve(WORLD.dataset, users=WORLD.dataset.users + 1)


@broken("dataset", "knows_its_users")
@component
class FromOne:
    """Users numbered from 1 in validation."""

    def load(self) -> Dataset:
        valid = WORLD.dataset.splits["valid"]
        return world(valid=attrs.evolve(valid, positives=Rows(valid.positives.users + 1, valid.positives.outfits)))


@broken("dataset", "has_no_outfit_without_items_or_with_one_twice")
@component
class Repeated:
    """The only top stands in both slots of tops."""

    def load(self) -> Dataset:
        old = TRAIN.positives
        items = old.outfits.items.clone()
        items[:, 1] = items[:, 0]
        return world(train=attrs.evolve(TRAIN, positives=Rows(old.users, WORLD.catalog.outfits(items))))


@broken("dataset", "has_no_outfit_without_items_or_with_one_twice")
@component
class Emptied:
    """A negative without items."""

    def load(self) -> Dataset:
        old = TRAIN.negatives["random"]
        items = old.outfits.items.clone()
        items[0] = -1
        negatives = {"random": Rows(old.users, WORLD.catalog.outfits(items))}
        return world(train=attrs.evolve(TRAIN, negatives=negatives))


@broken("dataset", "keeps_splits_apart")
@component
class Leaking:
    """Tests with training outfits, their slots in another order."""

    def load(self) -> Dataset:
        old = TRAIN.positives
        turned = Rows(old.users, WORLD.catalog.outfits(old.outfits.items.flip(1)))
        return world(test=attrs.evolve(TEST, positives=turned, negatives={}, questions=None))


@broken("dataset", "groups_stored_negatives_by_positive")
@component
class Short:
    """The last negative is lost."""

    def load(self) -> Dataset:
        return world(test=attrs.evolve(TEST, negatives={"random": TEST.negatives["random"][:-1]}))


@broken("dataset", "groups_stored_negatives_by_positive")
@component
class Interleaved:
    """The first negative of each positive, then the second of each."""

    def load(self) -> Dataset:
        order = torch.arange(len(TEST) * 3).view(-1, 3).T.flatten()
        return world(test=attrs.evolve(TEST, negatives={"random": TEST.negatives["random"][order]}))


def asked(items: Any) -> Dataset:
    """The world's data with questions of these candidates, ``[question, candidate, slot]``."""
    questions = Questions(TEST.positives.users, WORLD.catalog.outfits(items.flatten(0, 1)), items.shape[1])
    return world(test=attrs.evolve(TEST, questions=questions))


def candidates() -> Any:
    """The candidates of the world's questions."""
    questions = TEST.questions
    assert questions is not None
    return questions.outfits.items.view(-1, questions.candidates, questions.outfits.width).clone()


@broken("dataset", "asks_questions_whose_first_answer_is_right")
@component
class RightLast:
    """The right answer comes last."""

    def load(self) -> Dataset:
        return asked(candidates()[:, :2].flip(1))


@broken("dataset", "asks_questions_whose_first_answer_is_right")
@component
class Unlike:
    """Candidates that differ in the bottoms as well."""

    def load(self) -> Dataset:
        items = candidates()
        items[:, 1:, 2] = 24 + (items[:, 1:, 2] + 1) % 24
        return asked(items)


@broken("dataset", "asks_questions_whose_first_answer_is_right")
@component
class RightTwice:
    """The right answer is there twice."""

    def load(self) -> Dataset:
        items = candidates()
        items[:, 2] = items[:, 0]
        return asked(items)


@broken("dataset", "labels_outfits_of_both_kinds")
@component
class Agreeable:
    """Everything goes with everything."""

    def load(self) -> Dataset:
        outfits = TEST.positives.outfits
        labelled = Labelled(outfits, torch.ones(len(outfits), dtype=torch.bool))
        return world(test=attrs.evolve(TEST, compatibility=labelled))


@broken("dataset", "has_a_digest_of_its_content")
@component
class Unsigned:
    """The digest is that of another seed as well."""

    seed: int = field(default=0, minimum=0, help="seed of the order of the training outfits")

    def load(self) -> Dataset:
        order = torch.randperm(len(TRAIN), generator=torch.Generator().manual_seed(self.seed))
        return world(train=TRAIN.take(order))


@broken("dataset", "has_a_digest_of_its_content")
@component
class Unhashed:
    """A word in place of a digest."""

    def load(self) -> Dataset:
        return attrs.evolve(WORLD.dataset, digest="the small world")


class _Damaged:
    """Photos that are text."""

    def read(self, item: int) -> bytes:
        return b"photo"

    def where(self, item: int) -> str:
        return f"nowhere/{item}.jpg"

    def stamp(self, item: int) -> str:
        return "1"


class _Missing(_Damaged):
    """Photos that are not there."""

    def read(self, item: int) -> bytes:
        raise FileNotFoundError(2, "No such file or directory", self.where(item))


@broken("dataset", "shows_its_photos")
@component
class Damaged:
    """Its photos are none."""

    def load(self) -> Dataset:
        return attrs.evolve(WORLD.dataset, catalog=attrs.evolve(WORLD.catalog, photos=_Damaged()))


@broken("dataset", "shows_its_photos")
@component
class Missing:
    """Its photos are elsewhere."""

    def load(self) -> Dataset:
        return attrs.evolve(WORLD.dataset, catalog=attrs.evolve(WORLD.catalog, photos=_Missing()))


@broken("dataset", "outlines_its_own_categories")
@component
class Outlined:
    """Its outline is of other data."""

    @staticmethod
    def outline(config: Any) -> dict[str, int]:
        return {"shirt": 1, "trousers": 1}

    def load(self) -> Dataset:
        return WORLD.dataset


@broken("dataset", "repeats_with_its_seed")
@broken("dataset", "draws_from_its_generator_alone")
@component
class Shuffled:
    """Another order of the training outfits each time."""

    def load(self) -> Dataset:
        return world(train=TRAIN.take(torch.from_numpy(np.random.permutation(len(TRAIN)))))  # it is what is broken
