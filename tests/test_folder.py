"""One's own photos and table."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from folders import HEADER, SPLITS, lock, put, wardrobe, write
from hypothesis import given, settings
from hypothesis import strategies as st

import outfitrec
from outfitrec.core.data import Dataset
from outfitrec.core.errors import DataError, Problem
from outfitrec.plugins.datasets.folder import Folder
from outfitrec.testing import check_component

ITEMS = ["bags/b.PNG", "shoes/1.jpg", "shoes/high/2.jpeg", "tops/1.jpg", "tops/2.webp"]
# Lines 2 to 12 of the table; bob's second outfit begins before his first one ends.
ROWS = [
    ("bob", "x", "tops/1.jpg", "train"),
    ("bob", "x", "shoes/1.jpg", "train"),
    ("ann", "x", "tops/2.webp", "train"),
    ("bob", "y", "tops/2.webp", "valid"),
    ("bob", "x", "bags/b.PNG", "train"),
    ("bob", "y", "shoes/high/2.jpeg", "valid"),
    ("ann", "x", "shoes/1.jpg", "train"),
    ("ann", "z", "tops/1.jpg", "test"),
    ("ann", "z", "tops/2.webp", "test"),
    ("ann", "w", "bags/b.PNG", "train"),
    ("ann", "w", "tops/1.jpg", "train"),
]


def small(root: Path) -> Path:
    put(root, *ITEMS)
    write(root, ROWS)
    return root


def load(root: Path, **fields: Any) -> Dataset:
    return Folder(root=str(root), **fields).load()


def outfits(data: Dataset, split: str) -> list[tuple[int, list[str]]]:
    """User and item names of each outfit of a split."""
    rows = data.splits[split].positives
    names = data.catalog.names
    return [
        (user, [names[item] for item in items if item >= 0])
        for user, items in zip(rows.users.tolist(), rows.outfits.items.tolist(), strict=True)
    ]


def problems(root: Path, **fields: Any) -> list[str]:
    """What loading complains of: the place within the folder, the message and the hint."""
    with pytest.raises(DataError) as caught:
        load(root, **fields)

    def text(one: Problem) -> str:
        where = one.where.removeprefix(str(root)).removeprefix("/")
        return f"{where} {one.message} | {one.hint}".replace(str(root), "ROOT")

    return [text(one) for one in caught.value.problems]


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


def table(*changed: tuple[int, str]) -> Callable[[Path], None]:
    """Puts text in the place of lines (counted from 1), or behind the last one."""

    def edit(root: Path) -> None:
        path = root / "outfits.csv"
        lines = path.read_text().splitlines()
        for line, text in changed:
            lines[line - 1 : line] = [text]
        path.write_text("\n".join(lines) + "\n")

    return edit


def content(data: bytes) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        (root / "outfits.csv").write_bytes(data)

    return edit


def photos(*items: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        put(root, *items)

    return edit


def both(*edits: Callable[[Path], None]) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        for one in edits:
            one(root)

    return edit


MANY = [f"a/{k}.jpg" for k in range(101)]
HEAD = b"user,outfit,item,split\n"
WRONG = [
    (lambda root: (root / "outfits.csv").unlink(), "outfits.csv no such file | the first line has the names"),
    (lambda root: (root / "outfits.csv").rename(root / "outfit.csv"), "outfits.csv no such file | did you mean 'outf"),
    (lambda root: (root / "photos").rename(root / "pics"), "photos no such folder | the photos of a category are in"),
    (
        content(b""),
        "outfits.csv an empty file | the first line has the names of the columns: user,outfit,item, and may",
    ),
    (content(b"\n\n"), "outfits.csv an empty file"),
    (content(HEAD), "outfits.csv:1 no row below the header"),
    (content(b"user,item,split\na,b,c\n"), "outfits.csv:1 no column 'outfit' in the header 'user,item,split'"),
    (content(b"a,b,tops/1.jpg\n"), "outfits.csv:1 no column 'user' and 'outfit' and 'item' in the header"),
    (content(b"user;outfit;item\na;b;c\n"), "outfits.csv:1 no column 'user' and 'outfit' and 'item' in the header 'us"),
    (table((1, "user,outfit,item,Splitt")), "outfits.csv:1 unknown column 'Splitt' | did you mean 'split'?"),
    (table((1, "user,outfit,item,SPLIT")), "outfits.csv:1 unknown column 'SPLIT' | did you mean 'split'?"),
    (table((1, "user,outfit,item,price")), "outfits.csv:1 unknown column 'price' | take it out of the table"),
    (table((1, "user,outfit,item,split,")), "outfits.csv:1 a column without a name | take it out of the table"),
    (table((1, "user,outfit,item,user")), "outfits.csv:1 2 columns 'user' | leave one of them"),
    (table((3, "bob,x,shoes/1.jpg")), "outfits.csv:3 3 cells, expected the 4 of 'user,outfit,item,split'"),
    (table((3, "bob,x,shoes/1.jpg,train,")), "outfits.csv:3 5 cells, expected the 4 of"),
    (table((3, "bob,,shoes/1.jpg,")), "outfits.csv:3 outfit: an empty cell; split: an empty cell"),
    (table((3, "bob ,x,shoes/1.jpg,train")), "outfits.csv:3 user: blanks around 'bob '"),
    (
        table((3, f"bob,x,{'s' * 2000},train")),
        "outfits.csv:3 item: a cell of 2,000 characters, more than 1,000: is a quote not closed?",
    ),
    (table((3, 'bob,"x"1,shoes/1.jpg,train')), "outfits.csv:3 broken quoting: ',' expected after '\"' | a cell with"),
    (table((3, 'bob,"x,shoes/1.jpg,train')), "outfits.csv:3 broken quoting: unexpected end of data"),
    (table((3, 'bob,"x,shoes/1.jpg,train' + "\n" * 200_000)), "outfits.csv:3 broken quoting: field larger than"),
    (content(HEAD + "Zoë,x,tops/1.jpg,train\n".encode("latin-1")), "outfits.csv:2 not UTF-8: 0xEB, byte 3 of the line"),
    (
        content((HEAD + b"a,b,c,d\n").decode().encode("utf-16")),
        "outfits.csv:1 not UTF-8: 0xFF, byte 1 of the line | it",
    ),
    (
        content(HEAD + b"a,b,c\0,d\n"),
        "outfits.csv:2 a NUL byte, which no text has, byte 6 of the line | save it as UTF-8",
    ),
    (
        table((3, "bob,x,/shoes/1.jpg,train")),
        "outfits.csv:3 item '/shoes/1.jpg' is an absolute path | write the path wi",
    ),
    (table((3, "bob,x,C:/shoes/1.jpg,train")), "outfits.csv:3 item 'C:/shoes/1.jpg' is an absolute path | write the p"),
    (
        table((3, "bob,x,../photos/shoes/1.jpg,train")),
        "outfits.csv:3 item '../photos/shoes/1.jpg' has '..', '.' or not",
    ),
    (table((3, "bob,x,shoes/../shoes/1.jpg,train")), "outfits.csv:3 item 'shoes/../shoes/1.jpg' has '..', '.' or noth"),
    (
        table((3, "bob,x,./shoes/1.jpg,train")),
        "outfits.csv:3 item './shoes/1.jpg' has '..', '.' or nothing for a folder",
    ),
    (table((3, "bob,x,shoes//1.jpg,train")), "outfits.csv:3 item 'shoes//1.jpg' has '..', '.' or nothing for a folder"),
    (
        table((3, "bob,x,shoes\\1.jpg,train")),
        "outfits.csv:3 item 'shoes\\\\1.jpg' has a backslash in it | write the pa",
    ),
    (table((3, "bob,x,photos/shoes/1.jpg,train")), "outfits.csv:3 item 'photos/shoes/1.jpg' is not in ROOT/photos | w"),
    (
        table((3, "bob,x,shoes/1.JPG,train")),
        "outfits.csv:3 item 'shoes/1.JPG' is not in ROOT/photos | did you mean 'sho",
    ),
    (
        table((3, "bob,x,shoe/1.jpg,train")),
        "outfits.csv:3 item 'shoe/1.jpg' is not in ROOT/photos | did you mean 'shoes",
    ),
    (table((3, "bob,x,shoes/1.jpgg,train")), "outfits.csv:3 item 'shoes/1.jpgg' is no photo: .jpg, .jpeg, .png, .webp"),
    (table((3, "bob,x,shoes/high,train")), "outfits.csv:3 item 'shoes/high' is no photo"),
    (
        both(photos("1.jpg"), table((3, "bob,x,1.jpg,train"))),
        "outfits.csv:3 item '1.jpg' is in no folder of a category",
    ),
    (
        both(photos("tops/e\u0301.jpg"), table((3, "bob,x,tops/\u00e9.jpg,train"))),
        "outfits.csv:3 item 'tops/é.jpg' is no",
    ),
    (
        table((6, "bob,x,tops/1.jpg,train")),
        "outfits.csv:6 item 'tops/1.jpg' is in outfit 'x' of user 'bob' already, in l",
    ),
    (
        table((6, "bob,x,bags/b.PNG,valid")),
        "outfits.csv:6 outfit 'x' of user 'bob' is in valid, and in train in line 2",
    ),
    (table((13, "bob,v,bags/b.PNG,train")), "outfits.csv:13 outfit 'v' of user 'bob' has one item | the rows with one"),
    (
        both(photos(*MANY), table((13, "\n".join(f"bob,v,{item},train" for item in MANY)))),
        "outfits.csv:13 outfit 'v' of user 'bob' has 101 items, more than 100 | the rows with one",
    ),
    (
        table((13, "bob,v,shoes/high/2.jpeg,test\nbob,v,tops/2.webp,test")),
        "outfits.csv:13 outfit 'v' of user 'bob', in test, has the items of line 5's outfit, in valid | leave one",
    ),
    (table((6, "bob,x,bags/b.PNG,val")), "outfits.csv:6 split: 'val' is none | did you mean 'valid'?"),
    (
        table((9, "ann,z,tops/1.jpg,train"), (10, "ann,z,tops/2.webp,train")),
        "outfits.csv no outfit in test | give each",
    ),
    (table((13, "eve,x,tops/1.jpg,test\neve,x,tops/2.webp,test")), "outfits.csv:13 user 'eve' has no outfit in train"),
]


@pytest.mark.parametrize(("edit", "expected"), WRONG, ids=[expected[:60] for _, expected in WRONG])
def test_wrong_data_are_named_with_their_line(tmp_path: Path, edit: Callable[[Path], None], expected: str) -> None:
    edit(small(tmp_path))
    found = problems(tmp_path)
    assert any(one.startswith(expected) for one in found), found


@pytest.mark.parametrize(
    ("item", "hint"),
    [
        ("photos/shoes/1.jpg", "write the path within photos: 'shoes/1.jpg'"),
        ("C:/my/photos/shoes/1.jpg", "write the path within photos: 'shoes/1.jpg'"),
        ("../shoes/./1.jpg", "write the path within photos: 'shoes/1.jpg'"),
        ("shoes\\1.jpg", "write the path within photos: 'shoes/1.jpg'"),
        ("Shoes/1.Jpg", "did you mean 'shoes/1.jpg'?"),
        ("shoe/1.jpg", "did you mean 'shoes/1.jpg'?"),
        ("tops/1.jpeg", "did you mean 'tops/1.jpg'?"),
        ("tops/caf\u00e9.jpg", "the folder has 'tops/cafe\\u0301.jpg', which looks the same as 'tops/caf\\xe9.jpg'"),
        ("quite/different/thing.png", ""),
    ],
)
def test_the_nearest_photo_is_the_hint(tmp_path: Path, item: str, hint: str) -> None:
    put(small(tmp_path), "tops/cafe\u0301.jpg")
    write(tmp_path, [*ROWS, ("ann", "z", item, "test")])
    [found] = problems(tmp_path)
    assert found.split(" | ")[1] == hint


def test_a_photo_outside_of_all_categories_is_no_hint(tmp_path: Path) -> None:
    small(tmp_path)
    found = problems(tmp_path, photos="photos/tops")
    assert found[0] == (
        "outfits.csv:2 item 'tops/1.jpg' is not in ROOT/photos/tops | "
        "the photos of a category are in a folder of its name: photos/tops/1.jpg"
    )
    assert not any("did you mean" in one for one in found)


def test_everything_wrong_comes_at_once(tmp_path: Path) -> None:
    small(tmp_path)
    edits = [(3, "bob,x,shoes/1.jpg"), (4, "ann,x,tops/9.jpg,train"), (6, "bob,x,bags/b.PNG,test"), (8, 'ann,"x"x,a,b')]
    table(*edits)(tmp_path)
    assert [one.split(" ")[0] for one in problems(tmp_path)] == [f"outfits.csv:{line}" for line in (8, 3, 6, 4)]
    (tmp_path / "outfits.csv").write_bytes(b"\0")
    (tmp_path / "photos").rename(tmp_path / "pictures")
    assert [one.split(" ")[0] for one in problems(tmp_path)] == ["outfits.csv:1", "photos"]


def test_rows_that_were_left_out_make_no_further_problems(tmp_path: Path) -> None:
    small(tmp_path)
    # Without the row, ann's outfit z would have one item; without the outfit, the split would have none.
    table((9, "ann,z,,test"))(tmp_path)
    assert problems(tmp_path) == ["outfits.csv:9 item: an empty cell | "]


def test_many_problems_of_a_kind_are_cut(tmp_path: Path) -> None:
    small(tmp_path)
    write(tmp_path, [*ROWS, *(("ann", "z", f"tops/n{k}.jpg", "test") for k in range(50)), *([("a", "b", "c")] * 30)])
    found = problems(tmp_path)
    assert len(found) == 22
    assert found[0].startswith("outfits.csv:63 3 cells")
    assert found[10] == "outfits.csv … and 20 more of this kind | "
    assert found[11].startswith("outfits.csv:13 item 'tops/n0.jpg' is not in ROOT/photos")
    assert found[21] == "outfits.csv … and 40 more of this kind | "


def test_a_root_that_is_no_folder(tmp_path: Path) -> None:
    assert problems(tmp_path / "no", table="t.csv") == [
        " no such folder: ROOT | 'root' has t.csv and the folder photos in it"
    ]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(tmp_path)
    scan = os.scandir

    def refusing(path: Path) -> Any:
        if Path(path).name == "tops":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    # That its photos are not found goes without saying.
    assert problems(tmp_path) == ["photos/tops cannot be read: Permission denied | "]


def test_a_locked_root_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small(tmp_path / "mine")
    lock(root, monkeypatch)
    assert problems(root) == [f"{name} cannot be read: Permission denied | " for name in ("outfits.csv", "photos")]
    lock(tmp_path, monkeypatch)
    assert problems(root)[0].startswith(" no such folder: ROOT")


def test_a_file_in_the_place_of_the_photos_is_named(tmp_path: Path) -> None:
    small(tmp_path)
    assert problems(tmp_path, photos="outfits.csv") == ["outfits.csv cannot be read: Not a directory | "]


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
