"""One's own photos and table, with something wrong."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from folders import ROWS, lock, problems, put, small, write


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
