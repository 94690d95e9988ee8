"""``outfitrec data check``, and what it finds."""

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from commands import document, invoke
from folders import HEADER, photo, put, wardrobe, write
from test_photos import JPEG, PNG, png_header

from outfitrec.core.data import SPLITS, Dataset
from outfitrec.core.errors import DataError
from outfitrec.core.images import check_photos
from outfitrec.core.photos import BadPhotoError, decode
from outfitrec.plugins.datasets.folder import Folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    wardrobe(tmp_path / "mine")
    return tmp_path / "mine"


def rows(root: Path) -> list[list[str]]:
    with (root / "outfits.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def problems(*arguments: str | Path) -> list[dict[str, str]]:
    """What the document of an error lists; the exit status is that of wrong data."""
    result = invoke("data", "check", *arguments, "--json")
    assert result.exit_code == 2, result.output
    found = json.loads(result.stdout)["error"]
    assert found["exit_code"] == 2
    listed: list[dict[str, str]] = found["problems"]
    return listed


def test_the_document_counts_what_the_table_says(root: Path) -> None:
    put(root, "hats/unused.jpg", content=b"no photo")
    write(root, [*rows(root), ("ann", "big", "tops/0.jpg", "train"), ("ann", "big", "tops/1.jpg", "train")])
    told = rows(root)
    sizes = Counter((user, outfit) for user, outfit, _, _ in told)
    photos = {item for _, _, item, _ in told}
    wearers = defaultdict(set)
    for user, _, _, split in told:
        wearers[split].add(user)
    found = document("data", "check", root)
    assert len(found.pop("digest")) == 64
    assert found == {
        "dataset": "folder",
        "path": str(root),
        "users": 2,
        "outfits": {name: len({row[:2][0] + row[1] for row in told if row[3] == name}) for name in SPLITS},
        "items": dict(sorted(Counter(item.split("/")[0] for item in photos).items())),
        "items_in_outfits": len(photos),
        "items_of_an_outfit": {
            "smallest": min(sizes.values()),
            "mean": pytest.approx(sum(sizes.values()) / len(sizes)),
            "largest": max(sizes.values()),
        },
        "photos_decoded": len(photos),
        "notes": {"users_without_outfits": {name: 2 - len(wearers[name]) for name in SPLITS}},
    }


def test_the_summary(root: Path) -> None:
    write(root, [row[:3] for row in rows(root)], header=HEADER[:3])
    result = invoke("data", "check", root, "shares=[4,1,1]")
    assert result.exit_code == 0, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines == [
        str(root),
        "users 2",
        "outfits 12: 8 train, 2 valid, 2 test",
        "items 18: 6 bottoms, 6 shoes, 6 tops",
        "items of an outfit 3 to 3, 3.0 on average",
        "photos 18 decoded",
        "shares train 0.667, valid 0.167, test 0.167",
        "users without outfits train 0, valid 0, test 0",
        "nothing is wrong",
    ]


def test_photos_that_cannot_be_used_are_listed_with_an_outfit(root: Path) -> None:
    put(root, "tops/0.jpg", content=photo(0)[:-200])
    put(root, "shoes/1.jpg", content=b"<html>not found</html>")
    put(root, "hats/unused.jpg", content=b"")
    first, second = problems(root)
    assert first["where"] == str(root / "photos" / "shoes" / "1.jpg")
    assert first["message"].startswith("the photo is not an image")
    assert "(it is in valid positive 0 of user 'ann')" in first["message"]
    assert second["where"] == str(root / "photos" / "tops" / "0.jpg")
    assert second["message"].startswith("the photo is damaged")
    assert second["hint"].startswith("put a readable photo in each place")


def test_photos_can_be_left_alone(root: Path) -> None:
    put(root, "tops/0.jpg", content=b"")
    assert document("data", "check", root, "--no-photos")["photos_decoded"] == 0
    assert "not looked into (--no-photos)" in invoke("data", "check", root, "--no-photos").stdout


def test_a_photo_that_is_gone_after_it_was_found_is_a_bad_one(root: Path) -> None:
    photos = Folder(root=str(root)).load().catalog.photos
    assert photos is not None
    (root / "photos" / "tops" / "0.jpg").unlink()
    with pytest.raises(DataError, match=r"tops/0.jpg: the photo cannot be read: No such file") as caught:
        check_photos(photos, torch.arange(18))
    assert len(caught.value.problems) == 1
    check_photos(photos, torch.arange(12), workers=1)


def refused(data: bytes, size: int) -> bool:
    try:
        decode(data, size)
    except BadPhotoError:
        return True
    return False


@pytest.mark.parametrize("data", [JPEG, PNG, photo(1, 300)], ids=["jpeg", "png", "large jpeg"])
def test_what_is_damaged_for_a_store_is_damaged_for_the_check(data: bytes) -> None:
    """Cut anywhere, a photo is refused at one pixel where it is refused at its full size."""
    cuts = [*range(0, len(data), max(1, len(data) // 150)), len(data) - 1, len(data)]
    whole = [refused(data[:cut], 300) for cut in cuts]
    assert [refused(data[:cut], 1) for cut in cuts] == whole
    assert True in whole
    assert not whole[-1]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_enormous_photo_is_refused(root: Path) -> None:
    put(root, "tops/0.jpg", content=png_header(9000, 8000))
    [found] = problems(root)
    assert "9000 × 8000 pixels" in found["message"]


def test_nothing_is_written(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTFITREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert invoke("data", "check", root).exit_code == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_all_that_is_wrong_with_the_table_is_listed(root: Path) -> None:
    write(root, [*rows(root), ("ann", "x", "tops/99.jpg", "train"), ("ann", "y", "tops/1.jpg", "vaild")])
    found = problems(root)
    assert [one["where"].removeprefix(f"{root}/") for one in found] == [
        "outfits.csv:39",
        "outfits.csv:38",
        "outfits.csv:39",
        "outfits.csv:38",
    ]
    said = invoke("data", "check", root)
    assert said.exit_code == 2
    assert not said.stdout
    assert "error: " in said.stderr
    assert "did you mean 'valid'?" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tabel=x.csv"], "did you mean 'table'?"),
        (["table"], "no '=' in it"),
        (["table.name=x"], "table.name: unknown key of dataset 'folder'"),
        (["shares=[1,0,1]"], "must be > 0"),
        (["root=elsewhere"], "override 'root=elsewhere': the key 'root' is PATH"),
        (["name=ifashion"], "override 'name=ifashion': the key 'name' is the option --dataset"),
        (["--dataset", "foldr"], "did you mean 'folder'?"),
        (["--dataset", "synthetic"], "root: unknown key of dataset 'synthetic'"),
        (["table=other.csv"], "did you mean 'outfits.csv'?"),
    ],
)
def test_what_was_written_wrong_is_said(root: Path, arguments: list[str], expected: str) -> None:
    result = invoke("data", "check", root, *arguments)
    assert result.exit_code == 2
    assert expected in result.stderr


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    [found] = problems(tmp_path / "nowhere")
    assert found["message"] == f"no such folder: {tmp_path / 'nowhere'}"


def test_the_validation_split_must_have_two_halves(root: Path) -> None:
    write(root, [row for row in rows(root) if row[3] != "valid" or row[:2] == ["ann", "outfit 1"]])
    [found] = problems(root)
    assert found["message"].startswith("a split of 1 outfits cannot be halved")


def without(dataset: Dataset, **changes: Any) -> Dataset:
    return attrs.evolve(dataset, **changes)


def test_data_of_given_features_have_no_photos_to_decode(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Folder(root=str(root)).load()
    catalog = attrs.evolve(dataset.catalog, photos=None, features=torch.zeros(18, 4))
    monkeypatch.setattr(Folder, "load", lambda self: without(dataset, catalog=catalog))
    assert document("data", "check", root)["photos_decoded"] == 0
    assert "none: the items have given features" in invoke("data", "check", root).stdout


def test_an_empty_split_of_any_dataset_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Folder(root=str(root)).load()
    splits = {name: one for name, one in dataset.splits.items() if name != "test"}
    monkeypatch.setattr(Folder, "load", lambda self: without(dataset, splits=splits))
    assert problems(root) == [{"message": "no outfits in test", "where": str(root), "hint": ""}]


def test_any_dataset_with_a_root_can_be_checked(closet: Path) -> None:
    found = document("data", "check", closet, "users=12", "--dataset", "polyvore_u", "--no-photos")
    assert found["outfits"] == {"train": 288, "valid": 72, "test": 360}
    assert found["items"] == {"top": 2913, "bottom": 1155, "shoe": 431}
    text = invoke("data", "check", closet, "users=12", "--dataset", "polyvore_u", "--no-photos").stdout
    assert f"431 shoe; {found['items_in_outfits']:,} in outfits" in text
