import codecs
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from loaded import complaints, posted
from PIL import Image

from outfitrec import run
from outfitrec.core.data import Dataset, Rows
from outfitrec.core.errors import DataError, RecipeError
from outfitrec.core.outfits import Outfits
from outfitrec.core.splits import by_component
from outfitrec.plugins.datasets.ifashion import Ifashion

OUTFITS, USERS, ITEMS = "outfit_data.txt", "user_data.txt", "item_data.txt"
KINDS = ("12", "7", "50")
SMALL: dict[str, Any] = {"fewest_outfits": 5}


@cache
def photo(number: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8), (number * 7 % 256, number * 31 % 256, number * 57 % 256)).save(file, "PNG")
    return file.getvalue()


def written(root: Path, name: str, lines: list[str]) -> None:
    (root / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def lines(root: Path, name: str) -> list[str]:
    return (root / name).read_text(encoding="utf-8").splitlines()


def small(root: Path, clicks: int = 12) -> Path:
    """Two users of many clicks, one of two; 80 outfits of 3 to 5 of 360 items, the category of i7 is KINDS[7 % 3]."""
    (root / "images").mkdir(parents=True)
    draws = random.Random(5)  # noqa: S311  # for data, no secrets
    written(root, ITEMS, [f"i{n},{KINDS[n % 3]},//photos/{n}.jpg,a title, with commas" for n in range(400)])
    for n in range(360):
        (root / "images" / f"i{n}.jpg").write_bytes(photo(n))
    mixes = [draws.sample(range(360), draws.randint(3, 5)) for _ in range(80)]
    written(root, OUTFITS, [f"o{k},{';'.join(f'i{n}' for n in mix)}" for k, mix in enumerate(mixes)])
    clicked = [(user, outfit) for user in ("u5", "u1") for outfit in draws.sample(range(80), clicks)]
    clicked += [("few", 0), ("few", 1)]
    draws.shuffle(clicked)
    written(root, USERS, [f"{user},i3;i99;elsewhere,o{outfit}" for user, outfit in clicked])
    return root


def load(root: Path, **fields: Any) -> Dataset:
    return Ifashion(root=str(root), **{**SMALL, **fields}).load()


def problems(root: Path, **fields: Any) -> list[str]:
    """What loading complains of."""
    return complaints(root, lambda: load(root, **fields))


def plainly(root: Path) -> dict[str, set[frozenset[str]]]:
    """The different outfits that each user clicked, users as they come, read without any rule."""
    outfits = {}
    for line in lines(root, OUTFITS):
        name, items = line.split(",")
        outfits[name] = frozenset(items.split(";"))
    found: dict[str, set[frozenset[str]]] = {}
    for line in lines(root, USERS):
        user, _, outfit = line.split(",")
        found.setdefault(user, set()).add(outfits[outfit])
    return found


def left_out(data: Dataset) -> dict[str, int]:
    found = data.notes["left_out"]
    assert isinstance(found, dict)
    return found


def more(file: str, *added: str) -> Callable[[Path], None]:
    """Adds lines to the end of a file."""

    def edit(root: Path) -> None:
        written(root, file, [*lines(root, file), *added])

    return edit


def test_a_users_outfits_are_those_that_she_clicked(tmp_path: Path) -> None:
    root = small(tmp_path)
    data = load(root)
    told = [outfits for outfits in plainly(root).values() if len(outfits) >= 5]
    assert data.users == len(told) == 2
    expected = [(user, outfit) for user, outfits in enumerate(told) for outfit in outfits]
    assert Counter(posted(data)) == Counter(expected)
    assert left_out(data) == {
        "items_again": 0,
        "users_of_few_outfits": 1,
        "clicks_on_outfits_of_other_sizes": 0,
        "clicks_again": 0,
    }
    assert set(data.catalog.names) == {name for _, items in expected for name in items}


def test_items_have_the_category_of_their_line_and_stand_in_its_order(tmp_path: Path) -> None:
    data = load(small(tmp_path))
    assert data.catalog.categories == ("12", "50", "7")
    for name, kind in zip(data.catalog.names, data.catalog.category.tolist(), strict=True):
        assert data.catalog.categories[kind] == KINDS[int(name[1:]) % 3]
    for split in data.splits.values():
        for row in split.positives.outfits.category.tolist():
            kinds = [kind for kind in row if kind >= 0]
            assert row == sorted(kinds) + [-1] * (len(row) - len(kinds))


def test_each_user_trains_and_no_item_of_hers_is_in_two_splits(tmp_path: Path) -> None:
    root = small(tmp_path, clicks=20)
    data, again, other = (load(root, split_seed=seed) for seed in (0, 0, 1))
    assert {user for user, _ in posted(data, "train")} == {0, 1}
    seen: dict[tuple[int, str], str] = {}
    for name in data.splits:
        for user, items in posted(data, name):
            assert all(seen.setdefault((user, item), name) == name for item in items)
    assert data.notes["shares"] == {name: len(split) / 40 for name, split in data.splits.items()}
    assert again.digest == data.digest != other.digest
    assert posted(again, "test") == posted(data, "test")


@pytest.mark.parametrize("block", [1, 13, 30, 10**6])
def test_users_are_split_whole_however_many_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    positives = [split.positives for split in load(small(tmp_path, clicks=20), fewest_outfits=2).splits.values()]
    users = torch.cat([one.users for one in positives])
    rows = Rows(users, Outfits.cat([one.outfits for one in positives]))[users.argsort(stable=True)]
    monkeypatch.setattr("outfitrec.plugins.datasets.ifashion.BLOCK", block)
    part = Ifashion(root=".", split_seed=3)._parts(rows)
    blocks = {1: [[0], [1], [2]], 13: [[0], [1], [2]], 30: [[0, 1], [2]], 10**6: [[0, 1, 2]]}[block]
    expected = [by_component(rows[torch.isin(rows.users, torch.tensor(some))], (9, 2, 2), 3) for some in blocks]
    assert torch.equal(part, torch.cat(expected))


def test_outfits_that_hang_together_leave_no_split_of_their_own(tmp_path: Path) -> None:
    root = small(tmp_path)
    written(root, OUTFITS, [f"o{k},i0;i{k + 1};i{k + 2}" for k in range(80)])
    assert problems(root)[0].endswith("the split leaves no outfit for valid and test")


def test_an_outfit_counts_once_however_often_it_was_clicked(tmp_path: Path) -> None:
    root = small(tmp_path)
    plain = load(root)
    clicks = lines(root, USERS)
    more(USERS, clicks[0], clicks[0], clicks[1])(root)
    assert posted(load(root)) == posted(plain)
    assert left_out(load(root))["clicks_again"] == 3
    # The same items are the same outfit, whatever its id and their order.
    user, _, outfit = clicks[0].split(",")
    (items,) = (line.split(",")[1] for line in lines(root, OUTFITS) if line.startswith(f"{outfit},"))
    more(OUTFITS, f"other,{';'.join(reversed(items.split(';')))}")(root)
    more(USERS, f"{user},,other")(root)
    assert Counter(posted(load(root))) == Counter(posted(plain))
    assert left_out(load(root))["clicks_again"] == 4


def test_the_limits_leave_out_outfits_and_their_clicks_are_counted(tmp_path: Path) -> None:
    root = small(tmp_path)
    more(OUTFITS, "two,i1;i2", f"ten,{';'.join(f'i{n}' for n in range(10))}", "twice,i1;i2;i3;i2")(root)
    more(USERS, "u1,,two", "u1,,ten", "u5,i1,two", "u1,,twice")(root)
    data = load(root)
    assert left_out(data)["clicks_on_outfits_of_other_sizes"] == 3
    assert left_out(data)["items_again"] == 1
    assert max(len(items) for _, items in posted(data)) == 5
    assert {frozenset(("i1", "i2", "i3"))} <= {items for _, items in posted(data)}
    wide = load(root, fewest=2, most=10)
    assert left_out(wide)["clicks_on_outfits_of_other_sizes"] == 0
    assert max(len(items) for _, items in posted(wide)) == 10
    assert load(root, fewest_outfits=2).users == 3


def test_photos_are_found_by_the_items_id_whatever_their_kind(tmp_path: Path) -> None:
    root = small(tmp_path)
    for number, end in ((0, ".png"), (1, ".JPG"), (2, ".jpeg")):
        (root / "images" / f"i{number}.jpg").rename(root / "images" / f"i{number}{end}")
    (root / "images" / "i3.txt").write_text("no photo")
    (root / "images").rename(root / "photos")
    catalog = load(root, images="photos").catalog
    assert catalog.photos is not None
    for item, name in enumerate(catalog.names):
        assert catalog.photos.read(item) == photo(int(name[1:]))


def test_an_outfit_of_an_item_without_photo_is_an_error_or_left_out(tmp_path: Path) -> None:
    root = small(tmp_path)
    more(OUTFITS, "bare,i1;i390;i2")(root)
    # As long as nobody's outfit needs it, a photo may be missing.
    plain = posted(load(root))
    more(USERS, "u1,,bare", "u5,,bare")(root)
    with pytest.raises(DataError) as caught:
        load(root)
    (problem,) = caught.value.problems
    assert (problem.message, problem.where) == ("the item i390 has no photo", str(root / "images" / "i390.jpg"))
    assert "missing_photos: leave_out" in problem.hint
    data = load(root, missing_photos="leave_out")
    assert posted(data) == plain
    assert left_out(data)["clicks_on_outfits_without_photos"] == 2
    for path in (root / "images").iterdir():
        path.unlink()
    found = problems(root)
    assert len(found) == 11
    assert found[-1].startswith("images … and ")
    assert problems(root, missing_photos="leave_out")[0].endswith("the most that a user has is 0")


def test_titles_and_histories_are_not_looked_at(tmp_path: Path) -> None:
    root = small(tmp_path)
    plain = load(root)
    with (root / ITEMS).open("ab") as file:
        file.write(b"i399,x\xff,//photo,\xff\xfe,,\xe3\x81\nunused,7,,\n")
    (root / USERS).write_bytes((root / USERS).read_bytes().replace(b"elsewhere", b"\xff\xfe"))
    assert load(root).digest == plain.digest


def test_line_ends_of_windows_and_a_missing_last_one_are_fine(tmp_path: Path) -> None:
    plain = load(small(tmp_path / "plain"))
    root = small(tmp_path / "other")
    for name in (OUTFITS, USERS, ITEMS):
        (root / name).write_bytes((root / name).read_bytes().strip().replace(b"\n", b"\r\n"))
    data = load(root)
    assert data.digest == plain.digest
    assert posted(data) == posted(plain)


def test_a_byte_order_mark_is_no_part_of_the_first_id(tmp_path: Path) -> None:
    plain = load(small(tmp_path / "plain"))
    root = small(tmp_path / "other")
    for name in (OUTFITS, USERS, ITEMS):
        (root / name).write_bytes(codecs.BOM_UTF8 + (root / name).read_bytes())
    assert load(root).digest == plain.digest


def test_a_line_that_is_there_twice_is_one(tmp_path: Path) -> None:
    plain = load(small(tmp_path / "plain"))
    root = small(tmp_path / "other")
    more(OUTFITS, lines(root, OUTFITS)[0])(root)
    more(ITEMS, lines(root, ITEMS)[0])(root)
    assert load(root).digest == plain.digest


def removed(file: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        (root / file).unlink()

    return edit


def raw(file: str, content: bytes) -> Callable[[Path], None]:
    """Adds bytes to the end of a file."""

    def edit(root: Path) -> None:
        with (root / file).open("ab") as opened:
            opened.write(content)

    return edit


WRONG = [
    (removed(OUTFITS), "outfit_data.txt no such file"),
    (removed(USERS), "user_data.txt no such file"),
    (removed(ITEMS), "item_data.txt no such file"),
    (more(OUTFITS, "o99"), "outfit_data.txt:81 1 fields, expected outfit_id,item_id;item_id;…"),
    (more(OUTFITS, "o99,i1,i2,i3"), "outfit_data.txt:81 4 fields, expected outfit_id,item_id;item_id;…"),
    (more(OUTFITS, ""), "outfit_data.txt:81 an empty line, expected outfit_id,item_id;item_id;…"),
    (more(OUTFITS, ",i1;i2;i3"), "outfit_data.txt:81 '' is no id of an outfit"),
    (more(OUTFITS, "o99,i1;;i3"), "outfit_data.txt:81 '' is no id of an item"),
    (more(OUTFITS, "o99,"), "outfit_data.txt:81 '' is no id of an item"),
    (more(OUTFITS, "o99,i1;i2;../../secret"), "outfit_data.txt:81 '../../secret' is no id of an item"),
    (more(OUTFITS, "o99,i1;i2;.."), "outfit_data.txt:81 '..' is no id of an item"),
    (more(OUTFITS, "o99,i1;i2;a\\b"), "outfit_data.txt:81 'a\\\\b' is no id of an item"),
    (raw(OUTFITS, b"o99,i1;i2;\xff\n"), "outfit_data.txt:81 '\ufffd' is no id of an item"),
    (raw(OUTFITS, b"o\xff,i1;i2;i3\n"), "outfit_data.txt:81 'o\ufffd' is no id of an outfit"),
    (more(OUTFITS, "o99,i1;i2;i777", "o98,i1;i2;i777"), "outfit_data.txt:81 the item i777 is not in item_data.txt"),
    (more(OUTFITS, "o99,i1;i2;i3", "o99,i1;i2;i4"), "outfit_data.txt:82 the outfit 'o99' has other items in line 81"),
    (more(USERS, "u1,o1"), "user_data.txt:27 2 fields, expected user_id,item_id;item_id;…,outfit_id"),
    (more(USERS, "u1,i1,i2,o1"), "user_data.txt:27 4 fields, expected user_id,item_id;item_id;…,outfit_id"),
    (more(USERS, ""), "user_data.txt:27 an empty line, expected user_id,item_id;item_id;…,outfit_id"),
    (more(USERS, "u1,i1,o777"), "user_data.txt:27 the outfit 'o777' is not in outfit_data.txt"),
    (raw(USERS, b"u1,i1,\xff\n"), "user_data.txt:27 the outfit '\ufffd' is not in outfit_data.txt"),
    (more(USERS, ",i1,o1"), "user_data.txt:27 no user"),
    (more(ITEMS, "i1,7,//photo"), "item_data.txt:401 3 fields, expected item_id,cate_id,pic_url,title"),
    (more(ITEMS, ""), "item_data.txt:401 an empty line, expected item_id,cate_id,pic_url,title"),
    (more(ITEMS, "i0,7,,"), "item_data.txt:401 the item 'i0' is of category '7' here, and of another before"),
]


@pytest.mark.parametrize(("edit", "expected"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_line_is_named(tmp_path: Path, edit: Callable[[Path], None], expected: str) -> None:
    root = small(tmp_path)
    edit(root)
    (found,) = problems(root)
    assert found.startswith(expected)


@pytest.mark.parametrize("kind", [b"", b" ", b"\xff", b"\x07"])
def test_a_category_that_is_none_is_named(tmp_path: Path, kind: bytes) -> None:
    root = small(tmp_path)
    (root / ITEMS).write_bytes((root / ITEMS).read_bytes().replace(b"i4,7,", b"i4," + kind + b","))
    (found,) = problems(root)
    assert found.startswith("item_data.txt:5 no category: ")


@pytest.mark.parametrize("name", [OUTFITS, USERS, ITEMS])
def test_an_empty_file_is_named(tmp_path: Path, name: str) -> None:
    root = small(tmp_path)
    (root / name).write_bytes(b"")
    (found,) = problems(root)
    assert found.startswith(f"{name} an empty file, expected lines of ")


def test_two_photos_of_an_item_are_named_and_a_missing_folder_too(tmp_path: Path) -> None:
    root = small(tmp_path)
    (root / "images" / "i5.png").write_bytes(photo(5))
    assert problems(root) == ["images two photos of an item: i5.jpg and i5.png"]
    assert problems(root, images="nowhere") == ["nowhere no photos: No such file or directory"]


def test_everything_wrong_comes_at_once_and_much_of_a_kind_is_cut(tmp_path: Path) -> None:
    root = small(tmp_path)
    more(OUTFITS, *("nothing" for _ in range(13)))(root)
    more(USERS, "u1,i1,o777", "u1", "u1,i1,o778")(root)
    more(ITEMS, "i0,7,,")(root)
    found = problems(root, images="nowhere")
    assert [one.split(" ")[0] for one in found] == [
        *(f"outfit_data.txt:{line}" for line in range(81, 91)),
        "outfit_data.txt",
        "user_data.txt:27",
        "user_data.txt:29",
        "user_data.txt:28",
        "item_data.txt:401",
        "nowhere",
    ]
    assert found[10] == "outfit_data.txt … and 3 more of this kind"


def test_no_user_of_enough_outfits(tmp_path: Path) -> None:
    root = small(tmp_path)
    (found,) = problems(root, fewest_outfits=13)
    assert found.endswith("no user has 13 outfits of 3 to 9 items; the most that a user has is 12")


def test_limits_with_nothing_between_them_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fewest: 4 items are more than 'most' allows, which is 3"):
        Ifashion(root=".", fewest=4, most=3)
    with pytest.raises(RecipeError, match="4 items are more than 'most' allows"):
        run(recipe(small(tmp_path), fewest=4, most=3), out=tmp_path / "runs")


def recipe(root: Path, **fields: Any) -> dict[str, Any]:
    return {
        "name": "ifashion",
        "dataset": {"name": "ifashion", "root": str(root), **SMALL, **fields},
        "image": {"size": 16},
        "model": {"dim": 8, "encoder": {"name": "autoencoder", "width": 2, "latent": 8}, "aggregator": "mean"},
        "objectives": ["ranking"],
        "train": {"epochs": 2, "batch": 8, "accelerator": "cpu", "optimizer": {"name": "sgd", "lr": 0.01}},
    }


def test_a_recipe_trains_on_it(tmp_path: Path) -> None:
    found = run(recipe(small(tmp_path / "data", clicks=25)), out=tmp_path / "runs")
    assert set(found.result.test) == {"auc", "ndcg"}
    assert 0 <= found.result.test["auc"] <= 1
    assert found.result.per_user["user"] == [0, 1]
    assert found.result.data["left_out"]["users_of_few_outfits"] == 1
