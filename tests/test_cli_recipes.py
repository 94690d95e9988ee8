import json
from pathlib import Path

import pytest
from commands import document, invoke
from tiny import tiny

from outfitrec.core.loading import plugins
from outfitrec.core.yamlfile import dump


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(dump(tiny()))
    return path


def test_valid_recipes(recipe: Path) -> None:
    result = invoke("validate", recipe, "npair")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{recipe}: valid\nnpair: valid\n"


def test_validate_takes_keys_for_all_of_them(recipe: Path) -> None:
    assert invoke("validate", recipe, "npair", "train.epochs=3").exit_code == 0
    result = invoke("validate", recipe, "npair", "train.epoch=3")
    assert result.exit_code == 2
    assert result.stderr.count("did you mean 'epochs'?") == 2
    assert invoke("validate", "train.epochs=3").exit_code == 2


def test_a_key_that_stands_elsewhere_is_named_with_its_place(recipe: Path) -> None:
    result = invoke("validate", recipe, "epochs=3")
    assert "epochs: unknown key" in result.stderr
    assert "did you mean train.epochs?" in result.stderr


def test_a_file_that_is_not_there_has_the_nearest_one_as_a_hint(recipe: Path) -> None:
    result = invoke("validate", recipe.with_suffix(".yml"))
    assert result.exit_code == 2
    assert f"did you mean {recipe}?" in result.stderr


