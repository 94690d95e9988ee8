"""What hypothesis draws is what components are called with."""

import pytest
import torch
from hypothesis import find, given, settings
from hypothesis import strategies as st
from torch import Tensor

from outfitrec import Dataset, Outfits, Step
from outfitrec.core.loading import Plugins, plugins
from outfitrec.core.registry import Registration
from outfitrec.plugins.losses.npair import NPair
from outfitrec.plugins.metrics.auc import AUC
from outfitrec.testing import WORLD
from outfitrec.testing.fixtures import RunRecipe, isolated_plugins, run_recipe, tiny_dataset  # noqa: F401  # fixtures
from outfitrec.testing.strategies import masks, outfits, rankings, score_matrices, steps, views

# The checker of types that the tests are run with draws from it.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")


@given(outfits(fewest=2, most=4))
def test_outfits_have_distinct_items_of_the_catalogue(drawn: Outfits) -> None:
    for items, category in zip(drawn.items.tolist(), drawn.category.tolist(), strict=True):
        there = [one for one in items if one >= 0]
        assert 2 <= len(there) <= 4
        assert len(set(there)) == len(there)
        assert category == [int(WORLD.catalog.category[one]) if one >= 0 else -1 for one in items]


def test_there_are_outfits_with_empty_slots_in_the_middle_and_full_ones() -> None:
    find(outfits(), lambda drawn: bool((~drawn.mask[:, 0] & drawn.mask[:, -1]).any()))
    find(outfits(), lambda drawn: bool(drawn.mask.all()) and drawn.width == 4)


@given(st.data(), score_matrices())
def test_scores_are_what_a_loss_takes(data: st.DataObject, scores: tuple[Tensor, Tensor]) -> None:
    positive, negative = scores
    mask = data.draw(masks(*negative.shape))
    assert torch.isfinite(NPair()(positive, negative, torch.ones_like(negative), mask))


@given(rankings())
def test_rankings_are_what_a_metric_takes(drawn: tuple[Tensor, Tensor, Tensor]) -> None:
    values = AUC()(*drawn)
    assert len(values) == len(drawn[2].unique())


def test_rankings_have_ties() -> None:
    find(rankings(), lambda drawn: len(drawn[0]) > 2 and len(drawn[0].unique()) == 1)


@given(views())
def test_views_are_rows_of_one_shape(drawn: tuple[Tensor, Tensor, Tensor]) -> None:
    a, b, label = drawn
    assert a.shape == b.shape
    assert len(label) == len(a) >= 2


@settings(max_examples=20)
@given(steps())
def test_steps_are_read_as_in_training(step: Step) -> None:
    assert step.negative.shape == step.teacher_negative.shape
    assert step.negative.shape[0] == len(step.positive) == len(step.users)
    assert torch.isfinite(step.negative).all()
    assert step.positive.requires_grad
    assert not step.teacher_negative.requires_grad


def test_a_registry_is_a_tests_own(isolated_plugins: Plugins) -> None:  # noqa: F811  # a fixture
    isolated_plugins.registry.add(Registration("loss", "ours", "mutants.loss:Sound", "a loss", "a test", "0"))
    assert "ours" in plugins().registry.names("loss")


def test_a_registry_is_as_it_was_after_another_test() -> None:
    assert "ours" not in plugins().registry.names("loss")


def test_the_tiny_dataset_has_all_that_an_evaluation_reads(tiny_dataset: Dataset) -> None:  # noqa: F811  # a fixture
    assert {name: len(split) for name, split in tiny_dataset.splits.items()} == {"train": 72, "valid": 24, "test": 24}
    assert tiny_dataset.splits["test"].questions is not None


def test_a_recipe_with_a_teacher_runs_in_seconds(run_recipe: RunRecipe) -> None:  # noqa: F811  # a fixture
    run = run_recipe("synthetic-fnd-cl", {"objectives.contrastive.weight": 0.1})
    assert run.teacher is not None
    assert run.result.training["epochs"] == 1
    assert 0 <= run.result.test["auc"] <= 1
