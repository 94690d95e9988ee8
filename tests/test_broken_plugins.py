"""Plugins that break their protocol are named, and break nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
from tiny import PLUGIN, tiny

from outfitrec.core.engine import run
from outfitrec.core.errors import RunError

BROKEN = '''
import torch
from outfitrec import component
from outfitrec.hooks import hookimpl


@component
class Careless:
    """Empties a slot of the outfits that it was given."""

    def __call__(self, outfits, free, generator):
        outfits.items[:, 0] = -1
        outfits.category[:, 0] = -1
        return outfits, free


@component
class Alone:
    """Gives no slots."""

    def __call__(self, outfits, free, generator):
        return outfits


@component
class Vector:
    """Gives a number a pair."""

    weight, label, unit, needs_teacher = 1.0, "vector", "pair", False

    def extra(self, batch, generator):
        return None

    def __call__(self, step):
        return step.positive


@component
class Late(Vector):
    """Fails in the second epoch, of which the first is not to be blamed."""

    def __call__(self, step):
        return step.positive.sum() * (1 / (1 - step.epoch))


@hookimpl
def outfitrec_register(register):
    register.component("augmenter", "careless", ":Careless", "alters its input")
    register.component("augmenter", "alone", ":Alone", "gives no slots")
    register.component("objective", "vector", ":Vector", "gives a vector")
    register.component("objective", "late", ":Late", "fails")
'''


def broken(tmp_path: Path, **keys: Any) -> dict[str, Any]:
    plugin = tmp_path / "broken.py"
    plugin.write_text(BROKEN)
    term = {"name": "contrastive", "views": ["erase", "erase"], **keys}
    return tiny(plugins=[str(PLUGIN), str(plugin)], objectives=[{"name": "dying"}, term])


def test_an_augmenter_that_alters_its_input_alters_no_posted_outfit(tmp_path: Path) -> None:
    careless = run(broken(tmp_path, views=["careless", "identity"], weight=0.0), out=tmp_path / "a")
    careful = run(broken(tmp_path, views=["erase", "identity"], weight=0.0), out=tmp_path / "b")
    assert careless.result.per_user == careful.result.per_user


def test_an_augmenter_that_gives_something_else_is_named(tmp_path: Path) -> None:
    message = r"the augmenter Alone \(views\.0\) gave Outfits, and not the altered outfits"
    with pytest.raises(RunError, match=message):
        run(broken(tmp_path, views=["alone", "erase"]), out=tmp_path / "out")


def test_an_objective_that_gives_something_else_is_named(tmp_path: Path) -> None:
    recipe = {**broken(tmp_path), "objectives": ["vector"]}
    with pytest.raises(RunError, match=r"objective 'vector' gave a tensor of shape \[16\], and not a tensor of one"):
        run(recipe, out=tmp_path / "out")


def test_an_error_of_a_component_says_when_it_came(tmp_path: Path) -> None:
    recipe = {**broken(tmp_path), "objectives": ["late"]}
    with pytest.raises(ZeroDivisionError) as caught:
        run(recipe, out=tmp_path / "out")
    (note,) = caught.value.__notes__
    assert re.fullmatch(r"in epoch 2, step 1 of \d+", note)


def test_steps_of_one_outfit_are_told_to_teach_nothing(tmp_path: Path) -> None:
    found = run(broken(tmp_path), ["train.batch=1", "train.epochs=1"], out=tmp_path / "out")
    assert "objective 'contrastive' is 0 throughout: a step of a single outfit has no other to repel" in (
        found.result.warnings
    )
