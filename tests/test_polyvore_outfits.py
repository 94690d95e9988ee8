import json
from pathlib import Path
from typing import Any

import pytest
from folders import lock
from loaded import complaints, named
from release_trees import Edit, changed, line, polyvore_outfits, removed, written

from outfitrec.core.data import Dataset
from outfitrec.core.engine import run
from outfitrec.core.errors import DataError
from outfitrec.core.recipe import load_recipe
from outfitrec.core.stores import used_items
from outfitrec.plugins.datasets.polyvore_outfits import CATEGORIES, PolyvoreOutfits
from outfitrec.testing import check_component

METADATA = "../polyvore_item_metadata.json"
QUESTIONS = "fill_in_blank_test.json"
LABELLED = "compatibility_test.txt"


def load(folder: Path) -> Dataset:
    return PolyvoreOutfits(root=str(folder.parent), version=folder.name).load()


def problems(folder: Path) -> list[str]:
    """What loading complains of: the place within the folder of the version, and the message."""
    return [one.removeprefix(f"{folder.name}/") for one in complaints(folder.parent, lambda: load(folder))]


def plain(folder: Path, split: str) -> tuple[list[list[str]], dict[str, str]]:
    """The outfits of a split as a plain reader reads them, and the item of each reference."""
    entries = json.loads((folder / f"{split}.json").read_text())
    outfits = [[item["item_id"] for item in one["items"]] for one in entries]
    return outfits, {f"{one['set_id']}_{item['index']}": item["item_id"] for one in entries for item in one["items"]}


@pytest.mark.parametrize("version", ["nondisjoint", "disjoint"])
def test_outfits_and_categories_are_those_of_a_plain_reader(tmp_path: Path, version: str) -> None:
    folder = polyvore_outfits(tmp_path, version)
    data = load(folder)
    about = json.loads((tmp_path / "polyvore_item_metadata.json").read_text())
    assert data.users == 1
    assert data.catalog.categories == CATEGORIES
    assert "999" not in data.catalog.names
    first_named: dict[str, None] = {}
    for name, split in data.splits.items():
        outfits, _ = plain(folder, name)
        first_named |= dict.fromkeys(item for outfit in outfits for item in outfit)
        assert named(data, split.positives.outfits) == outfits
        assert split.positives.users.unique().tolist() == [0]
        assert split.negatives == {}
    assert list(data.catalog.names) == list(first_named)
    kinds = [data.catalog.categories[kind] for kind in data.catalog.category.tolist()]
    assert kinds == [about[name]["semantic_category"] for name in data.catalog.names]


