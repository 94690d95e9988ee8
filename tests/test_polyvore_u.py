import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from loaded import complaints

from outfitrec.core.data import Dataset
from outfitrec.core.errors import DataError
from outfitrec.plugins.datasets.polyvore_u import PolyvoreU

SPLITS = {"train": "train", "valid": "val", "test": "test"}
HEADER = "user,top,bottom,shoe"
WIDE = "user,top,top,bottom,shoe"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def small(root: Path) -> Path:
    """Two users, three columns, two random negatives a positive; the tuple folder."""
    folder = root / "tuples_2"
    folder.mkdir(parents=True)
    (root / "images" / "291x291").mkdir(parents=True)
    files = {f"image_list_{name}": [f"{name}{n}.jpg" for n in range(6)] for name in ("top", "bottom", "shoe")}
    for k, name in enumerate(SPLITS.values()):
        posted = [(0, k, k, 0), (1, k + 1, k, 1), (0, k, k + 1, 2)]
        files[f"tuples_{name}_posi"] = [HEADER, *(",".join(map(str, row)) for row in posted)]
        unseen = [(row[0], 5, 5, n) for row in posted for n in (3, 4)]
        files[f"tuples_{name}_nega"] = [HEADER, *(",".join(map(str, row)) for row in unseen)]
    files["fill_in_blank_test"] = [f"{HEADER},{HEADER}", "0,2,2,0,0,2,2,5", "1,3,2,1,1,4,2,1", "0,2,3,2,0,2,4,2"]
    for name, content in files.items():
        (folder / name).write_text("\n".join(content) + "\n")
    return folder


def wide(root: Path) -> Path:
    """The same with a second top, none in the first outfit of each split, and without questions."""
    folder = small(root)
    (folder / "fill_in_blank_test").unlink()
    for path in folder.glob("tuples_*"):
        rows = [row.split(",") for row in lines(path)[1:]]
        tops = ["-1" if k == 0 else "0" for k in range(len(rows))]
        made = [",".join([row[0], row[1], top, *row[2:]]) for row, top in zip(rows, tops, strict=True)]
        path.write_text("\n".join([WIDE, *made]) + "\n")
    return folder


def load(folder: Path, **fields: Any) -> Dataset:
    return PolyvoreU(**{"root": str(folder.parent), "users": 2, **fields}).load()


def problems(folder: Path, **fields: Any) -> list[str]:
    """What loading complains of."""
    return complaints(folder, lambda: load(folder, **fields))


@pytest.mark.parametrize("users", [40, 36, 12, 10])
def test_the_real_folder_is_read_as_a_plain_reader_reads_it(closet: Path, users: int) -> None:
    data = PolyvoreU(root=str(closet), users=users).load()
    folder = closet / f"tuples_{users}"
    lists = {name: lines(folder / f"image_list_{name}") for name in ("top", "bottom", "shoe")}
    assert data.users == users
    assert len(data.catalog) == sum(map(len, lists.values())) == 2913 + 1155 + 431
    assert data.catalog.category.bincount().tolist() == [2913, 1155, 431]
    assert data.notes == {}
    for name, file in SPLITS.items():
        split = data.splits[name]
        tables = {"posi": split.positives, "nega": split.negatives["random"], "nega_hard": split.negatives["hard"]}
        for end, table in tables.items():
            with (folder / f"tuples_{file}_{end}").open() as opened:
                header, *rows = csv.reader(opened)
            assert table.users.tolist() == [int(row[0]) for row in rows]
            for row, items, kinds in list(
                zip(rows, table.outfits.items.tolist(), table.outfits.category.tolist(), strict=True)
            )[::37]:
                names = [data.catalog.names[item] if item >= 0 else None for item in items]
                wanted = list(zip(header[1:], map(int, row[1:]), strict=True))
                assert names == [lists[column][value] if value >= 0 else None for column, value in wanted]
                assert [data.catalog.categories[kind] if kind >= 0 else None for kind in kinds] == [
                    column if value >= 0 else None for column, value in wanted
                ]
    questions = data.splits["test"].questions
    assert questions is not None
    assert questions.candidates == 4
    assert len(questions.outfits) == 4 * len(lines(folder / "fill_in_blank_test")[1:])
    right = questions.outfits[::4]
    assert right.items.equal(data.splits["test"].positives.outfits.items)
    assert data.catalog.photos is not None
    assert data.catalog.photos.read(0) == (closet / "images" / "291x291" / lists["top"][0]).read_bytes()


