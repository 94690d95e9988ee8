"""The example plugins and the baselines as anybody has them: installed by pip, used by the command line."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import margin_ranking_loss

from outfitrec.core.loading import Plugins, Policy

ROOT = Path(__file__).parents[1]
EXAMPLES = [ROOT / "examples" / name for name in ("outfitrec-hinge", "outfitrec-swap")]
# The recipe's method on a small embedded dataset: seconds.
TINY = (
    "dataset={name: synthetic, users: 4, items: 400, pixels: 64, train: 8, valid: 4, test: 4}",
    "image.size=64",
    "model.dim=16",
    "model.encoder={name: alexnet, size: xs, weights: none}",
    "train.epochs=1",
    "train.batch=16",
)
# The same for a recipe's teacher.
TAUGHT = tuple(f"teacher.{key}" for key in TINY if not key.startswith("dataset"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all of them are installed into."""
    folder = tmp_path_factory.mktemp("third_party")
    # Building may leave files behind.
    copies = [shutil.copytree(source, folder / source.name) for source in (*EXAMPLES, ROOT / "baselines")]
    options = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder / "site"), *map(str, copies)]
    subprocess.run(command, check=True)
    return folder / "site"


@pytest.fixture(scope="module")
def hinge(installed: Path) -> Iterator[Any]:
    """The class of the example's loss."""
    sys.path.insert(0, str(installed))
    yield Plugins(Policy(), distributions(path=[str(installed)])).registry.get("loss", "hinge").load()
    sys.path.remove(str(installed))
    for name in [name for name in sys.modules if name.partition(".")[0] == "outfitrec_hinge"]:
        del sys.modules[name]


