import json
from pathlib import Path
from typing import Any

import pytest
from folders import lock
from loaded import complaints, named
from release_trees import NUMBERED, Edit, changed, line, maryland_polyvore, removed, written

from outfitrec.core.data import Dataset
from outfitrec.core.engine import run
from outfitrec.core.errors import DataError
from outfitrec.plugins.datasets.maryland_polyvore import MarylandPolyvore
from outfitrec.testing import check_component

QUESTIONS = "fill_in_blank_test.json"
LABELLED = "fashion_compatibility_prediction.txt"
TRAIN = "train_no_dup.json"


def load(folder: Path) -> Dataset:
    return MarylandPolyvore(root=str(folder)).load()


def problems(folder: Path) -> list[str]:
    """What loading complains of."""
    return complaints(folder, lambda: load(folder))


def identity(item: dict[str, Any]) -> str:
    return str(item["image"]).rpartition("tid=")[2]


def plain(folder: Path, split: str) -> tuple[list[list[str]], dict[str, str]]:
    """The outfits of a split as a plain reader reads them, and the item of each reference."""
    entries = json.loads((folder / f"{split}_no_dup.json").read_text())
    outfits = [[identity(item) for item in one["items"]] for one in entries]
    return outfits, {f"{one['set_id']}_{item['index']}": identity(item) for one in entries for item in one["items"]}


