"""Every suite that is shipped validates, says what the paper says, and runs."""

from pathlib import Path

import pytest
from tiny_forms import check, full, synthetic
from tiny_forms import closet as closet_form

from outfitrec.benchmark.suite import load_suite
from outfitrec.core.loading import plugins

FULL = ("table5", "figure4", "figure5", "figure6", "figure7", "figure8")
SUITES = [f"{name}{form}" for name in FULL for form in ("", "-closet", "-synthetic")]


def test_all_forms_are_shipped() -> None:
    assert set(plugins().registry.names("suite")) == set(SUITES)


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_validates(name: str) -> None:
    assert load_suite(name).settings.name == name


def test_table_5_has_the_papers_models_and_figures() -> None:
    suite = load_suite("table5")
    sizes = {one.row: one.evaluated.model.encoder.size for one in suite.setups if one.column == "630"}
    assert sizes == {"teacher": "large", "XS": "xs", "S": "s", "M": "m"}
    paper = suite.settings.paper
    assert paper is not None
    shares = {row: columns["630"].get("ratio") for row, columns in paper.figures.items()}
    whole = paper.figures["teacher"]["630"]["parameters"]
    for row, share in shares.items():
        if share is not None:
            assert 100 * paper.figures[row]["630"]["parameters"] / whole == pytest.approx(share, abs=0.1)


def test_figure_5_has_every_pair_of_augmentations_but_two_unaltered_views() -> None:
    pairs = set()
    for one in load_suite("figure5").setups:
        contrastive = [objective for objective in one.recipe.objectives if objective.name == "contrastive"]
        pairs |= {frozenset(view.name for view in objective.views) for objective in contrastive}
        # Similar items are found where they are needed, and only there.
        replaces = any(view.name == "replace" for objective in contrastive for view in objective.views)
        assert (one.recipe.neighbours is not None) == replaces
    names = ("identity", "erase", "replace")
    assert pairs == {frozenset({a, b}) for a in names for b in names} - {frozenset({"identity"})}


@pytest.mark.slow
@pytest.mark.parametrize("name", FULL)
def test_a_suite_of_full_size_runs_on_few_outfits(name: str, tmp_path: Path) -> None:
    check(full(name, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", FULL)
def test_a_short_form_for_the_embedded_dataset_runs(name: str, tmp_path: Path) -> None:
    check(synthetic(f"{name}-synthetic", tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", FULL)
def test_a_short_form_for_a_small_folder_runs(name: str, tmp_path: Path, closet: Path, squeezenet: Path) -> None:
    check(closet_form(f"{name}-closet", tmp_path, closet, squeezenet))
