"""Every suite that is shipped with the baselines validates, says what the paper says, and runs."""

import shlex
from pathlib import Path

import pytest
from tiny_forms import check, full, synthetic
from tiny_forms import closet as closet_form

from outfitrec.benchmark.suite import load_suite

FULL = ("table2", "table3", "table4")
SUITES = [f"{name}{form}" for name in FULL for form in ("", "-closet", "-synthetic")]
METHODS = ["Type-Aware", "SCE-Net", "Bi-LSTM", "OutfitNet", "FHN", "LPAE-u", "LPAE-g", "FND", "FND-CL"]


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_validates(name: str) -> None:
    assert load_suite(name).settings.name == name


def test_table_2_has_the_papers_methods_and_its_best() -> None:
    suite = load_suite("table2").settings
    assert list(suite.rows) == METHODS
    paper = suite.paper
    assert paper is not None
    for column in ("630", "519"):
        for figure in ("auc", "ndcg"):
            assert max(METHODS, key=lambda row: paper.figures[row][column][figure]) == "FND-CL"


@pytest.mark.parametrize("name", ["table4", "table4-closet"])
def test_negatives_of_table_4_are_hard(name: str) -> None:
    usual = load_suite(name.replace("4", "2"))
    for one in load_suite(name).setups:
        assert (one.recipe.negatives.name, one.recipe.negatives.hard) == ("mixed", 0.5)
        assert one.recipe.evaluate.negatives.set == "hard"
        # What trains with the negatives of the whole step keeps doing so.
        (twin,) = (other for other in usual.setups if (other.row, other.column) == (one.row, one.column))
        assert one.recipe.negatives.share == twin.recipe.negatives.share


def test_the_models_of_table_3_are_those_of_table_2() -> None:
    known = [one.recipe for one in load_suite("table2-closet").setups]
    for one in load_suite("table3-closet").setups:
        assert one.recipe in known


def test_the_suites_that_the_readme_runs_are_valid() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    lines = [shlex.split(line, comments=True) for line in readme.splitlines() if line.startswith("outfitrec bench")]
    assert lines
    for _, _, name, *rest in lines:
        # That of a plugin that is written there.
        if name == "softmargin-compared":
            continue
        assert load_suite(name, [one for one in rest if "=" in one]).settings.name == name


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
