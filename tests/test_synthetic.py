"""The embedded dataset: what a user posts, what is stored, what is drawn."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import Tensor

from outfitrec.core.data import Dataset, Photos, Rows
from outfitrec.core.errors import DataError
from outfitrec.core.outfits import Outfits
from outfitrec.plugins.datasets.garments import colour
from outfitrec.plugins.datasets.garments.fabric import WEAVES
from outfitrec.plugins.datasets.garments.wardrobe import CATEGORIES, KINDS, garment, kinds, photo
from outfitrec.plugins.datasets.sheet import sheet
from outfitrec.plugins.datasets.synthetic import Synthetic
from outfitrec.plugins.datasets.tastes import Tastes, chance, harmony


def small(**fields: Any) -> Synthetic:
    """A dataset that is made at once."""
    return Synthetic(**{"users": 4, "items": 150, "train": 8, "valid": 2, "test": 3, "liked": 0.2, **fields})


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Synthetic(pixels=64).load()


@pytest.fixture(scope="module")
def photos(data: Dataset) -> Photos:
    assert data.catalog.photos is not None
    return data.catalog.photos


def tastes(data: Dataset) -> Tastes:
    assert isinstance(data.truth, Tastes)
    return data.truth


def sets(outfits: Outfits) -> list[frozenset[int]]:
    return [frozenset(item for item in row if item >= 0) for row in outfits.items.tolist()]


def check(data: Dataset, numbers: dict[str, int], negatives: int) -> None:
    """What must hold of every dataset, said with Python sets."""
    assert data.truth is not None
    seen: dict[str, set[int]] = {}
    for name, split in data.splits.items():
        positives = split.positives
        assert positives.users.bincount().tolist() == [numbers[name]] * data.users
        assert data.truth.liked(positives.users, positives.outfits).all()
        posted = list(zip(positives.users.tolist(), sets(positives.outfits), strict=True))
        assert len(set(posted)) == len(posted)
        every = {outfit for _, outfit in posted}
        seen[name] = {item for outfit in every for item in outfit}
        for rows in split.negatives.values():
            seen[name] |= {item for outfit in sets(rows.outfits) for item in outfit}
        assert set(split.negatives) == (set() if name == "train" else {"random", "hard"})
        for kind, rows in split.negatives.items():
            assert torch.equal(rows.users, positives.users.repeat_interleave(negatives))
            for user, outfit in zip(rows.users.tolist(), sets(rows.outfits), strict=True):
                assert (user, outfit) not in posted
                assert (outfit in every) == (kind == "hard")
    assert not seen["train"] & seen["valid"]
    assert not seen["train"] & seen["test"]
    assert not seen["valid"] & seen["test"]


def test_the_default_dataset_is_whole(data: Dataset) -> None:
    check(data, {"train": 60, "valid": 10, "test": 12}, 10)
    assert (data.users, len(data.catalog)) == (32, 1200)
    assert data.catalog.category.bincount().tolist() == [480, 360, 360]
    assert len(set(data.catalog.names)) == 1200


def test_outfits_are_a_top_a_bottom_and_a_shoe(data: Dataset) -> None:
    for split in data.splits.values():
        for rows in (split.positives, *split.negatives.values()):
            assert (rows.outfits.category == torch.tensor([0, 1, 2])).all()
            assert torch.equal(data.catalog.category[rows.outfits.items], rows.outfits.category)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    users=st.integers(2, 5),
    items=st.integers(150, 300),
    train=st.integers(1, 10),
    test=st.integers(1, 4),
    negatives=st.integers(1, 4),
    two_tops=st.sampled_from([0.0, 0.4, 1.0]),
    noise=st.floats(0, 5),
)
def test_every_dataset_is_whole(
    seed: int, users: int, items: int, train: int, test: int, negatives: int, two_tops: float, noise: float
) -> None:
    made = Synthetic(
        seed=seed,
        users=users,
        items=items,
        train=train,
        valid=2,
        test=test,
        negatives=negatives,
        two_tops=two_tops,
        noise=noise,
        liked=0.2,
    )
    check(made.load(), {"train": train, "valid": 2, "test": test}, negatives)


def test_a_second_top_is_an_outer_one() -> None:
    data = small(two_tops=0.3, users=20, test=12).load()
    outfits = data.splits["train"].positives.outfits
    assert outfits.width == 4
    drawn = data.splits["test"].negatives["random"].outfits.items
    assert 0.27 < (drawn[:, 1] >= 0).double().mean() < 0.33
    assert set(outfits.category[:, 1].tolist()) == {-1, 0}
    for slot, outer in ((0, False), (1, True)):
        for item in outfits.items[:, slot].unique().tolist():
            if item >= 0:
                assert KINDS[data.catalog.names[item].split("-")[0]].outer == outer


def test_a_share_of_random_outfits_is_liked(data: Dataset) -> None:
    assert data.truth is not None
    generator = torch.Generator().manual_seed(1)
    starts, sizes = (0, 480, 840), (480, 360, 360)
    items = torch.stack(
        [start + torch.randint(size, (6000,), generator=generator) for start, size in zip(starts, sizes, strict=True)],
        dim=1,
    )
    for user in range(data.users):
        liked = data.truth.liked(torch.full((6000,), user), data.catalog.outfits(items)).double().mean()
        # Four standard errors of the threshold's sample and of this one.
        assert abs(liked - 0.08) < 0.017


def test_random_negatives_hide_liked_outfits(data: Dataset) -> None:
    assert data.truth is not None
    rows = data.splits["test"].negatives["random"]
    share = data.truth.liked(rows.users, rows.outfits).double().mean()
    assert 0.04 < share < 0.14


def test_questions_differ_in_one_slot_and_the_first_is_right(data: Dataset) -> None:
    split = data.splits["test"]
    questions = split.questions
    assert questions is not None
    assert questions.candidates == 4
    assert torch.equal(questions.users, split.positives.users)
    candidates = questions.outfits.items.view(-1, 4, 3)
    assert torch.equal(candidates[:, 0], split.positives.outfits.items)
    differs = (candidates != candidates[:, :1]).any(1)
    assert (differs.sum(1) == 1).all()
    posted = set(sets(split.positives.outfits))
    for row in candidates:
        own = sets(Outfits(row, row))
        assert len(set(own)) == 4
        assert not posted & set(own[1:])
    assert data.splits["train"].questions is None


def test_the_same_seed_gives_the_same_dataset_and_another_another() -> None:
    first, same, other = (small(seed=seed).load() for seed in (3, 3, 4))

    def content(data: Dataset) -> list[Tensor]:
        rows = [one for split in data.splits.values() for one in (split.positives, *split.negatives.values())]
        return [tensor for one in rows for tensor in (one.users, one.outfits.items)]

    assert first.digest == same.digest != other.digest
    assert all(torch.equal(a, b) for a, b in zip(content(first), content(same), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(content(first), content(other), strict=True))


def test_the_digest_leaves_out_the_photos_and_nothing_else() -> None:
    plain = small().load()
    assert small(pixels=32).load().digest == plain.digest
    assert small(noise=0.21).load().digest != plain.digest


def test_truth_knows_no_order_of_items_and_no_padding(data: Dataset) -> None:
    rows = data.splits["test"].negatives["random"]
    truth = tastes(data)
    turned = rows.outfits.items.flip(1)
    wide = data.catalog.outfits(turned).padded(5)
    expected = truth.worth(rows.users, rows.outfits.items)
    torch.testing.assert_close(truth.worth(rows.users, wide.items), expected)


def test_worth_is_that_of_a_naive_computation(data: Dataset) -> None:
    truth = tastes(data)
    rows = data.splits["valid"].negatives["hard"][:40]
    items = rows.outfits.items
    noise = chance(rows.users, items, truth.seed)
    agreement = (harmony(truth.looks, items) - truth.together[0]) / truth.together[1]
    for n in range(40):
        user = int(rows.users[n])
        suits = max(sum(float(truth.match[user, style, item]) for item in items[n]) / 3 for style in range(3))
        taste = (suits - float(truth.taste[0, user])) / float(truth.taste[1, user])
        naive = taste + 0.3 * float(agreement[n]) + 0.2 * float(noise[n])
        assert float(truth.worth(rows.users[n : n + 1], items[n : n + 1])) == pytest.approx(naive)


def test_harmony_is_that_of_a_naive_computation(data: Dataset) -> None:
    looks = tastes(data).looks
    items = data.splits["valid"].positives.outfits.items[:20]
    padded = torch.nn.functional.pad(items, (1, 0), value=-1)
    for row, found in zip(items.tolist(), harmony(looks, padded).tolist(), strict=True):
        parts = []
        for one, other in ((row[0], row[1]), (row[0], row[2]), (row[1], row[2])):
            hues = [np.arctan2(looks.colour[item, 2], looks.colour[item, 1]) for item in (one, other)]
            chroma = [np.hypot(looks.colour[item, 1], looks.colour[item, 2]) for item in (one, other)]
            vivid = np.prod([value / (value + 0.04) for value in chroma])
            apart = looks.formality[one] - looks.formality[other]
            clash = looks.loudness[one] * looks.loudness[other]
            parts.append(0.7 * vivid * np.cos(2 * (hues[0] - hues[1])) - 4 * apart**2 - 1.5 * clash)
        assert found == pytest.approx(np.mean(parts), abs=1e-5)


def test_chance_is_normal_enough_and_differs_by_user_and_seed() -> None:
    generator = torch.Generator().manual_seed(0)
    items = torch.randint(1000, (20_000, 3), generator=generator)
    users = torch.zeros(len(items), dtype=torch.int64)
    drawn = chance(users, items, 0)
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1) < 0.03
    for other in (chance(users + 1, items, 0), chance(users, items, 1), chance(users, items + 1, 0)):
        assert abs(torch.corrcoef(torch.stack([drawn, other]))[0, 1]) < 0.03


def test_what_users_like_can_be_learned_from_looks(data: Dataset) -> None:
    """A logistic regression a user, on what the photos show, ranks the test outfits well; chance does not."""
    looks = tastes(data).looks
    rng = np.random.default_rng(0)
    near = looks.colour[rng.choice(len(looks.colour), 40, replace=False)]
    colours = np.exp(-((looks.colour[:, None] - near) ** 2).sum(-1) / 0.03)
    weaves = np.eye(len(WEAVES))[looks.weave] * np.maximum(looks.loudness, 0.15)[:, None]
    formality = looks.formality[:, None]
    seen = np.concatenate([colours, weaves, formality, formality**2, looks.shape], axis=1)
    seen = (seen - seen.mean(0)) / seen.std(0)

    def own(rows: Rows, user: int) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = seen[rows.outfits.items[rows.users == user].numpy()].mean(1)
        return mean

    train, test = data.splits["train"].positives, data.splits["test"]
    mixed = torch.stack([column[torch.randperm(len(train))] for column in train.outfits.items.T], dim=1)
    areas, lucky = [], []
    for user in range(data.users):
        liked, unknown = own(train, user), seen[mixed[:600].numpy()].mean(1)
        model = LogisticRegression(C=0.05, max_iter=2000, class_weight="balanced")
        model.fit(np.concatenate([liked, unknown]), [1] * len(liked) + [0] * len(unknown))
        positive, negative = own(test.positives, user), own(test.negatives["random"], user)
        relevant = [1] * len(positive) + [0] * len(negative)
        areas.append(roc_auc_score(relevant, model.decision_function(np.concatenate([positive, negative]))))
        lucky.append(roc_auc_score(relevant, rng.random(len(relevant))))
    assert np.mean(areas) > 0.85
    assert 0.45 < np.mean(lucky) < 0.55


def test_too_many_outfits_for_so_few_items_is_an_error() -> None:
    with pytest.raises(DataError, match=r"too small: user \d likes only \d+ outfits .* of the train split, not 1000"):
        Synthetic(items=60, users=2, train=1000, liked=0.01).load()
    with pytest.raises(DataError, match="too small"):
        Synthetic(items=60, users=2, train=1, test=1000).load()


@pytest.mark.parametrize(
    ("name", "value"), [("users", 1), ("liked", 0.9), ("seed", -1), ("two_tops", 1.5), ("pixels", 8)]
)
def test_a_value_out_of_range_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        Synthetic(**{name: value})


def pixels(photos: Photos, item: int) -> NDArray[np.uint8]:
    with Image.open(BytesIO(photos.read(item))) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def test_photos_are_of_their_size_on_white(photos: Photos) -> None:
    for item in range(0, 1200, 25):
        shown = pixels(photos, item)
        assert shown.shape == (64, 64, 3)
        assert (np.concatenate([shown[0], shown[-1], shown[:, 0], shown[:, -1]]) == 255).all()
        drawn = np.asarray((shown < 250).any(-1))
        assert 0.03 < drawn.mean() < 0.8
        # It fills most of one side, and is in the middle.
        rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
        assert max(np.ptp(rows), np.ptp(columns)) > 30
        assert abs(rows.mean() - 31.5) < 8
        assert abs((columns[0] + columns[-1]) / 2 - 31.5) < 2


def test_photos_are_the_same_each_time_from_any_thread(photos: Photos) -> None:
    items = list(range(0, 1200, 60))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(photos.read, items * 3))
    assert together == [photos.read(item) for item in items] * 3


def test_photos_and_stamps_of_different_items_differ(photos: Photos) -> None:
    items = range(0, 1200, 30)
    assert len({photos.read(item) for item in items}) == len(items)
    assert len({photos.stamp(item) for item in items}) == len(items)
    assert photos.where(0).startswith("synthetic:")


def test_a_stamp_changes_with_the_size_and_the_seed_alone() -> None:
    def stamp(data: Dataset) -> str:
        assert data.catalog.photos is not None
        return data.catalog.photos.stamp(5)

    first = stamp(small().load())
    assert stamp(small(pixels=65).load()) != first
    assert stamp(small(seed=1).load()) != first
    assert stamp(small(noise=0.0, users=5).load()) == first


def test_every_kind_is_drawn_at_any_size_and_looks_the_same() -> None:
    for name in KINDS:
        one = garment(np.random.default_rng(0), name)
        small, large = photo(one, 48), photo(one, 144)
        assert small.size == (48, 48)
        assert large.size == (144, 144)
        reduced = np.asarray(large.resize((48, 48), Image.Resampling.BOX), dtype=float)
        assert np.abs(reduced - np.asarray(small, dtype=float)).mean() < 12


def test_the_colour_of_the_cloth_is_that_of_the_photo() -> None:
    for seed in range(40):
        one = garment(np.random.default_rng(seed), "tank")
        if one.fabric.weave != "plain":
            continue
        middle = np.asarray(photo(one, 96))[40:60, 38:58].reshape(-1, 3)
        assert np.abs(np.median(middle, axis=0) - colour.rgb(one.fabric.main)).max() < 30


def test_each_kind_is_of_one_category() -> None:
    assert [len(kinds(category)) for category in range(len(CATEGORIES))] == [10, 8, 9]
    assert {name for category in range(len(CATEGORIES)) for name in kinds(category)} == set(KINDS)


def test_oklab_of_known_colours() -> None:
    # Ottosson's own values: https://bottosson.github.io/posts/oklab
    assert colour.rgb((1.0, 0.0, 0.0)) == (255, 255, 255)
    assert colour.rgb((0.627955, 0.224863, 0.125846)) == (255, 0, 0)
    assert colour.rgb((0.452014, -0.032457, -0.311528)) == (0, 0, 255)
    impossible = np.array(colour.rgb(colour.polar(0.6, 0.9, 30)))
    assert impossible.min() >= 0
    assert impossible.argmax() == 0


def test_a_sheet_shows_users_and_outfits() -> None:
    data = small(pixels=32, two_tops=0.5).load()
    page = np.asarray(sheet(data, 3, 4, 32))
    height, width = page.shape[0] // 3, page.shape[1] // 4
    for row, column in product(range(3), range(4)):
        cell = page[row * height : (row + 1) * height, column * width : (column + 1) * width]
        assert (cell < 250).any(-1).mean() > 0.05