@pytest.mark.parametrize(("users", "counts"), [(40, (6000, 800, 1200)), (36, (5400, 720, 1080)), (12, (288, 72, 360))])
def test_the_real_counts(closet: Path, users: int, counts: tuple[int, int, int]) -> None:
    splits = PolyvoreU(root=str(closet), users=users).load().splits
    assert tuple(len(split) for split in splits.values()) == counts
    for split in splits.values():
        assert {name: len(rows) for name, rows in split.negatives.items()} == {
            "random": 10 * len(split),
            "hard": 10 * len(split),
        }


def test_resplit_of_the_real_folder(closet: Path) -> None:
    data, again, other = (
        PolyvoreU(root=str(closet), users=36, split="resplit", split_seed=seed).load() for seed in (3, 3, 4)
    )
    sizes = [len(split) for split in data.splits.values()]
    assert sum(sizes) == 5400 + 720 + 1080
    assert [size / sum(sizes) for size in sizes] == pytest.approx([9 / 13, 2 / 13, 2 / 13], abs=0.01)
    assert data.notes["shares"] == {name: len(split) / 7200 for name, split in data.splits.items()}
    seen: dict[tuple[int, int], str] = {}
    for name, split in data.splits.items():
        for user, items in zip(split.positives.users.tolist(), split.positives.outfits.items.tolist(), strict=True):
            for item in set(items) - {-1}:
                assert seen.setdefault((user, item), name) == name
    assert again.digest == data.digest != other.digest
    assert again.splits["test"].positives.outfits.items.equal(data.splits["test"].positives.outfits.items)
    assert not other.splits["train"].positives.outfits.items.equal(data.splits["train"].positives.outfits.items)


def test_a_small_folder(tmp_path: Path) -> None:
    data = load(small(tmp_path))
    assert data.catalog.names[6] == "bottom0.jpg"
    assert data.splits["valid"].positives.outfits.items.tolist() == [[1, 7, 12], [2, 7, 13], [1, 8, 14]]
    assert data.splits["valid"].positives.users.tolist() == [0, 1, 0]
    assert list(data.splits["valid"].negatives) == ["random"]
    questions = data.splits["test"].questions
    assert questions is not None
    assert questions.users.tolist() == [0, 1, 0]
    assert questions.outfits.items[:2].tolist() == [[2, 8, 12], [2, 8, 17]]


def test_minus_one_leaves_the_second_top_empty(tmp_path: Path) -> None:
    outfits = load(wide(tmp_path)).splits["train"].positives.outfits
    assert outfits.items.tolist() == [[0, -1, 6, 12], [1, 0, 6, 13], [0, 0, 7, 14]]
    assert outfits.category.tolist() == [[0, -1, 1, 2], [0, 0, 1, 2], [0, 0, 1, 2]]


def test_line_ends_of_windows_and_a_missing_last_one_are_fine(tmp_path: Path) -> None:
    plain = load(small(tmp_path / "plain"))
    folder = small(tmp_path / "other")
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().strip().replace(b"\n", b"\r\n"))
    data = load(folder)
    assert list(data.catalog.names) == list(plain.catalog.names)
    for name, split in data.splits.items():
        assert split.positives.outfits.items.equal(plain.splits[name].positives.outfits.items)


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    first = load(small(tmp_path / "a")).digest
    folder = small(tmp_path / "b")
    assert load(folder).digest == first
    (folder / "tuples_val_nega").write_text((folder / "tuples_val_nega").read_text().replace("5,5,3", "5,5,1"))
    assert load(folder).digest != first


def test_a_photo_in_two_lists_is_two_items(tmp_path: Path) -> None:
    folder = small(tmp_path)
    (folder / "image_list_shoe").write_text("\n".join(["top0.jpg", *(f"shoe{n}.jpg" for n in range(1, 6))]))
    (tmp_path / "images" / "291x291" / "top0.jpg").write_bytes(b"photo")
    catalog = load(folder).catalog
    assert (catalog.names[0], catalog.names[12]) == ("top0.jpg (top)", "top0.jpg (shoe)")
    assert catalog.photos is not None
    assert catalog.photos.read(12) == b"photo"


def replaced(file: str, line: int, text: str) -> Callable[[Path], None]:
    """Puts ``text`` in the place of a line (counted from 1)."""

    def edit(folder: Path) -> None:
        content = lines(folder / file)
        content[line - 1 : line] = [text]
        (folder / file).write_text("\n".join(content) + "\n")

    return edit


def written(file: str, text: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / file).write_text(text)

    return edit


def removed(file: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / file).unlink()

    return edit


