"""Recipes of which nothing is ranked, selected or trained."""

from pathlib import Path
from typing import Any

import pytest
import torch
from commands import invoke
from tiny import tiny
from torchvision.models import squeezenet1_1

from outfitrec.core.engine import run
from outfitrec.core.errors import RecipeError
from outfitrec.core.recipe import load_recipe
from outfitrec.core.yamlfile import dump

LAST = {**tiny()["train"], "select": None, "epochs": 1}
UNRANKED: dict[str, Any] = {"evaluate": {"metrics": []}, "train": LAST}


@pytest.fixture
def untrained(tmp_path: Path) -> dict[str, Any]:
    """A recipe of an encoder that is used as it is."""
    weights = squeezenet1_1(weights=None).state_dict()
    torch.save(weights, tmp_path / "weights.pth")
    encoder = {"name": "torchvision", "architecture": "squeezenet1_1", "weights": str(tmp_path / "weights.pth")}
    data = {"name": "synthetic", "users": 4, "items": 150, "pixels": 32, "train": 8, "valid": 4, "test": 3}
    return {
        "name": "untrained",
        "dataset": {**data, "liked": 0.2},
        "image": {"size": 32},
        "model": {"dim": 8, "encoder": {**encoder, "frozen": True}, "aggregator": "mean"},
        "objectives": [],
        **UNRANKED,
    }


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({"schedule": "plateau"}, "it follows the validation value, and train.select names no metric", "name a metric"),
        ({"patience": 2}, "patience counts epochs without a better validation value, and select names no metric", ""),
    ],
)
def test_what_follows_the_validation_value_needs_a_metric_that_selects(
    tmp_path: Path, settings: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        run(tiny(train={**LAST, **settings}), out=tmp_path / "runs")
    [problem] = caught.value.problems
    assert problem.message.startswith("train")
    assert message in problem.message
    assert problem.hint.startswith(hint)
    assert not list(tmp_path.glob("runs/*/*"))
    run(tiny(train={**LAST, **settings, "select": "auc"}), out=tmp_path / "runs")


def test_a_metric_that_selects_must_be_one_that_is_computed() -> None:
    with pytest.raises(RecipeError, match=r"'auc' is not among evaluate\.metrics") as caught:
        load_recipe(tiny(evaluate={"metrics": []}))
    assert caught.value.problems[0].hint == "nothing is ranked: set train.select: null"


def test_a_run_without_metrics_says_that_nothing_is_ranked(tmp_path: Path) -> None:
    path = tmp_path / "unranked.yaml"
    path.write_text(dump(tiny(**UNRANKED)))
    printed = invoke("run", path, "--out", tmp_path / "runs", "--quiet")
    assert printed.exit_code == 0, printed.stderr
    assert "nothing is ranked: the recipe has no metrics" in printed.stdout
    assert "protocol" not in printed.stdout
    ranked = invoke("run", path, "evaluate.metrics=[auc]", "--out", tmp_path / "runs", "--quiet")
    assert "nothing is ranked" not in ranked.stdout
    assert "protocol" in ranked.stdout


def test_a_frozen_encoder_without_objectives_is_left_as_it_is(untrained: dict[str, Any], tmp_path: Path) -> None:
    found = run(untrained, out=tmp_path / "runs")
    assert found.result.warnings == ()
    assert (found.result.training["epochs"], found.result.test, found.result.valid) == (0, {}, {})
    original = torch.load(tmp_path / "weights.pth", weights_only=True)
    encoder: Any = found.recommender.encoder
    state = encoder.backbone.state_dict()
    assert state.keys() <= original.keys()
    assert len(state) > 40
    assert all(torch.equal(tensor, original[name]) for name, tensor in state.items())


def test_an_encoder_that_is_to_be_trained_needs_an_objective(untrained: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="objectives: there are none, and nothing trains the encoder") as caught:
        run(untrained, ["model.encoder.frozen=false"], out=tmp_path / "runs")
    assert caught.value.problems[0].hint == "add an objective, or take an encoder that is frozen"
    assert not list(tmp_path.glob("runs/*/*"))
