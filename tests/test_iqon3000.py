import json
import random
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from loaded import complaints, posted
from PIL import Image

from outfitrec import run
from outfitrec.core.data import Dataset
from outfitrec.core.errors import DataError, RecipeError
from outfitrec.plugins.datasets.iqon3000 import Iqon3000

CATEGORIES = ("トップス", "スカート", "シューズ", "バッグ", "帽子/キャップ")
GROUPS = dict(zip(CATEGORIES, ("top", "bottom", "shoes", "bag", "hat"), strict=True))
KEY = "category x color"
USERS = {"1002": 9, "1001": 7, "9": 3}
SMALL: dict[str, Any] = {"fewest_outfits": 6, "outfits": (3, 1, 2)}


def category(item: int) -> str:
    return CATEGORIES[item % len(CATEGORIES)]


def photo(item: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8), (item * 7 % 256, item * 31 % 256, item * 57 % 256)).save(file, "JPEG")
    return file.getvalue()


def outfit(folder: Path, items: list[int], size: str = "m") -> Path:
    """An outfit's folder, and its JSON as released."""
    folder.mkdir(parents=True)
    listed = [{"itemId": str(item), KEY: f"{category(item)}×ブラック", "price": "1"} for item in items]
    document = folder / f"{folder.name}.json"
    document.write_text(json.dumps({"setId": folder.name, "user": "someone", "items": listed}, ensure_ascii=False))
    for item in items:
        (folder / f"{item}_{size}.jpg").write_bytes(photo(item))
    return document


def small(root: Path, users: dict[str, int] = USERS, size: str = "m") -> Path:
    """Users with so many outfits of three to five items, each of another category; item n is of category n modulo 5."""
    draws = random.Random(3)  # noqa: S311  # for data, no secrets
    for user, count in users.items():
        for number in range(count):
            kinds = draws.sample(range(len(CATEGORIES)), draws.randint(3, 5))
            outfit(root / user / f"{user}-{number}", [draws.randrange(12) * 5 + kind for kind in kinds], size)
    return root


def load(root: Path, **fields: Any) -> Dataset:
    return Iqon3000(root=str(root), **{**SMALL, **fields}).load()


def problems(root: Path, **fields: Any) -> list[str]:
    """What loading complains of."""
    return complaints(root, lambda: load(root, **fields))


def plainly(root: Path) -> list[tuple[str, frozenset[str]]]:
    """The same of all folders, read without any rule."""
    documents = [json.loads(path.read_text()) | {"at": path} for path in root.glob("*/*/*.json")]
    return [(one["at"].parts[-3], frozenset(item["itemId"] for item in one["items"])) for one in documents]


def leave_out(data: Dataset) -> dict[str, int]:
    found = data.notes["left_out"]
    assert isinstance(found, dict)
    return found


def test_each_user_has_so_many_of_her_own_outfits_in_each_split(tmp_path: Path) -> None:
    root = small(tmp_path)
    data = load(root)
    assert data.users == 2
    for name, count in zip(("train", "valid", "test"), (3, 1, 2), strict=True):
        assert Counter(user for user, _ in posted(data, name)) == {0: count, 1: count}
    # Users are numbered in the order of the names of their folders.
    assert list(data.user_names) == ["1001", "1002"]
    released = {(("1001", "1002").index(user), items) for user, items in plainly(root) if user != "9"}
    found = posted(data)
    assert len(set(found)) == len(found) == 12
    assert set(found) <= released
    # With one of few outfits before them, they are not the first of all users. What they are called is content, too.
    (root / "1002").rename(root / "1003")
    renamed = load(root)
    assert list(renamed.user_names) == ["1001", "1003"]
    assert renamed.digest != data.digest
    (root / "1003").rename(root / "1002")
    outfit(root / "1000" / "1000-0", [0, 6, 12])
    assert list(load(root).user_names) == ["1001", "1002"]
    assert leave_out(data)["users_of_few_outfits"] == 1
    assert leave_out(data)["outfits_not_drawn"] == 9 + 7 - 12


def test_the_split_follows_its_seed(tmp_path: Path) -> None:
    root = small(tmp_path)
    first, again, other = (load(root, split_seed=seed) for seed in (0, 0, 1))
    assert posted(first) == posted(again)
    assert first.digest == again.digest != other.digest
    assert posted(first) != posted(other)


