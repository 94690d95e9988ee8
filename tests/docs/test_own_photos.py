"""The page on one's own photos, from the folder to scores, as it is written; the data are drawn, and small."""

from pathlib import Path

import pytest
import shown
from commands import invoke
from safetensors.torch import save_file
from torchvision.models import squeezenet1_1

import outfitrec

# Less than the page shows: pretrained weights are downloaded, and epochs take time.
LESS = ["train.epochs=1", "train.accelerator=cpu", "model.encoder.weights=network.safetensors", "image.size=64"]
TEACHERS = [f"teacher.{one}" for one in LESS]
CATEGORIES = ("tops", "bottoms", "shoes")
DOCUMENT = "own-photos.md"


def furnish(folder: Path) -> None:
    """A folder of drawn photos and a table of four users' outfits, in the layout that the page shows."""
    data = outfitrec.create("dataset", "synthetic", items=120, users=3, train=6, valid=4, test=3).load()
    photos = data.catalog.photos
    assert photos is not None
    for place, category in enumerate(CATEGORIES):
        (folder / "photos" / category).mkdir(parents=True)
        items = (data.catalog.category == place).nonzero().flatten().tolist()[:16]
        for number, item in enumerate(items, 1):
            (folder / "photos" / category / f"{number}.jpg").write_bytes(photos.read(item))
    rows = ["user,outfit,item,split"]
    for user, name in enumerate(("anna", "ben", "cleo", "dan")):
        for number in range(20):
            split = "train" if number < 12 else "valid" if number < 16 else "test"
            worn = [1 + (number * (place + 1) * 3 + user * 5 + number // 4) % 16 for place in range(3)]
            for category, one in zip(CATEGORIES, worn, strict=True):
                rows.append(f"{name},{number},{category}/{one}.jpg,{split}")
    (folder / "outfits.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_the_table_that_is_shown_is_read(tmp_path: Path) -> None:
    furnish(tmp_path / "closet")
    [block] = [one for one in shown.blocks("csv") if one.document == DOCUMENT]
    # Each of the rows that the page shows, for as many outfits as a split needs.
    head, *rows = block.text.splitlines()
    table = tmp_path / "closet" / "outfits.csv"
    made = table.read_text().splitlines()
    assert made[0] == head
    table.write_text("\n".join([*made, *rows]) + "\n")
    result = invoke("data", "check", tmp_path / "closet")
    assert result.exit_code == 0, result.output
    # Monday and Friday of anna, who has outfits already.
    assert "82: 49 train, 16 valid, 17 test" in result.output


def test_a_folder_of_photos_becomes_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    furnish(tmp_path / "closet")
    save_file(squeezenet1_1().state_dict(), "network.safetensors")
    for block in shown.blocks("yaml"):
        if block.document == DOCUMENT:
            Path(block.file).write_text(block.text)
    done = []
    for block in shown.blocks("sh"):
        for words in shown.commands(block) if block.document == DOCUMENT else []:
            less = {
                "run": LESS + (TEACHERS if "mine-fnd.yaml" in words else []),
                "tune": [*LESS, *TEACHERS, "--trials", "1"],
                "bench": [*LESS, *TEACHERS, "--jobs", "1"],
            }
            result = invoke(*words[1:], *less.get(words[1], []))
            assert result.exit_code == 0, (words, result.output)
            done.append(words[1])
    assert done == ["data", "validate", "run", "run", "tune", "bench"]
    assert Path("reports/compare/report.html").is_file()
    real = outfitrec.run
    monkeypatch.setattr(outfitrec, "run", lambda recipe: real(recipe, LESS))
    [block] = [one for one in shown.blocks("python") if one.document == DOCUMENT]
    names: dict[str, object] = {}
    exec(block.text, names)  # noqa: S102  # the page's own code
    scores = names["scores"]
    assert getattr(scores, "shape", None) == (1, 1)
    assert not getattr(names["run"], "trained", True)