WRONG = [
    (removed("tuples_val_posi"), "tuples_val_posi no such file"),
    (removed("image_list_shoe"), "image_list_shoe no such file"),
    (written("image_list_top", "\n"), "image_list_top no photo is listed"),
    (replaced("image_list_top", 3, ""), "image_list_top:3 an empty line"),
    (replaced("image_list_top", 3, "top0.jpg"), "image_list_top:3 'top0.jpg' is listed in line 1 already"),
    (replaced("image_list_top", 3, "../../secret"), "image_list_top:3 '../../secret' is not a bare file name"),
    (replaced("image_list_top", 3, "a\\b.jpg"), "image_list_top:3 'a\\\\b.jpg' is not a bare file name"),
    (replaced("image_list_top", 3, ".."), "image_list_top:3 '..' is not a bare file name"),
    (replaced("tuples_train_posi", 1, "user,top,shoe"), "tuples_train_posi:1 header 'user,top,shoe', expected"),
    (replaced("tuples_test_posi", 1, WIDE), f"tuples_test_posi:1 header '{WIDE}', expected '{HEADER}'"),
    (replaced("tuples_train_posi", 1, "0,1,1,1"), "tuples_train_posi:1 header '0,1,1,1', expected"),
    (replaced("tuples_train_posi", 3, "1,1,0"), f"tuples_train_posi:3 3 columns, expected the 4 of '{HEADER}'"),
    (replaced("tuples_train_posi", 3, "1,1,0,1,1"), "tuples_train_posi:3 5 columns, expected the 4 of"),
    (replaced("tuples_train_posi", 3, ""), "tuples_train_posi:3 an empty line, expected the 4 of"),
    (replaced("tuples_train_posi", 3, "1,1,,1"), "tuples_train_posi:3 '' is not a whole number"),
    (replaced("tuples_train_posi", 3, "1,1,x,1"), "tuples_train_posi:3 'x' is not a whole number"),
    (replaced("tuples_train_posi", 3, "1,1,1.0,1"), "tuples_train_posi:3 '1.0' is not a whole number"),
    (replaced("tuples_train_posi", 3, "1,1, 1,1"), "tuples_train_posi:3 ' 1' is not a whole number"),
    (replaced("tuples_train_posi", 3, "1,1,1-1,1"), "tuples_train_posi:3 '1-1' is not a whole number"),
    (replaced("tuples_train_posi", 3, f"1,1,{9**30},1"), f"tuples_train_posi:3 '{9**30}' is not a whole number"),
    (replaced("tuples_train_posi", 3, "1,6,0,1"), "tuples_train_posi:3 top 6 is out of range: image_list_top has 6"),
    (replaced("tuples_test_nega", 7, "0,5,5,9"), "tuples_test_nega:7 shoe 9 is out of range: image_list_shoe has 6"),
    (replaced("tuples_train_posi", 3, "1,1,-1,1"), "tuples_train_posi:3 bottom -1 is out of range"),
    (replaced("tuples_train_posi", 3, "1,-1,1,1"), "tuples_train_posi:3 top -1 is out of range"),
    (replaced("tuples_val_posi", 3, "2,1,1,1"), "tuples_val_posi:3 user 2 is out of range: there are 2 users, 0 to 1"),
    (replaced("tuples_val_posi", 3, "0,1,1,1"), "tuples_val_posi no outfit of user 1"),
    (written("tuples_val_posi", HEADER + "\n"), "tuples_val_posi:2 no row below the header"),
    (written("tuples_val_posi", ""), "tuples_val_posi:1 header '', expected"),
    (replaced("tuples_val_nega", 7, "0,1,1,1\n0,1,1,1"), "tuples_val_nega 7 negatives, expected a multiple of the 3"),
    (replaced("tuples_val_nega", 4, "0,1,1,1"), "tuples_val_nega:4 user 0, expected 1, of line 3 of the positives"),
    (replaced("fill_in_blank_test", 1, HEADER), f"fill_in_blank_test:1 header '{HEADER}', expected '{HEADER}', once"),
    (replaced("fill_in_blank_test", 3, "1,3,2,1,0,4,2,1"), "fill_in_blank_test:3 candidates of different users"),
    (replaced("fill_in_blank_test", 3, "1,3,2,1,1,4,3,1"), "fill_in_blank_test:3 candidates that differ in 2 slots"),
    (replaced("fill_in_blank_test", 3, "1,3,2,1,1,3,2,1"), "fill_in_blank_test:3 candidates that differ in 0 slots"),
]


@pytest.mark.parametrize(("edit", "expected"), WRONG, ids=[expected[:60] for _, expected in WRONG])
def test_a_wrong_file_is_named_with_its_line(tmp_path: Path, edit: Callable[[Path], None], expected: str) -> None:
    folder = small(tmp_path)
    edit(folder)
    found = problems(folder)
    assert any(one.startswith(expected) for one in found), found


def test_a_second_top_may_be_none_and_no_other(tmp_path: Path) -> None:
    folder = wide(tmp_path)
    replaced("tuples_train_posi", 3, "1,-1,-2,0,1")(folder)
    assert problems(folder) == [
        "tuples_train_posi:3 top -1 is out of range: image_list_top has 6 photos, 0 to 5",
        "tuples_train_posi:3 top -2 is out of range: image_list_top has 6 photos, 0 to 5, or -1 for none",
    ]