def test_items_have_the_category_before_the_times_sign(tmp_path: Path) -> None:
    data = load(small(tmp_path))
    assert data.catalog.categories == tuple(sorted(CATEGORIES))
    for name, kind in zip(data.catalog.names, data.catalog.category.tolist(), strict=True):
        assert data.catalog.categories[kind] == category(int(name))
    assert len(set(data.catalog.names)) == len(data.catalog)
    assert set(data.catalog.names) == {name for _, items in posted(data) for name in items}


def test_categories_are_grouped_in_the_order_of_the_groups(tmp_path: Path) -> None:
    groups = {**GROUPS, "スカート": "top", "帽子/キャップ": "bag"}
    data = load(small(tmp_path), categories=groups, fewest_categories=1)
    assert data.catalog.categories == ("top", "shoes", "bag")
    for name, kind in zip(data.catalog.names, data.catalog.category.tolist(), strict=True):
        assert data.catalog.categories[kind] == groups[category(int(name))]
    for split in data.splits.values():
        for row in split.positives.outfits.category.tolist():
            kinds = [kind for kind in row if kind >= 0]
            assert kinds == sorted(kinds)
            assert row == kinds + [-1] * (len(row) - len(kinds))


def test_categories_without_a_group_are_named(tmp_path: Path) -> None:
    root = small(tmp_path)
    groups = {name: group for name, group in GROUPS.items() if name not in ("バッグ", "シューズ")}
    (found,) = problems(root, categories=groups)
    assert "not among 'categories': " in found
    assert "'バッグ'" in found
    assert "'シューズ'" in found
    assert "トップス" not in found


def test_the_limits_leave_out_outfits_and_their_number_is_told(tmp_path: Path) -> None:
    root = small(tmp_path)
    outfit(root / "1001" / "two", [0, 1])
    outfit(root / "1001" / "nine", list(range(9)))
    outfit(root / "1002" / "of-two-categories", [0, 1, 5, 6])
    outfit(root / "1002" / "an-item-twice", [50, 51, 52, 50])
    outfit(root / "1002" / "again", [52, 50, 51])
    data = load(root, fewest_outfits=8, outfits=(4, 2, 2))
    assert data.users == 1
    assert leave_out(data) == {
        "outfits_of_other_sizes": 2,
        "outfits_of_few_categories": 1,
        "items_again": 1,
        "outfits_again": 1,
        "users_of_few_outfits": 2,
        "outfits_not_drawn": 10 - 8,
    }
    every = load(root, fewest_outfits=10, outfits=(8, 1, 1), fewest_categories=2, fewest=2, most=9)
    assert leave_out(every)["outfits_of_few_categories"] == leave_out(every)["outfits_of_other_sizes"] == 0


@pytest.mark.parametrize("size", ["s", "m", "l"])
def test_photos_are_of_the_size_asked_for(tmp_path: Path, size: str) -> None:
    root = small(tmp_path, size=size)
    catalog = load(root, size=size).catalog
    assert catalog.photos is not None
    for item, name in enumerate(catalog.names):
        assert catalog.photos.read(item) == photo(int(name))
        assert catalog.photos.where(item).endswith(f"/{name}_{size}.jpg")
    other = {"s": "m", "m": "l", "l": "s"}[size]
    assert all(" has no photo" in one or "more of this kind" in one for one in problems(root, size=other))


def test_an_item_with_a_photo_in_any_of_its_outfits_has_one(tmp_path: Path) -> None:
    root = small(tmp_path)
    outfit(root / "1001" / "a", [100, 101, 102])
    outfit(root / "1001" / "b", [100, 103, 107])
    (root / "1001" / "a" / "100_m.jpg").unlink()
    data = load(root, fewest_outfits=9, outfits=(7, 1, 1))
    assert data.catalog.photos is not None
    assert data.catalog.photos.where(list(data.catalog.names).index("100")) == str(root / "1001" / "b" / "100_m.jpg")


def test_an_outfit_of_an_item_without_photo_is_an_error_or_left_out(tmp_path: Path) -> None:
    root = small(tmp_path)
    outfit(root / "1001" / "a", [100, 101, 102])
    (root / "1001" / "a" / "101_m.jpg").unlink()
    fields: dict[str, Any] = {"fewest_outfits": 8, "outfits": (6, 1, 1)}
    with pytest.raises(DataError) as caught:
        load(root, **fields)
    (problem,) = caught.value.problems
    assert (problem.message, problem.where) == ("the item 101 has no photo", str(root / "1001" / "a" / "101_m.jpg"))
    assert "missing_photos: leave_out" in problem.hint
    data = load(root, missing_photos="leave_out", **fields)
    assert leave_out(data)["outfits_without_photos"] == 1
    assert data.users == 1  # 1001 is left with 7 outfits
    assert not {"100", "101", "102"} & set(data.catalog.names)


