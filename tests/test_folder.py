"""One's own photos and table."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from folders import HEADER, ITEMS, ROWS, load, problems, put, small, wardrobe, write
from hypothesis import given, settings
from hypothesis import strategies as st

import outfitrec
from outfitrec.core.data import SPLITS, Dataset
from outfitrec.core.errors import DataError
from outfitrec.testing import check_component


def outfits(data: Dataset, split: str) -> list[tuple[int, list[str]]]:
    """User and item names of each outfit of a split."""
    rows = data.splits[split].positives
    names = data.catalog.names
    return [
        (user, [names[item] for item in items if item >= 0])
        for user, items in zip(rows.users.tolist(), rows.outfits.items.tolist(), strict=True)
    ]


def test_a_small_folder(tmp_path: Path) -> None:
    data = load(small(tmp_path))
    assert list(data.catalog.names) == ITEMS
    assert data.catalog.categories == ("bags", "shoes", "tops")
    assert data.catalog.category.tolist() == [0, 1, 1, 2, 2]
    assert data.users == 2
    assert outfits(data, "train") == [
        (1, ["tops/1.jpg", "shoes/1.jpg", "bags/b.PNG"]),
        (0, ["tops/2.webp", "shoes/1.jpg"]),
        (0, ["bags/b.PNG", "tops/1.jpg"]),
    ]
    assert outfits(data, "valid") == [(1, ["tops/2.webp", "shoes/high/2.jpeg"])]
    assert outfits(data, "test") == [(0, ["tops/1.jpg", "tops/2.webp"])]
    assert data.splits["train"].positives.outfits.category.tolist() == [[2, 1, 0], [2, 1, -1], [0, 2, -1]]
    assert data.notes == {"users_without_outfits": {"train": 0, "valid": 1, "test": 1}}


def test_a_photo_is_read_where_it_lies(tmp_path: Path) -> None:
    put(small(tmp_path), "shoes/high/2.jpeg", content=b"photo")
    photos = load(tmp_path).catalog.photos
    assert photos is not None
    assert photos.read(2) == b"photo"
    assert photos.where(2) == str(tmp_path / "photos" / "shoes" / "high" / "2.jpeg")


def test_photos_that_are_in_no_outfit_are_left_out(tmp_path: Path) -> None:
    put(small(tmp_path), "hats/1.jpg", "tops/3.jpg", "lost.jpg")
    (tmp_path / "photos" / "tops" / "notes.txt").touch()
    assert list(load(tmp_path).catalog.names) == ITEMS


def test_other_names_of_folder_and_table(tmp_path: Path) -> None:
    small(tmp_path)
    (tmp_path / "photos").rename(tmp_path / "pictures")
    (tmp_path / "outfits.csv").rename(tmp_path / "summer.csv")
    assert list(load(tmp_path, photos="pictures", table="summer.csv").catalog.names) == ITEMS


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\r\n", b"\n"),
        lambda text: text.replace(b"\r\n", b"\r"),
        lambda text: text.removesuffix(b"\r\n"),
        lambda text: text.replace(b"\r\n", b"\r\n\r\n"),
        lambda text: b"\r\n".join(
            b",".join(f'"{cell}"'.encode() for cell in line.decode().split(",")) for line in text.splitlines()
        ),
        lambda text: b"\n".join(b",".join(line.split(b",")[::-1]) for line in text.splitlines()),
    ],
    ids=["BOM", "LF", "CR", "no last line end", "empty lines", "quotes", "columns in another order"],
)
def test_ways_to_write_the_same_table(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    plain = load(small(tmp_path))
    table = tmp_path / "outfits.csv"
    table.write_bytes(change(table.read_bytes()))
    data = load(tmp_path)
    assert [outfits(data, split) for split in SPLITS] == [outfits(plain, split) for split in SPLITS]


def test_categories_in_either_order_are_noted(tmp_path: Path) -> None:
    wardrobe(tmp_path)
    assert "in_either_order" not in load(tmp_path).notes
    usual, other, another = ("tops", "bottoms", "shoes"), ("bottoms", "tops", "shoes"), ("tops", "shoes", "bottoms")
    rows = [
        ("ann", place, f"{category}/{number % 3}.jpg", SPLITS[number % 3])
        for number, (place, outfit) in enumerate(zip("abcdefgh", [usual] * 5 + [other] * 2 + [another], strict=True))
        for category in outfit
    ]
    # Two of one category in a row are in no order.
    rows[2:2] = [("ann", "a", "bottoms/5.jpg", "train")]
    write(tmp_path, rows)
    noted = load(tmp_path).notes["in_either_order"]
    assert noted == {"bottoms and tops": 2, "bottoms and shoes": 1}
    assert list(noted) == ["bottoms and tops", "bottoms and shoes"]


def test_users_and_outfits_are_any_text(tmp_path: Path) -> None:
    small(tmp_path)
    named = {"ann": 'Zoë, "the\ngreat"', "bob": "0042"}
    write(tmp_path, [(named[user], f"no.\n{outfit}\u2028!", item, split) for user, outfit, item, split in ROWS])
    data = load(tmp_path)
    # In sorted order, which is the other way round now.
    assert outfits(data, "train")[0] == (0, ["tops/1.jpg", "shoes/1.jpg", "bags/b.PNG"])
    assert outfits(data, "test") == [(1, ["tops/1.jpg", "tops/2.webp"])]


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_links_are_followed_and_never_in_circles(tmp_path: Path) -> None:
    root = small(tmp_path / "root")
    (root / "photos" / "tops").rename(tmp_path / "elsewhere")
    (root / "photos" / "tops").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(root / "photos")
    (root / "photos" / "shoes" / "self").symlink_to(root / "photos" / "shoes")
    (root / "photos" / "tops" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    assert list(load(root).catalog.names) == ITEMS
    write(root, [*ROWS, ("ann", "z", "tops/gone.jpg", "test")])
    assert problems(root)[0].startswith("outfits.csv:13 item 'tops/gone.jpg' is not in ROOT/photos")


def test_without_the_column_a_users_outfits_with_a_common_item_stay_together(tmp_path: Path) -> None:
    put(tmp_path, *(f"tops/{k}.jpg" for k in range(60)))
    # Chains of three outfits, and each of the chains shares no item with another one.
    rows = [
        (f"user {user}", f"{chain}.{link}", f"tops/{(4 * chain + user + link + side) % 60}.jpg")
        for user in range(5)
        for chain in range(13)
        for link in range(3)
        for side in range(2)
    ]
    write(tmp_path, rows, header=HEADER[:3])
    data, again, other = (load(tmp_path, split_seed=seed) for seed in (3, 3, 4))
    told = {(int(user.split()[1]), item, outfit) for user, outfit, item in rows}
    assert {(user, item) for split in SPLITS for user, items in outfits(data, split) for item in items} == {
        (user, item) for user, item, _ in told
    }
    seen: dict[tuple[int, str], str] = {}
    for split in SPLITS:
        for user, items in outfits(data, split):
            assert all(seen.setdefault((user, item), split) == split for item in items)
    sizes = {split: len(data.splits[split]) for split in SPLITS}
    assert sizes == {"train": 5 * 27, "valid": 5 * 6, "test": 5 * 6}
    assert data.notes == {
        "shares": {split: size / 195 for split, size in sizes.items()},
        "users_without_outfits": dict.fromkeys(SPLITS, 0),
    }
    assert [outfits(again, split) for split in SPLITS] == [outfits(data, split) for split in SPLITS]
    assert outfits(other, "train") != outfits(data, "train")
    assert len({data.digest, again.digest, other.digest, load(tmp_path, shares=(1, 1, 1)).digest}) == 3


def test_shares_that_leave_a_user_without_training_are_refused(tmp_path: Path) -> None:
    put(tmp_path, *(f"tops/{k}.jpg" for k in range(20)))
    # Two outfits of ann hang together, and all others do not.
    rows = [
        ("ann", "a", "tops/0.jpg"),
        ("ann", "a", "tops/1.jpg"),
        ("ann", "b", "tops/0.jpg"),
        ("ann", "b", "tops/2.jpg"),
    ]
    rows += [("bob", str(k // 2), f"tops/{k}.jpg") for k in range(20)]
    write(tmp_path, rows, header=HEADER[:3])
    assert load(tmp_path).notes["users_without_outfits"] == {"train": 0, "valid": 1, "test": 1}
    [found] = problems(tmp_path, shares=(1, 5, 1))
    assert found.startswith(" 1 user has no outfit in train | make the first of 'shares' the largest")


def test_outfits_that_cannot_be_split_are_said(tmp_path: Path) -> None:
    put(tmp_path, "tops/1.jpg", "tops/2.jpg", "tops/3.jpg")
    rows = [("ann", k, f"tops/{item}.jpg") for k, pair in enumerate(((1, 2), (2, 3), (1, 3))) for item in pair]
    write(tmp_path, rows, header=HEADER[:3])
    [found] = problems(tmp_path)
    assert found.startswith(" the re-split leaves no outfit for valid and test | outfits of a user with")
    assert found.endswith(": say in a column 'split' of outfits.csv which outfits are train, valid and test")


def test_the_digest_follows_the_table_and_where_it_is_given_not_the_seed(tmp_path: Path) -> None:
    first = load(small(tmp_path / "a")).digest
    assert load(small(tmp_path / "b"), split_seed=7, shares=(1, 1, 1)).digest == first
    write(tmp_path / "b", [*ROWS[:-1], ("ann", "w", "tops/2.webp", "train")])
    assert load(tmp_path / "b").digest != first


def test_an_outfit_that_is_posted_again_is_noted(tmp_path: Path) -> None:
    small(tmp_path)
    again = [("bob", "x again", item, "train") for item in ("bags/b.PNG", "tops/1.jpg", "shoes/1.jpg")]
    # Of another user it is another outfit.
    other = [("ann", "other", item, "train") for item in ("bags/b.PNG", "tops/1.jpg", "shoes/1.jpg")]
    write(tmp_path, [*ROWS, *other, *again])
    data = load(tmp_path)
    assert data.notes["repeated_outfits"] == {"count": 1, "lines": [16]}
    assert len(data.splits["train"]) == 5


FILES = [f"{category}/{name}.jpg" for category in ("a", "a-b", "b/c", "Ä") for name in ("1", "2", "10")]
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=4).filter(
    lambda text: text == text.strip()
)
posted = st.lists(
    st.tuples(
        texts, texts, st.sampled_from(SPLITS), st.lists(st.sampled_from(FILES), min_size=2, max_size=4, unique=True)
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60)
@given(posted, st.randoms(use_true_random=False), st.permutations(HEADER))
def test_what_was_written_is_loaded(
    made: list[tuple[str, str, str, list[str]]], chance: Any, header: list[str]
) -> None:
    """Random tables; a plain reader of rows says what has to come out."""
    kept: dict[tuple[str, str], tuple[str, list[str]]] = {}
    known: set[tuple[str, frozenset[str]]] = set()
    for user, outfit, split, items in [*made, *(("u", name, name, FILES[k : k + 2]) for k, name in enumerate(SPLITS))]:
        learned = any(owner == user for owner, _ in kept)
        if (user, outfit) not in kept and (user, frozenset(items)) not in known:
            kept[user, outfit] = (split if learned else "train", items)
            known.add((user, frozenset(items)))
    rows = [(user, outfit, item, split) for (user, outfit), (split, items) in kept.items() for item in items]
    chance.shuffle(rows)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        put(root, *FILES)
        write(root, [[row[HEADER.index(name)] for name in header] for row in rows], header=header)
        given_splits = {row[3] for row in rows} == set(SPLITS)
        learned_all = {row[0] for row in rows if row[3] == "train"} == {row[0] for row in rows}
        if not (given_splits and learned_all):
            with pytest.raises(DataError):
                load(root)
            return
        data = load(root)
        users = sorted({row[0] for row in rows})
        assert data.users == len(users)
        assert set(data.catalog.names) == {row[2] for row in rows}
        for name, index in zip(data.catalog.names, data.catalog.category.tolist(), strict=True):
            assert name.split("/")[0] == data.catalog.categories[index]
        for split in SPLITS:
            wanted: dict[tuple[str, str], list[str]] = {}
            for user, outfit, item, place in rows:
                if place == split:
                    wanted.setdefault((user, outfit), []).append(item)
            assert outfits(data, split) == [(users.index(user), items) for (user, _), items in wanted.items()]


def test_it_keeps_the_contract_of_datasets(tmp_path: Path) -> None:
    wardrobe(tmp_path)
    report = check_component("dataset/folder", fields={"root": str(tmp_path)})
    assert report.ok, report.bad
    assert report.counts["passed"] > 10


def test_a_recipe_trains_on_it(tmp_path: Path) -> None:
    wardrobe(tmp_path / "mine", users=("ann", "bob", "eve"), each=9)
    recipe = {
        "name": "mine",
        "dataset": {"name": "folder", "root": str(tmp_path / "mine")},
        "image": {"size": 64},
        "model": {
            "dim": 16,
            "encoder": {"name": "alexnet", "size": "xs", "weights": "none"},
            "aggregator": "mean",
        },
        "objectives": ["ranking"],
        "negatives": "random_mix",
        "train": {"epochs": 1, "batch": 8, "optimizer": {"name": "sgd", "lr": 0.01}, "accelerator": "cpu"},
        "evaluate": {"negatives": {"name": "random_mix", "share": "pair", "count": 3}},
    }
    found = outfitrec.run(recipe, out=tmp_path / "runs")
    assert 0 <= found.result.test["auc"] <= 1
    assert len(found.result.per_user["auc"]) == 3

    # Whoever serves the model knows people by their names.
    photos = sorted((tmp_path / "mine" / "photos").rglob("*.*"))
    outfit = [one.read_bytes() for one in photos[:2]]
    words = [one.relative_to(tmp_path / "mine" / "photos").parts[0] for one in photos[:2]]
    model = outfitrec.Run(found.directory).model
    by_name = model.score_photos(["eve", "ann"], [outfit], [words])
    torch.testing.assert_close(by_name, model.score_photos([2, 0], [outfit], [words]))
    with pytest.raises(DataError, match=r"unknown users \['Ann', 3\]: .* 0 to 2, or by name: ann, bob, eve"):
        model.score_photos(["Ann", 3], [outfit], [words])