def test_the_right_answer_is_the_one_of_the_questions_outfit_and_comes_first(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    data = load(folder)
    outfits, items = plain(folder, "test")
    asked = json.loads((folder / QUESTIONS).read_text())
    # The right ones stand at each of the four places in the file.
    assert {
        next(k for k, one in enumerate(each["answers"]) if one.split("_")[0] == each["question"][0].split("_")[0])
        for each in asked
    } == {0, 1, 2, 3}
    questions = data.splits["test"].questions
    assert questions is not None
    assert questions.candidates == 4
    assert questions.users.tolist() == [0] * len(outfits)
    found = named(data, questions.outfits)
    assert found[::4] == outfits
    for place, each in enumerate(asked):
        candidates = found[4 * place : 4 * place + 4]
        position = each["blank_position"] - 1
        rest = [items[one] for one in each["question"]]
        assert [outfit[:position] + outfit[position + 1 :] for outfit in candidates] == [rest] * 4
        wrong = [one for one in each["answers"] if one.split("_")[0] != each["question"][0].split("_")[0]]
        assert [outfit[position] for outfit in candidates[1:]] == [items[one] for one in wrong]
    assert data.splits["train"].questions is None
    assert data.splits["valid"].questions is None


def test_labelled_outfits_are_those_of_the_files(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    data = load(folder)
    _, items = plain(folder, "test")
    rows = [row.split() for row in (folder / LABELLED).read_text().splitlines()]
    compatibility = data.splits["test"].compatibility
    assert compatibility is not None
    assert compatibility.label.tolist() == [row[0] == "1" for row in rows]
    assert named(data, compatibility.outfits) == [list(dict.fromkeys(items[one] for one in row[1:])) for row in rows]
    assert [data.splits[name].compatibility for name in ("train", "valid")] == [None] * 2


def test_an_item_that_is_named_again_is_in_a_labelled_outfit_once(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    before = load(folder).splits["test"].compatibility
    lines = (folder / LABELLED).read_text().splitlines()
    lines[1] = f"{lines[1]} {lines[1].split()[1]}"
    (folder / LABELLED).write_text("\n".join(lines) + "\n")
    after = load(folder).splits["test"].compatibility
    assert before is not None
    assert after is not None
    assert after.outfits.items.tolist() == before.outfits.items.tolist()


def test_questions_and_labels_may_be_missing(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    for file in (QUESTIONS, LABELLED):
        (folder / file).unlink()
    splits = load(folder).splits
    assert [split.questions for split in splits.values()] == [None] * 3
    assert [split.compatibility for split in splits.values()] == [None] * 3


def test_photos_are_found_by_item(tmp_path: Path) -> None:
    catalog = load(polyvore_outfits(tmp_path)).catalog
    assert catalog.photos is not None
    for item in (0, 7):
        assert catalog.photos.read(item) == (tmp_path / "images" / f"{catalog.names[item]}.jpg").read_bytes()


def test_the_digest_follows_the_content_and_the_version(tmp_path: Path) -> None:
    first = load(polyvore_outfits(tmp_path / "a"))
    folder = polyvore_outfits(tmp_path / "b")
    assert load(folder).digest == first.digest
    assert load(polyvore_outfits(tmp_path / "c", "disjoint")).digest != first.digest
    line(LABELLED, 1, "0 300_1 300_2")(folder)
    assert load(folder).digest != first.digest


def test_an_item_that_an_outfit_names_twice_is_in_it_once_and_noted(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    before = named(load(folder), load(folder).splits["train"].positives.outfits)
    changed(
        "train.json", lambda sets: sets[4]["items"].append({"item_id": sets[4]["items"][0]["item_id"], "index": 9})
    )(folder)
    data = load(folder)
    assert named(data, data.splits["train"].positives.outfits) == before
    assert data.notes == {"items_again": 1}


def test_an_outfit_of_one_item_named_twice_is_too_small(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    twice = [{"item_id": "2000", "index": index} for index in (1, 2)]
    changed("train.json", replace(2, "items", value=twice))(folder)
    assert problems(folder) == ["train.json [2]: an outfit of fewer than 2 items (set_id '102')"]


@pytest.mark.parametrize("version", ["nondisjoint", "disjoint"])
def test_the_contract_of_datasets_is_kept(tmp_path: Path, version: str) -> None:
    for one in ("nondisjoint", "disjoint"):
        polyvore_outfits(tmp_path, one)
    report = check_component("dataset/polyvore_outfits", fields={"root": str(tmp_path), "version": version})
    assert report.ok, str(report)


def test_line_ends_of_windows_are_fine(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    before = load(folder).splits["test"].compatibility
    (folder / LABELLED).write_bytes((folder / LABELLED).read_bytes().strip().replace(b"\n", b" \r\n"))
    after = load(folder).splits["test"].compatibility
    assert before is not None
    assert after is not None
    assert after.outfits.items.equal(before.outfits.items)


def replace(*keys: Any, value: Any) -> Any:
    """Sets what is under some keys."""

    def change(found: Any) -> None:
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value

    return change


def repeat_set(sets: Any) -> None:
    sets[3]["set_id"] = sets[1]["set_id"]


def all_answers_of_one_outfit(asked: Any) -> None:
    asked[1]["answers"] = ["301_1", "300_1", "301_2", "302_1"]


WRONG: list[tuple[Edit, str]] = [
    (removed("valid.json"), "valid.json no such file"),
    (removed(METADATA), "polyvore_item_metadata.json no such file"),
    (written("train.json", '[{"set_id": "1",\n "items" []}]'), "train.json:2:10 not JSON: Expecting ':' delimiter"),
    (written("train.json", b'["\xff"]'), "train.json not text in UTF-8, at byte 2"),
    (written("train.json", "[" * 100_000), "train.json cannot be read: "),
    (written("train.json", "{}"), "train.json expected a list of one entry or more"),
    (written("train.json", "null"), "train.json expected a list of one entry or more"),
    (written("train.json", "[]"), "train.json expected a list of one entry or more"),
    (written(METADATA, "[]"), "polyvore_item_metadata.json expected an object of one key or more"),
    (changed("train.json", replace(2, value=7)), "train.json [2]: expected a set_id of letters and digits, and a list"),
    (changed("train.json", replace(2, "set_id", value=7)), "train.json [2]: expected a set_id"),
    (changed("train.json", replace(2, "set_id", value="../7")), "train.json [2]: expected a set_id"),
    (changed("train.json", replace(2, "items", value="")), "train.json [2]: expected a set_id"),
    (
        changed("train.json", replace(2, "items", value=[])),
        "train.json [2]: an outfit of fewer than 2 items (set_id '102')",
    ),
    (
        changed("train.json", replace(2, "items", value=[{"item_id": "2000", "index": 1}])),
        "train.json [2]: an outfit of fewer than 2 items (set_id '102')",
    ),
    (changed("train.json", repeat_set), "train.json [3]: set_id '101' is that of nondisjoint/train.json[1] already"),
    (
        changed("test.json", replace(3, "set_id", value="101")),
        "test.json [3]: set_id '101' is that of nondisjoint/train.json[1] already",
    ),
    (
        changed("train.json", replace(2, "items", 1, value=3)),
        "train.json [2].items[1]: index is None, expected a whole",
    ),
    (changed("train.json", replace(2, "items", 1, "index", value="2")), "train.json [2].items[1]: index is '2'"),
    (changed("train.json", replace(2, "items", 1, "index", value=True)), "train.json [2].items[1]: index is True"),
    (
        changed("train.json", replace(2, "items", 1, "index", value=1)),
        "train.json [2].items[1]: index 1 is that of another item of the outfit already (set_id '102')",
    ),
    (
        changed("train.json", replace(2, "items", 1, "item_id", value=5)),
        "train.json [2].items[1]: item_id is 5, expected",
    ),
    (
        changed("train.json", replace(2, "items", 1, "item_id", value="../x")),
        "train.json [2].items[1]: item_id is '../x'",
    ),
    (
        changed("train.json", replace(2, "items", 1, "item_id", value="31")),
        "polyvore_item_metadata.json no item '31', which is nondisjoint/train.json[2].items[1]",
    ),
    (
        changed(METADATA, lambda about: [one.update(semantic_category="top") for one in about.values()]),
        "polyvore_item_metadata.json '2016': semantic_category is 'top', expected accessories, all-body, ",
    ),
    (
        changed(METADATA, lambda about: about.update(dict.fromkeys(about, 3))),
        "polyvore_item_metadata.json '2016': semantic_category is None, expected",
    ),
    (changed(QUESTIONS, replace(1, value=None)), "fill_in_blank_test.json [1]: 'question' is not a list of items"),
    (changed(QUESTIONS, replace(1, "answers", value=[1, 2])), "fill_in_blank_test.json [1]: 'answers' is not a list"),
    (
        changed(QUESTIONS, replace(1, "answers", value=["301_1"])),
        "fill_in_blank_test.json [1]: 'answers' has 1 of the 2",
    ),
    (changed(QUESTIONS, replace(1, "question", value=[])), "fill_in_blank_test.json [1]: 'question' has 0 of the 1"),
    (
        changed(QUESTIONS, lambda asked: asked[1]["answers"].pop()),
        "fill_in_blank_test.json [1]: 3 answers, and 4 to the",
    ),
    (
        changed(QUESTIONS, replace(1, "question", 0, value="100_1")),
        "fill_in_blank_test.json [1]: unknown item '100_1': no outfit of the split has it",
    ),
    (
        changed(QUESTIONS, replace(1, "answers", 2, value="301_77")),
        "fill_in_blank_test.json [1]: unknown item '301_77'",
    ),
    (
        changed(QUESTIONS, replace(1, "question", 0, value="305_1")),
        "fill_in_blank_test.json [1]: the items of the question are of several outfits: 301, 305",
    ),
    (
        changed(QUESTIONS, replace(1, "answers", value=["300_1", "302_1", "303_1", "304_1"])),
        "fill_in_blank_test.json [1]: no right answer: none is of the outfit 301",
    ),
    (
        changed(QUESTIONS, all_answers_of_one_outfit),
        "fill_in_blank_test.json [1]: 2 right answers: expected one of the outfit 301",
    ),
    *[
        (
            changed(QUESTIONS, replace(1, "blank_position", value=value)),
            f"fill_in_blank_test.json [1]: blank_position is {value!r}, expected 1 to 3",
        )
        for value in (0, 4, "1", None, 1.0)
    ],
    (line(LABELLED, 2, "2 300_1 300_2"), "compatibility_test.txt:2 begins with '2', expected 1 (compatible) or 0"),
    (line(LABELLED, 2, ""), "compatibility_test.txt:2 begins with '', expected"),
    (line(LABELLED, 2, "1 300_1"), "compatibility_test.txt:2 an outfit of fewer than 2 items"),
    (line(LABELLED, 2, "1 300_1 100_1"), "compatibility_test.txt:2 unknown item '100_1'"),
    (
        written(LABELLED, "1 300_1 300_2\n"),
        "compatibility_test.txt all outfits are labelled 1, expected some 1 and some 0",
    ),
    (written(LABELLED, "\n"), "compatibility_test.txt the file is empty"),
    (line(LABELLED, 2, "1 300_1 x"), "compatibility_test.txt:2 unknown item 'x'"),
]


@pytest.mark.parametrize(("edit", "expected"), WRONG, ids=[f"{k}-{text[:50]}" for k, (_, text) in enumerate(WRONG)])
def test_a_wrong_file_is_named_with_its_place(tmp_path: Path, edit: Edit, expected: str) -> None:
    folder = polyvore_outfits(tmp_path)
    edit(folder)
    found = problems(folder)
    assert any(one.startswith(expected) for one in found), found


def test_everything_wrong_comes_at_once(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    for edit in (
        changed("train.json", replace(1, "set_id", value=3)),
        removed("valid.json"),
        changed("test.json", replace(0, "items", 0, "item_id", value="77")),
        changed(QUESTIONS, replace(1, "blank_position", value=9)),
        line(LABELLED, 3, "1"),
    ):
        edit(folder)
    for photo in (tmp_path / "images").iterdir():
        photo.unlink()
    (tmp_path / "images").rmdir()
    assert sorted(one.split(" ")[0] for one in problems(folder)) == [
        "compatibility_test.txt:3",
        "fill_in_blank_test.json",
        "images",
        "polyvore_item_metadata.json",
        "train.json",
        "valid.json",
    ]


def test_many_problems_of_a_kind_are_cut(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    written(LABELLED, "1 300_1\n" * 50)(folder)
    found = problems(folder)
    assert len(found) == 11
    assert found[-1] == "compatibility_test.txt … and 40 more of this kind"


def test_a_link_to_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    (folder / LABELLED).unlink()
    (folder / LABELLED).symlink_to(tmp_path / "gone.txt")
    assert problems(folder) == ["compatibility_test.txt no such file"]


def test_a_locked_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = polyvore_outfits(tmp_path)
    lock(folder, monkeypatch)
    assert "train.json cannot be read: Permission denied" in problems(folder)


def test_a_value_without_end_is_shown_in_part(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    line(LABELLED, 2, f"1 300_1 {'x' * 100_000}")(folder)
    changed("train.json", replace(1, "items", 0, "item_id", value="7" * 100_000))(folder)
    found = problems(folder)
    assert len(found) == 2
    assert all("characters in all" in one and len(one) < 4000 for one in found)


def test_a_missing_folder_is_told_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder") as caught:
        PolyvoreOutfits(root=str(tmp_path / "nowhere")).load()
    assert "polyvore_item_metadata.json" in caught.value.problems[0].hint


def test_items_of_questions_and_labels_need_their_photos(tmp_path: Path) -> None:
    folder = polyvore_outfits(tmp_path)
    data = load(folder)
    assert used_items(data).tolist() == list(range(len(data.catalog)))


def recipe(root: Path, **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "name": "without-users",
        "dataset": {"name": "polyvore_outfits", "root": str(root)},
        "image": {"size": 64},
        "model": {"dim": 8, "encoder": {"name": "alexnet", "size": "xs", "weights": "none"}, "aggregator": "mean"},
        "train": {"epochs": 1, "batch": 6, "accelerator": "cpu", "workers": 1},
    }
    return {**settings, **changes}


def test_one_user_is_trained_and_evaluated_from_the_photos(tmp_path: Path) -> None:
    polyvore_outfits(tmp_path)
    found = run(recipe(tmp_path), out=tmp_path / "runs").result
    assert set(found.test) == {"auc", "ndcg", "fitb", "compatibility_auc"}
    assert set(found.valid) == {"auc", "ndcg"}
    assert found.per_user["user"] == [0]
    assert all(0 <= value <= 1 for value in found.test.values())


def test_hard_negatives_need_other_users(tmp_path: Path) -> None:
    polyvore_outfits(tmp_path)
    with pytest.raises(DataError, match="others posted no outfit") as caught:
        run(recipe(tmp_path, negatives="hard"), out=tmp_path / "runs")
    assert caught.value.problems[0].hint == "use random_mix, or data with more users"


def test_a_model_of_eleven_categories_can_be_counted_without_the_data() -> None:
    config = load_recipe(recipe(Path("nowhere"))).dataset
    assert tuple(PolyvoreOutfits.outline(config)) == CATEGORIES