def changed(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """Sets fields of the second item; None takes one away."""

    def edit(document: dict[str, Any]) -> None:
        for key, value in fields.items():
            key = KEY if key == "category" else key
            document["items"][1][key] = value
            if value is None:
                del document["items"][1][key]

    return edit


ITEMS = [
    (changed(itemId=None), "items[1] has no 'itemId'"),
    (changed(category=None), f"items[1] has no '{KEY}'"),
    (changed(itemId=None, category=None), f"items[1] has no 'itemId' and no '{KEY}'"),
    (changed(itemId="../../secret"), "items[1]: itemId '../../secret' cannot be part of a photo's name"),
    (changed(itemId="a/b"), "items[1]: itemId 'a/b' cannot be part of a photo's name"),
    (changed(itemId="a\\b"), "items[1]: itemId 'a\\\\b' cannot be part of a photo's name"),
    (changed(itemId=".."), "items[1]: itemId '..' cannot be part of a photo's name"),
    (changed(itemId="\ud800"), "items[1]: itemId '\\ud800' cannot be part of a photo's name"),
    (changed(itemId="1" * 241), f"items[1]: itemId '{'1' * 241}' cannot be part of a photo's name"),
    (changed(itemId=""), "items[1]: itemId '' cannot be part of a photo's name"),
    (changed(itemId=True), "items[1]: itemId True cannot be part of a photo's name"),
    (changed(itemId=1.5), "items[1]: itemId 1.5 cannot be part of a photo's name"),
    (changed(category="×レッド"), "items[1]: no category before the × of '×レッド'"),
    (changed(category=3), "items[1]: no category before the × of 3"),
    (changed(category="\udc00×"), "items[1]: no category before the × of '\\udc00×'"),
    (lambda document: document["items"].append("101"), f"items[3] has no 'itemId' and no '{KEY}'"),
    (lambda document: document.update(items={}), "'items' is not a list of one item or more"),
    (lambda document: document.update(items=[]), "'items' is not a list of one item or more"),
    (lambda document: document.pop("items"), "has no 'items'"),
]


@pytest.mark.parametrize(("edit", "expected"), ITEMS, ids=[repr(expected) for _, expected in ITEMS])
def test_a_wrong_item_is_named_with_its_file(
    tmp_path: Path, edit: Callable[[dict[str, Any]], None], expected: str
) -> None:
    root = small(tmp_path)
    path = outfit(root / "1001" / "wrong", [100, 101, 102])
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    assert problems(root) == [f"1001/wrong/wrong.json {expected}"]


FILES = [
    (b'{"items": ?}', "1001/wrong/wrong.json:1:11 not JSON: Expecting value"),
    (b'{\n "items" 3}', "1001/wrong/wrong.json:2:10 not JSON: Expecting ':' delimiter"),
    (b"", "1001/wrong/wrong.json:1:1 not JSON: Expecting value"),
    (b'{"items": "\xff\xfe"}', "1001/wrong/wrong.json not text in UTF-8, at byte 11"),
    (b"[1, 2]", "1001/wrong/wrong.json has no 'items'"),
    (b"3", "1001/wrong/wrong.json has no 'items'"),
    (b"[" * 200_000, "1001/wrong/wrong.json not an outfit: "),
    (b'{"items": ' + b"9" * 9_999 + b"}", "1001/wrong/wrong.json not an outfit: "),
]


@pytest.mark.parametrize(("content", "expected"), FILES, ids=range(len(FILES)))
def test_a_file_that_is_no_outfit_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    root = small(tmp_path)
    outfit(root / "1001" / "wrong", [100, 101, 102]).write_bytes(content)
    (found,) = problems(root)
    assert found.startswith(expected)


def test_a_folder_in_the_place_of_a_json_is_named_among_others(tmp_path: Path) -> None:
    root = small(tmp_path)
    outfit(root / "1001" / "a", [100, 101, 102]).write_text("{}")
    path = outfit(root / "1001" / "b", [100, 101, 102])
    path.unlink()
    path.mkdir()
    assert problems(root) == ["1001/a/a.json has no 'items'", "1001/b/b.json cannot be read: Is a directory"]


def test_numbers_are_ids_too(tmp_path: Path) -> None:
    root = small(tmp_path)
    for path in root.glob("*/*/*.json"):
        document = json.loads(path.read_text())
        for item in document["items"]:
            item["itemId"] = int(item["itemId"])
        path.write_text(json.dumps(document))
    assert load(root).digest == load(small(tmp_path / "other")).digest


def test_an_item_of_two_categories_is_named(tmp_path: Path) -> None:
    root = small(tmp_path)
    outfit(root / "1001" / "a", [100, 101, 102])
    path = outfit(root / "1001" / "b", [101, 102, 103])
    path.write_text(path.read_text().replace("スカート", "トップス"))
    assert problems(root) == ["1001/b/b.json the item 101 is 'トップス' here, and 'スカート' in 1001/a"]
    # Where a group holds both, nothing contradicts.
    assert load(root, categories={**GROUPS, "スカート": "top"}, fewest_categories=2).users == 2


def test_a_folder_has_one_json(tmp_path: Path) -> None:
    root = small(tmp_path)
    outfit(root / "1001" / "none", [0, 1, 2]).unlink()
    (outfit(root / "1001" / "two", [0, 1, 2]).parent / "other.json").write_text("{}")
    assert problems(root) == ["1001/none 0 JSON files, expected 1", "1001/two 2 JSON files, expected 1"]


def test_everything_wrong_comes_at_once_and_much_of_a_kind_is_cut(tmp_path: Path) -> None:
    root = small(tmp_path)
    for path in sorted(root.glob("1002/*/*.json"))[:4]:
        path.write_text("{")
    for number in range(13):
        path = outfit(root / "1001" / f"x{number:02}", [0, 1, 2])
        path.write_text(path.read_text().replace("itemId", "id", 1))
    found = problems(root)
    assert [one.split(" ", 1)[1] for one in found] == [
        *["items[0] has no 'itemId'"] * 10,
        "… and 3 more of this kind",
        *["not JSON: Expecting property name enclosed in double quotes"] * 4,
    ]


def test_no_user_of_enough_outfits(tmp_path: Path) -> None:
    root = small(tmp_path)
    with pytest.raises(DataError, match="no user has 120 outfits") as caught:
        Iqon3000(root=str(root)).load()
    assert "the most that a user has is 0" in str(caught.value)
    # Of nine folders only the outfits within the limits count.
    (found,) = problems(root, fewest_outfits=9, outfits=(4, 2, 3), fewest=4)
    sizes = Counter(user for user, items in plainly(root) if user == "1002" and len(items) >= 4)
    assert found.endswith(f"the most that a user has is {sizes['1002']}")


def test_a_root_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file") as caught:
        load(tmp_path / "nowhere")
    assert "a folder for each user" in caught.value.problems[0].hint


def test_numbers_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fewest: 4 items are more than 'most' allows, which is 3"):
        Iqon3000(root=".", fewest=4, most=3)
    with pytest.raises(ValueError, match="outfits: 120 outfits are more than each user has"):
        Iqon3000(root=".", fewest_outfits=119)
    with pytest.raises(RecipeError, match="'fewest_outfits' is 5"):
        run(recipe(small(tmp_path), fewest_outfits=5), out=tmp_path / "runs")


def recipe(root: Path, **fields: Any) -> dict[str, Any]:
    return {
        "name": "iqon",
        "dataset": {"name": "iqon3000", "root": str(root), "outfits": [3, 1, 2], **fields},
        "image": {"size": 16},
        "model": {"dim": 8, "encoder": {"name": "autoencoder", "width": 2, "latent": 8}, "aggregator": "mean"},
        "objectives": ["ranking"],
        "train": {"epochs": 2, "batch": 8, "accelerator": "cpu", "optimizer": {"name": "sgd", "lr": 0.01}},
    }


def test_a_recipe_trains_on_it(tmp_path: Path) -> None:
    root = small(tmp_path / "data", {"a": 20, "b": 20, "c": 3})
    numbers: dict[str, Any] = {"fewest_outfits": 20, "outfits": [10, 5, 5]}
    found = run(recipe(root, categories=GROUPS, **numbers), out=tmp_path / "runs")
    assert set(found.result.test) == {"auc", "ndcg"}
    assert 0 <= found.result.test["auc"] <= 1
    assert found.result.per_user["user"] == [0, 1]
    assert found.result.data["left_out"]["users_of_few_outfits"] == 1
