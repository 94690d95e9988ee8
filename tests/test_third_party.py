"""The example plugin and the baselines as anybody has them: installed by pip, used by the command line."""

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
EXAMPLE = ROOT / "examples" / "outfitrec-hinge"
# The recipe's method on a small embedded dataset: seconds.
TINY = (
    "dataset={name: synthetic, users: 4, items: 400, pixels: 64, train: 8, valid: 4, test: 4}",
    "image.size=64",
    "model.dim=16",
    "model.encoder={name: alexnet, size: xs, weights: none}",
    "train.epochs=1",
    "train.batch=16",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that both distributions are installed into."""
    folder = tmp_path_factory.mktemp("third_party")
    # Building may leave files behind.
    copies = [shutil.copytree(source, folder / source.name) for source in (EXAMPLE, ROOT / "baselines")]
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


def outfitrec(installed: Path, *arguments: str, cwd: Path | None = None) -> str:
    """What the command line prints."""
    path = os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "outfitrec", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "OUTFITREC_BLOCK": "", "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_plugins_are_listed_with_their_state(installed: Path) -> None:
    rows = {row["name"]: row for row in json.loads(outfitrec(installed, "plugins", "--json"))}
    assert rows["outfitrec-hinge"] == {
        "name": "outfitrec-hinge",
        "version": "0.1.0",
        "state": "loaded",
        "reason": "",
        "provides": ["loss/hinge", "recipe/hinge"],
    }
    assert rows["outfitrec-baselines"]["state"] == "loaded"


def test_the_loss_and_the_recipe_are_listed_with_their_provider(installed: Path) -> None:
    for kind, summary in (("loss", "hinge ranking loss"), ("recipe", "the paper's student with the hinge loss")):
        rows = {row["name"]: row for row in json.loads(outfitrec(installed, "ls", kind, "--json"))}
        assert rows["hinge"] == {
            "kind": kind,
            "name": "hinge",
            "provider": "outfitrec-hinge",
            "version": "0.1.0",
            "summary": summary,
        }
        assert rows["npair"]["provider"] == "outfitrec"


@pytest.mark.parametrize("name", ["loss/hinge", "loss/outfitrec-hinge/hinge"])
def test_the_loss_is_explained(installed: Path, name: str) -> None:
    text = outfitrec(installed, "explain", name)
    for part in ("outfitrec-hinge 0.1.0", "margin", "0.2", "> 0", "how far a negative shall be below", "WSABIE"):
        assert part in text


def test_the_recipe_is_valid(installed: Path) -> None:
    assert "hinge" in outfitrec(installed, "validate", "hinge")


def test_the_recipe_runs_and_the_run_says_what_it_used(installed: Path, tmp_path: Path) -> None:
    found = json.loads(outfitrec(installed, "run", "hinge", *TINY, "--json", cwd=tmp_path))
    assert found["recipe"] == "hinge"
    assert 0 <= found["test"]["auc"] <= 1
    manifest = json.loads((tmp_path / found["directory"] / "manifest.json").read_text())
    used = {"kind": "loss", "name": "outfitrec-hinge/hinge", "provider": "outfitrec-hinge", "version": "0.1.0"}
    assert used in manifest["components"]
    assert manifest["versions"]["outfitrec-hinge"] == "0.1.0"
    recipe = (tmp_path / found["directory"] / "recipe.yaml").read_text()
    assert "outfitrec-hinge/hinge" in recipe


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