def test_everything_wrong_comes_at_once(tmp_path: Path) -> None:
    folder = small(tmp_path)
    for edit in (
        replaced("image_list_bottom", 2, "bottom0.jpg"),
        replaced("tuples_train_posi", 3, "1,1,0"),
        replaced("tuples_val_posi", 4, "0,7,1,1"),
        replaced("fill_in_blank_test", 4, "nothing"),
        removed("image_list_top"),
    ):
        edit(folder)
    (tmp_path / "images" / "291x291").rmdir()
    assert [problem.split(" ")[0] for problem in problems(folder)] == [
        "image_list_top",
        "image_list_bottom:2",
        "tuples_train_posi:3",
        "fill_in_blank_test:4",
        "",
    ]


def test_many_problems_of_a_file_are_cut(tmp_path: Path) -> None:
    folder = small(tmp_path)
    (folder / "tuples_test_posi").write_text(HEADER + "\n" + "0,9,9,9\n1,0,0,9\n" * 50)
    found = [problem for problem in problems(folder) if problem.startswith("tuples_test_posi")]
    assert len(found) == 11
    assert found[-1] == "tuples_test_posi … and 190 more of this kind"


def test_a_folder_of_other_users_is_suggested(tmp_path: Path) -> None:
    folder = small(tmp_path)
    with pytest.raises(DataError, match="tuples_3") as caught:
        load(folder, users=3)
    assert "tuples_2" in caught.value.problems[0].hint
    with pytest.raises(DataError, match="no such folder") as caught:
        load(folder, root=str(tmp_path / "nowhere"))
    assert "'root' is the folder" in caught.value.problems[0].hint


def test_resplit_wants_each_user_somewhere(tmp_path: Path) -> None:
    folder = small(tmp_path)
    replaced("tuples_val_posi", 3, "0,1,1,1")(folder)
    replaced("tuples_val_nega", 4, "0,1,1,1")(folder)
    replaced("tuples_val_nega", 5, "0,1,1,1")(folder)
    assert problems(folder) == ["tuples_val_posi no outfit of user 1"]
    for name in ("train", "test"):
        path = folder / f"tuples_{name}_posi"
        path.write_text(path.read_text().replace("\n1,", "\n0,"))
        (folder / f"tuples_{name}_nega").unlink()
    assert problems(folder, split="resplit") == [" no outfit of user 1"]


@pytest.mark.parametrize("shares", [(9, 0, 2), (9, -2, 2), (9, float("nan"), 2)])
def test_shares_must_be_above_zero(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="shares must be > 0"):
        PolyvoreU(root=".", users=2, shares=shares)


def test_photos_in_another_folder(tmp_path: Path) -> None:
    folder = small(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "top1.jpg").write_bytes(b"one")
    photos = load(folder, images="other").catalog.photos
    assert photos is not None
    assert photos.read(1) == b"one"
    assert photos.where(1) == str(tmp_path / "other" / "top1.jpg")
    with pytest.raises(FileNotFoundError):
        photos.read(0)
    with pytest.raises(FileNotFoundError):
        photos.stamp(0)
    assert problems(folder, images="none")[0].endswith(f"there is no {tmp_path / 'none'}")


def test_photos_in_an_lmdb(tmp_path: Path) -> None:
    lmdb = pytest.importorskip("lmdb")
    folder = small(tmp_path)
    (tmp_path / "images" / "291x291").rmdir()
    with lmdb.open(str(tmp_path / "images" / "lmdb")) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"top1.jpg", b"one")
        transaction.put(b"shoe0.jpg", b"shoe")
    photos = load(folder).catalog.photos
    assert photos is not None
    assert (photos.read(1), photos.read(12)) == (b"one", b"shoe")
    assert photos.where(1) == f"{tmp_path}/images/lmdb[top1.jpg]"
    with pytest.raises(FileNotFoundError):
        photos.read(0)
    # Teacher and student load the same data in one process.
    again = load(folder, images="images/lmdb").catalog.photos
    assert again is not None
    assert again.read(1) == b"one"
    assert again.stamp(1) == photos.stamp(1)


def test_an_lmdb_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    folder = small(tmp_path)
    (tmp_path / "photos").write_bytes(b"something else" * 1000)
    assert "cannot be opened as an LMDB" in problems(folder, images="photos")[0]


def test_a_missing_extra_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small(tmp_path)
    (tmp_path / "photos").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(DataError, match="not installed") as caught:
        load(folder, images="photos")
    assert "outfitrec[lmdb]" in caught.value.problems[0].hint
    assert torch.is_tensor(load(folder).catalog.category)