def test_outfits_and_categories_are_those_of_a_plain_reader(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    data = load(folder)
    assert data.users == 1
    assert data.notes == {}
    # Categories that no item has are left out.
    assert data.catalog.categories == tuple(NUMBERED.values())
    number: dict[str, int] = {}
    for name, split in data.splits.items():
        outfits, _ = plain(folder, name)
        assert named(data, split.positives.outfits) == outfits
        assert split.positives.users.unique().tolist() == [0]
        for one in json.loads((folder / f"{name}_no_dup.json").read_text()):
            number |= {identity(item): item["categoryid"] for item in one["items"]}
    kinds = [data.catalog.categories[kind] for kind in data.catalog.category.tolist()]
    assert kinds == [NUMBERED[number[name]] for name in data.catalog.names]


def test_an_item_of_several_outfits_is_one_with_the_photo_of_the_first(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    first: dict[str, Path] = {}
    places: dict[str, int] = {}
    for split in ("train", "valid", "test"):
        for one in json.loads((folder / f"{split}_no_dup.json").read_text()):
            for item in one["items"]:
                first.setdefault(identity(item), folder / "images" / one["set_id"] / f"{item['index']}.jpg")
                places[identity(item)] = places.get(identity(item), 0) + 1
    assert max(places.values()) > 1
    catalog = load(folder).catalog
    assert list(catalog.names) == list(first)
    assert catalog.photos is not None
    for item, name in enumerate(catalog.names):
        assert catalog.photos.where(item) == str(first[name])
        assert catalog.photos.read(item) == first[name].read_bytes()


def test_the_first_answer_is_right_and_the_items_keep_their_order(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    data = load(folder)
    outfits, items = plain(folder, "test")
    questions = data.splits["test"].questions
    assert questions is not None
    found = named(data, questions.outfits)
    assert found[::4] == outfits
    for place, each in enumerate(json.loads((folder / QUESTIONS).read_text())):
        position = each["blank_position"] - 1
        blanks = [outfit.pop(position) for outfit in found[4 * place : 4 * place + 4]]
        assert blanks == [items[one] for one in each["answers"]]
        assert found[4 * place : 4 * place + 4] == [[items[one] for one in each["question"]]] * 4


def test_a_wrong_answer_may_be_of_the_outfit_of_the_question(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    asked = json.loads((folder / QUESTIONS).read_text())
    asked[1]["answers"][2] = asked[1]["question"][0]
    (folder / QUESTIONS).write_text(json.dumps(asked))
    _, items = plain(folder, "test")
    questions = load(folder).splits["test"].questions
    assert questions is not None
    assert named(load(folder), questions.outfits)[6][asked[1]["blank_position"] - 1] == items[asked[1]["question"][0]]


def test_a_right_answer_that_is_a_wrong_one_too_is_noted(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    right, wrong = json.loads((folder / QUESTIONS).read_text())[1]["answers"][:2]
    _, items = plain(folder, "test")

    def change(sets: Any) -> None:
        for one in sets:
            for each in one["items"]:
                if f"{one['set_id']}_{each['index']}" == wrong:
                    each["image"] = f"http://x/?tid={items[right]}"

    changed("test_no_dup.json", change)(folder)
    data = load(folder)
    assert data.notes["answers_again"] == 1
    questions = data.splits["test"].questions
    assert questions is not None
    assert questions.outfits.items[4].equal(questions.outfits.items[5])


def test_labelled_outfits_are_of_the_test_split(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    data = load(folder)
    _, items = plain(folder, "test")
    rows = [row.split() for row in (folder / LABELLED).read_text().splitlines()]
    compatibility = data.splits["test"].compatibility
    assert compatibility is not None
    assert compatibility.label.tolist() == [row[0] == "1" for row in rows]
    assert named(data, compatibility.outfits) == [[items[one] for one in row[1:]] for row in rows]
    assert data.splits["valid"].compatibility is None


def test_questions_and_labels_may_be_missing(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    (folder / QUESTIONS).unlink()
    (folder / LABELLED).unlink()
    test = load(folder).splits["test"]
    assert test.questions is None
    assert test.compatibility is None


def test_an_item_whose_category_changes_has_its_first_and_is_counted(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    data = load(folder)
    name = data.catalog.names[0]

    def change(sets: Any) -> None:
        copy = {**sets[0]["items"][0], "index": 20, "categoryid": 113}
        sets[1]["items"].append(copy)

    changed(TRAIN, change)(folder)
    again = load(folder)
    assert again.notes == {"items_of_several_categories": 1}
    assert again.catalog.names[0] == name
    assert again.catalog.categories == data.catalog.categories
    assert again.catalog.category.equal(data.catalog.category)


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    first = load(maryland_polyvore(tmp_path / "a")).digest
    folder = maryland_polyvore(tmp_path / "b")
    assert load(folder).digest == first
    line("category_id.txt", 1, "2 Clothes")(folder)
    assert load(folder).digest != first


def test_the_contract_of_datasets_is_kept(tmp_path: Path) -> None:
    report = check_component("dataset/maryland_polyvore", fields={"root": str(maryland_polyvore(tmp_path))})
    assert report.ok, str(report)


def item(key: str, value: Any) -> Edit:
    """Changes the second item of the third training outfit."""
    return changed(TRAIN, lambda sets: sets[2]["items"][1].update({key: value}))


WRONG: list[tuple[Edit, str]] = [
    (removed("valid_no_dup.json"), "valid_no_dup.json no such file"),
    (removed("category_id.txt"), "category_id.txt no such file"),
    (written("category_id.txt", ""), "category_id.txt the file is empty"),
    (line("category_id.txt", 2, "Tops"), "category_id.txt:2 'Tops', expected a number, a space and a name"),
    (line("category_id.txt", 2, "11"), "category_id.txt:2 '11', expected a number, a space and a name"),
    (line("category_id.txt", 2, ""), "category_id.txt:2 '', expected"),
    (line("category_id.txt", 2, "11 To\0ps"), "category_id.txt:2 '11 To\\x00ps', expected"),
    (written("category_id.txt", b"11 T\xf6ps\n"), "category_id.txt:1 '11 T\ufffdps', expected"),
    (line("category_id.txt", 3, "11 Trousers"), "category_id.txt:3 11 is in line 2 already"),
    (line("category_id.txt", 3, "28 Tops"), "category_id.txt:3 'Tops' is in line 2 already"),
    (line("category_id.txt", 2, "12 Tops"), f"{TRAIN} [0].items[0]: categoryid is 11, which category_id.txt does not"),
    (item("categoryid", None), f"{TRAIN} [2].items[1]: categoryid is None, which category_id.txt does not have"),
    (item("categoryid", "11"), f"{TRAIN} [2].items[1]: categoryid is '11'"),
    (item("image", None), f"{TRAIN} [2].items[1]: image is None, expected an address with tid= and a number"),
    (item("image", "http://x/?tid="), f"{TRAIN} [2].items[1]: image is 'http://x/?tid=', expected an address"),
    (item("index", -1), f"{TRAIN} [2].items[1]: index is -1, expected a whole number of 0 or more"),
    (changed(TRAIN, lambda sets: sets[2].update(set_id="..")), f"{TRAIN} [2]: expected a set_id of letters and digits"),
    (
        changed(TRAIN, lambda sets: sets[2].update(items=[])),
        f"{TRAIN} [2]: an outfit of fewer than 2 items (set_id '102')",
    ),
    (written(QUESTIONS, "["), f"{QUESTIONS}:1:2 not JSON: "),
    (
        changed(QUESTIONS, lambda asked: asked[1]["answers"].reverse()),
        f"{QUESTIONS} [1]: no right answer: the first is of the outfit 301",
    ),
    (changed(QUESTIONS, lambda asked: asked[1]["answers"].append("400_1")), f"{QUESTIONS} [1]: unknown item '400_1'"),
    (line(LABELLED, 2, "1 100_1 300_1"), f"{LABELLED}:2 unknown item '100_1'"),
]


@pytest.mark.parametrize(("edit", "expected"), WRONG, ids=[f"{k}-{text[:50]}" for k, (_, text) in enumerate(WRONG)])
def test_a_wrong_file_is_named_with_its_place(tmp_path: Path, edit: Edit, expected: str) -> None:
    folder = maryland_polyvore(tmp_path)
    edit(folder)
    found = problems(folder)
    assert any(one.startswith(expected) for one in found), found


def test_everything_wrong_comes_at_once(tmp_path: Path) -> None:
    folder = maryland_polyvore(tmp_path)
    for edit in (item("image", 3), removed("valid_no_dup.json"), line(LABELLED, 3, "?"), removed("category_id.txt")):
        edit(folder)
    (folder / "images").rename(folder / "photos")
    assert sorted(one.split(" ")[0] for one in problems(folder)) == [
        "category_id.txt",
        f"{LABELLED}:3",
        "images",
        TRAIN,
        "valid_no_dup.json",
    ]


def test_a_locked_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = maryland_polyvore(tmp_path / "data")
    lock(folder, monkeypatch)
    assert f"{TRAIN} cannot be read: Permission denied" in problems(folder)
    lock(tmp_path, monkeypatch)
    assert problems(folder) == [f" no such folder: {folder}"]


def test_a_missing_folder_is_told_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder") as caught:
        load(tmp_path / "nowhere")
    assert "category_id.txt" in caught.value.problems[0].hint


def test_one_user_is_trained_and_evaluated_from_the_photos(tmp_path: Path) -> None:
    maryland_polyvore(tmp_path)
    recipe = {
        "name": "without-users",
        "dataset": {"name": "maryland_polyvore", "root": str(tmp_path)},
        "image": {"size": 64},
        "model": {"dim": 8, "encoder": {"name": "alexnet", "size": "xs", "weights": "none"}, "aggregator": "mean"},
        "train": {"epochs": 1, "batch": 6, "accelerator": "cpu", "workers": 1},
    }
    found = run(recipe, out=tmp_path / "runs").result
    assert set(found.test) == {"auc", "ndcg", "fitb", "compatibility_auc"}
    assert all(0 <= value <= 1 for value in found.test.values())