def called(installed: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command line, finished."""
    path = os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "outfitrec", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "OUTFITREC_BLOCK": "", "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        check=False,
    )


def outfitrec(installed: Path, *arguments: str, cwd: Path | None = None) -> str:
    """What the command line prints."""
    done = called(installed, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_plugins_are_listed_with_their_state(installed: Path) -> None:
    rows = {row["name"]: row for row in json.loads(outfitrec(installed, "plugins", "--json"))}
    assert rows["outfitrec-hinge"] == {
        "name": "outfitrec-hinge",
        "version": "0.1.0",
        "state": "loaded",
        "reason": "",
        "provides": ["loss/hinge", "recipe/hinge", "suite/hinge-against-fnd-cl"],
    }
    assert rows["outfitrec-swap"] == {
        "name": "outfitrec-swap",
        "version": "0.1.0",
        "state": "loaded",
        "reason": "",
        "provides": ["augmenter/swap", "recipe/swap", "suite/swap-against-fnd-cl"],
    }
    assert rows["outfitrec-baselines"]["state"] == "loaded"


@pytest.mark.parametrize(
    ("kind", "name", "provider", "summary"),
    [
        ("loss", "hinge", "outfitrec-hinge", "hinge ranking loss"),
        ("recipe", "hinge", "outfitrec-hinge", "the paper's student with the hinge loss"),
        ("suite", "hinge-against-fnd-cl", "outfitrec-hinge", "embedded dataset: hinge beside fnd-cl"),
        ("augmenter", "swap", "outfitrec-swap", "outfits exchange items of a category"),
        ("recipe", "swap", "outfitrec-swap", "fnd-cl whose second view has the shoes of another outfit"),
        ("suite", "swap-against-fnd-cl", "outfitrec-swap", "embedded dataset: swap beside erase"),
    ],
)
def test_what_an_example_provides_is_listed_with_its_provider(
    installed: Path, kind: str, name: str, provider: str, summary: str
) -> None:
    rows = {row["name"]: row for row in json.loads(outfitrec(installed, "ls", kind, "--json"))}
    expected = {"kind": kind, "name": name, "provider": provider, "version": "0.1.0", "summary": summary}
    assert rows[name] == expected
    assert "outfitrec" in {row["provider"] for row in rows.values()}


@pytest.mark.parametrize("name", ["loss/hinge", "loss/outfitrec-hinge/hinge"])
def test_the_loss_is_explained(installed: Path, name: str) -> None:
    text = outfitrec(installed, "explain", name)
    for part in ("outfitrec-hinge 0.1.0", "margin", "0.2", "> 0", "how far a negative shall be below", "WSABIE"):
        assert part in text


@pytest.mark.parametrize("name", ["augmenter/swap", "augmenter/outfitrec-swap/swap"])
def test_the_augmenter_is_explained(installed: Path, name: str) -> None:
    text = outfitrec(installed, "explain", name)
    for part in ("outfitrec-swap 0.1.0", "category of the items that are exchanged", "shoe", "random order"):
        assert part in text


@pytest.mark.parametrize("name", ["hinge", "hinge-against-fnd-cl", "swap", "swap-against-fnd-cl"])
def test_the_recipes_and_suites_are_valid(installed: Path, name: str) -> None:
    assert outfitrec(installed, "validate", name) == f"{name}: valid\n"


@pytest.mark.parametrize(("name", "kind", "more"), [("hinge", "loss", ()), ("swap", "augmenter", TAUGHT)])
def test_a_recipe_runs_and_the_run_says_what_it_used(
    installed: Path, tmp_path: Path, name: str, kind: str, more: tuple[str, ...]
) -> None:
    found = json.loads(outfitrec(installed, "run", name, *TINY, *more, "--json", cwd=tmp_path))
    assert found["recipe"] == name
    assert 0 <= found["test"]["auc"] <= 1
    manifest = json.loads((tmp_path / found["directory"] / "manifest.json").read_text())
    provider = f"outfitrec-{name}"
    used = {"kind": kind, "name": f"{provider}/{name}", "provider": provider, "version": "0.1.0"}
    assert used in manifest["components"]
    assert manifest["versions"][provider] == "0.1.0"
    recipe = (tmp_path / found["directory"] / "recipe.yaml").read_text()
    assert f"{provider}/{name}" in recipe
    assert list(manifest["sources"]) == [provider]


def test_a_plugin_whose_code_has_changed_is_run_again_though_its_version_stayed(
    installed: Path, tmp_path: Path
) -> None:
    command = ("run", "hinge", *TINY, "--json")
    first = json.loads(outfitrec(installed, *command, cwd=tmp_path))
    file = installed / "outfitrec_hinge" / "hinge.py"
    before = file.read_text()
    file.write_text(f"{before}\n# changed\n")
    try:
        changed = json.loads(outfitrec(installed, *command, cwd=tmp_path))
    finally:
        file.write_text(before)
    assert changed["directory"] != first["directory"]
    assert json.loads(outfitrec(installed, *command, cwd=tmp_path))["directory"] == first["directory"]


def test_a_category_that_is_not_in_the_data_ends_a_run_before_it_trains(installed: Path, tmp_path: Path) -> None:
    views = "objectives.contrastive.views=[erase, {name: swap, category: hat}]"
    done = called(installed, "run", "swap", *TINY, *TAUGHT, views, cwd=tmp_path)
    assert done.returncode == 2
    assert "swap: category: the dataset has no 'hat'" in done.stderr
    assert not list(tmp_path.glob("runs/*/metrics.jsonl"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("hinge-against-fnd-cl", ["hinge", "N-pair", "FND", "FND-CL"]),
        ("swap-against-fnd-cl", ["FND", "FND-CL", "identity, swap", "erase, swap"]),
    ],
)
def test_a_suite_runs(installed: Path, tmp_path: Path, name: str, rows: list[str]) -> None:
    keys = [TINY[0], *(f"{key}train.epochs=1" for key in ("", "start.", "teacher."))]
    outfitrec(installed, "bench", name, *keys, "--seeds", "0", cwd=tmp_path)
    (report,) = (tmp_path / "reports").glob("**/report.json")
    entries = json.loads(report.read_text())["entries"]
    assert [entry["cell"]["row"] for entry in entries] == rows
    assert [entry["error"] for entry in entries] == [""] * len(rows)
    recipes = {entry["cell"]["row"]: (tmp_path / entry["directory"] / "recipe.yaml").read_text() for entry in entries}
    own = name.removesuffix("-against-fnd-cl")
    assert [row for row, recipe in recipes.items() if f"outfitrec-{own}/{own}" in recipe] == [
        row for row in rows if own in row
    ]


def test_the_loss_is_that_of_torch(hinge: Any) -> None:
    positive, negative = torch.randn(5), torch.randn(5, 7)
    expected = margin_ranking_loss(positive[:, None].expand(5, 7), negative, torch.ones(5, 7), margin=0.3)
    torch.testing.assert_close(hinge(margin=0.3)(positive, negative), expected)
    weight = torch.randn(5, 7)
    expected = margin_ranking_loss(positive[:, None].expand(5, 7), weight * negative, torch.ones(5, 7), margin=0.3)
    torch.testing.assert_close(hinge(margin=0.3)(positive, negative, weight), expected)


def test_masked_negatives_leave_the_loss(hinge: Any) -> None:
    positive, negative = torch.randn(3), torch.randn(3, 4)
    mask = torch.tensor([[True, True, False, False], [False, True, True, True], [False] * 4])
    loss = hinge()
    by_hand = [loss(positive[[row]], negative[[row]][:, mask[row]]) for row in (0, 1)]
    torch.testing.assert_close(loss(positive, negative, mask=mask), (by_hand[0] + by_hand[1]) / 3)
    everywhere = torch.ones_like(mask)
    torch.testing.assert_close(loss(positive, negative, mask=everywhere), loss(positive, negative))