def test_validate_says_everything_that_is_wrong_in_all_of_them(tmp_path: Path, recipe: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: bad\nmodle: {dim: 3}\ntrain:\n  epochs: no\n  batch: 0\n")
    unlike = tmp_path / "unlike.yaml"
    unlike.write_text("name: unlike\ntrain: {select: ndgc}\n")
    result = invoke("validate", bad, recipe, unlike, "fdn")
    assert result.exit_code == 2
    assert result.stdout == f"{recipe}: valid\n"
    for part in (
        f"{bad}:2:1: modle: unknown key\n    did you mean 'model'?",
        f"{bad}:4:11: train.epochs: must be a whole number",
        f"{bad}:5:10: train.batch: must be ≥ 1, not 0",
        f"{unlike}:2:17: train.select: 'ndgc' is not among evaluate.metrics\n    did you mean 'ndcg'?",
        "unknown recipe 'fdn'\n    did you mean 'fnd'?",
    ):
        assert part in result.stderr
    assert "Traceback" not in result.stderr


MISTAKES = """name: mistakes
dataset: {name: polyvore_u, root: data, users: 3, shares: [9, 0, 2]}
negatives: stored
objectives:
  - {name: ranking, distiller: fnd}
train:
  epochs: 5
  optimizer: {name: sgd, nesterov: true, momentum: 0}
  schedule: {name: cosine, warmup: 5}
evaluate:
  negatives: random_mix
"""


def test_what_only_the_whole_recipe_tells_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mistakes.yaml"
    path.write_text(MISTAKES)
    assert f"{path}:2:59: dataset.shares: must be > 0, not 0" in invoke("validate", path).stderr
    path.write_text(MISTAKES.replace("[9, 0, 2]", "[9, 1, 2]"))
    result = invoke("validate", path)
    assert result.exit_code == 2
    for part in (
        f"{path}:3:12: negatives: stored negatives are for evaluation only: train with random_mix, hard or mixed",
        f"{path}:5:5: objectives.ranking: needs a teacher, and there is none\n    set the key 'teacher'",
        f"{path}:8:36: train.optimizer.nesterov: needs a momentum above 0",
        f"{path}:9:36: train.schedule.warmup: must be less than train.epochs (5), and is 5",
        f"{path}:11:14: evaluate.negatives.share: an evaluation needs negatives of each pair: set share: pair",
    ):
        assert part in result.stderr
    path.write_text("name: r\ntrain: {schedule: {name: one_cycle, three_phase: true, pct_start: 0.6}}\n")
    place = f"{path}:2:67: train.schedule.pct_start: must be 0.5 or less with three_phase, and is 0.6"
    assert place in invoke("validate", path).stderr
    right = MISTAKES.replace("[9, 0, 2]", "[9, 1, 2]").replace("stored", "random_mix", 1).replace(", momentum: 0}", "}")
    right = right.replace("warmup: 5", "warmup: 4.5").replace(", distiller: fnd", "")
    path.write_text(right.replace("  negatives: random_mix", "  negatives: {name: random_mix, share: pair, count: 10}"))
    assert invoke("validate", path).stderr == ""


# Output channels and kernel of AlexNet's convolutions, and side of their maps for photos of 224 px.
CONVOLUTIONS = ((3, 64, 11, 55), (64, 192, 5, 27), (192, 384, 3, 13), (384, 256, 3, 13), (256, 256, 3, 13))


def test_inspect_counts_parameters_and_arithmetic(tmp_path: Path) -> None:
    path = tmp_path / "student.yaml"
    path.write_text(
        "name: student\nteacher:\n  name: master\n  image: {size: 224}\n"
        "  model: {encoder: {name: alexnet, size: large}, aggregator: mean}\n"
        "dataset: {name: polyvore_u, root: nowhere, users: 630}\nimage: {size: 224}\n"
        "model: {encoder: {name: alexnet, size: xs}, aggregator: mean}\nobjectives: [{name: ranking, distiller: fnd}]\n"
    )
    found = document("inspect", path)
    counts = {"encoder": 2_518_976, "aggregator": 0, "preference": 630 * 128}
    assert found["parameters"] == {"total": sum(counts.values()), **counts}
    convolutions = sum(a * b * kernel**2 * side**2 for a, b, kernel, side in CONVOLUTIONS)
    macs = convolutions + 256 * 128 + 128 * 128
    assert found["cost"]["item"] == {"macs": macs, "flops": 2 * macs}
    assert found["cost"]["outfit"]["macs"] == 3 * macs
    teacher = found["teacher"]
    large = convolutions + 9216 * 4096 + 4096**2 + 4096 * 2048 + 2048 * 128
    assert teacher["recipe"] == "master"
    assert teacher["cost"]["item"]["macs"] == large
    assert found["percent_of_teacher"]["outfit"] == pytest.approx(100 * macs / large)
    total = teacher["parameters"]["total"]
    assert found["percent_of_teacher"]["parameters"] == pytest.approx(100 * sum(counts.values()) / total)
    text = invoke("inspect", path).stdout
    assert f"{sum(counts.values()):,}" in text
    assert f"{total:,}" in text


def test_inspect_takes_overrides_and_users(recipe: Path) -> None:
    found = document("inspect", recipe, "model.dim=8", "--users", "1000")
    assert (found["users"], found["parameters"]["preference"]) == (1000, 8000)
    assert found["cost"]["item"]["macs"] == 12 * 6 + 6 * 8
    assert "teacher" not in found
    assert "MACs, item" in invoke("inspect", recipe).stdout
    assert invoke("inspect", recipe, "--users", "0").exit_code == 2


def test_cp_copies_and_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("cp", "npair").exit_code == 0
    copy = tmp_path / "npair.yaml"
    assert copy.read_bytes() == plugins().registry.get("recipe", "npair").path().read_bytes()
    copy.write_text("mine")
    again = invoke("cp", "npair")
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert copy.read_text() == "mine"
    assert invoke("cp", "npair", "new/folder/own.yml").exit_code == 0
    assert Path("new/folder/own.yml").is_file()
    assert invoke("cp", "npair", "own.txt").exit_code == 2
    assert "did you mean 'npair'?" in invoke("cp", "npari").stderr


def test_schema_is_json() -> None:
    schema = json.loads(invoke("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"dataset", "model", "train"} <= schema["properties"].keys()
