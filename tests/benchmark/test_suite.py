"""Suites are put together and checked with all their recipes, and what is wrong is said with its place."""

from pathlib import Path
from typing import Any

import pytest
from commands import invoke
from suites import small, write_recipes

from outfitrec.benchmark.suite import load_suite, selected
from outfitrec.core.errors import RecipeError, UserError
from outfitrec.core.yamlfile import dump

ALPHA = "objectives.ranking.distiller.alpha"


def wrong(path: Path, *overrides: str) -> str:
    with pytest.raises(RecipeError) as caught:
        load_suite(path, overrides)
    return str(caught.value)


def test_keys_are_set_from_the_suite_down_to_the_command_line(tmp_path: Path) -> None:
    suite = small(
        tmp_path,
        set={"train.batch": 10, "train.epochs": 2, "model.dim": 8, "dataset.users": 4, "train.patience": 1},
        columns={"a": {"set": {"train.epochs": 3, "model.dim": 24}}, "b": {}},
        rows={
            "one": {
                "recipe": "npair.yaml",
                "set": {"model.dim": 32, "dataset.users": 5},
                "columns": {"a": {"set": {"dataset.users": 6}}},
            }
        },
        reference=None,
    )
    a, b = load_suite(suite, ["train.patience=7"]).setups
    assert (a.column, b.column) == ("a", "b")
    assert [one.recipe.train.batch for one in (a, b)] == [10, 10]
    assert [one.recipe.train.epochs for one in (a, b)] == [3, 2]
    assert [one.recipe.model.dim for one in (a, b)] == [32, 32]
    assert [one.recipe.dataset.users for one in (a, b)] == [6, 5]
    assert [one.recipe.train.patience for one in (a, b)] == [7, 7]


def test_a_sweep_makes_a_line_of_each_value_and_a_list_elsewhere_is_a_value(tmp_path: Path) -> None:
    rows: dict[str, Any] = {
        "N-pair": {"recipe": "npair.yaml", "set": {"evaluate.metrics": ["auc", "ndcg"]}},
        "FND": {"recipe": "fnd.yaml", "sweep": {ALPHA: [1.0, 2.0], "train.batch": [8, 16]}},
    }
    loaded = load_suite(small(tmp_path, rows=rows))
    assert [one.row for one in loaded.setups] == ["N-pair", *["FND"] * 4]
    points = [dict(one.point) for one in loaded.setups[1:]]
    assert points == [{ALPHA: alpha, "train.batch": batch} for alpha in (1.0, 2.0) for batch in (8, 16)]
    for one, point in zip(loaded.setups[1:], points, strict=True):
        assert one.recipe.train.batch == point["train.batch"]
        assert one.recipe.objectives[0].distiller.alpha == point[ALPHA]


def test_a_key_of_a_teacher_is_set_where_there_is_one(tmp_path: Path) -> None:
    npair, fnd = load_suite(small(tmp_path), ["teacher.model.dim=40"]).setups
    assert npair.recipe.teacher is None
    assert getattr(fnd.recipe.teacher, "model").dim == 40  # noqa: B009  # a Recipe, a run or None
    text = wrong(small(tmp_path), "start.model.dim=40")
    assert "no recipe of the suite has a recipe under 'start'" in text
    # Of one row, it is meant, and has to be there.
    rows = {"N-pair": {"recipe": "npair.yaml", "set": {"teacher.model.dim": 40}}}
    assert "the recipe has no teacher" in wrong(small(tmp_path, rows=rows))


def test_a_suite_extends_another_and_a_null_takes_out_what_the_other_has(tmp_path: Path) -> None:
    small(
        tmp_path,
        columns={"a": {"set": {"model.dim": 8}}, "b": {}},
        paper={"where": "Table 9", "figures": {"FND": {"a": {"auc": 80.0}, "b": {"auc": 81.0}}}},
    )
    (tmp_path / "short.yaml").write_text(
        "extends: suite.yaml\nname: short\ncolumns: {b: null}\nrows: {N-pair: null}\nreference: null\n"
        "paper: {figures: {FND: {b: null}}}\n"
    )
    loaded = load_suite(tmp_path / "short.yaml")
    suite = loaded.settings
    assert (suite.name, list(suite.columns), list(suite.rows), suite.seeds) == ("short", ["a"], ["FND"], (0, 1))
    assert suite.reference is None
    assert suite.paper is not None
    assert suite.paper.figures == {"FND": {"a": {"auc": 80.0}}}
    assert loaded.setups[0].recipe.model.dim == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": {"A": {"recipe": "npiar"}}}, "row 'A': unknown recipe 'npiar'"),
        ({"rows": {"A": {"recipe": "missing.yaml"}}}, "no recipe file"),
        ({"rows": {}}, "at least one is needed"),
        ({"rows": {"A": {}}}, "no recipe for the column 'all'"),
        ({"rows": {"A": {"recipe": "npair.yaml", "sweep": {"train.epoch": [1, 2]}}}}, "train.epoch: unknown key"),
        ({"rows": {"A": {"recipe": "npair.yaml", "sweep": {"train.epochs": []}}}}, "different values"),
        ({"rows": {"A": {"recipe": "npair.yaml", "sweep": {"train.epochs": [1, 1]}}}}, "different values"),
        ({"rows": {"A": {"recipe": "npair.yaml", "sweep": {"train.epochs": 3}}}}, "a list"),
        ({"rows": {"A": {"recipe": "npair.yaml", "sweep": {"train.epochs": [1, "two"]}}}}, "a whole number"),
        ({"rows": {"A": {"recipe": "npair.yaml", "set": {"train.epochs": "two"}}}}, "a whole number"),
        ({"rows": {"A": {"recipe": "npair.yaml", "columns": {"b": {}}}}}, "no such column"),
        ({"rows": {"A": {"recipe": "npair.yaml", "part": "teacher"}}}, "has no recipe under 'teacher'"),
        ({"rows": {"A": {"recipe": "npair.yaml", "strategy": "average"}}}, "is of suites that measure cold_start"),
        ({"rows": {"A": {"recipe": "npair.yaml", "search": {"model.dim": [8, 16]}}}}, "does not tune"),
        (
            {"rows": {"A": {"recipe": "npair.yaml", "search": {"no.such.key": [0, 1]}}}, "tune": {"trials": 2}},
            "no.such.key",
        ),
        (
            {"rows": {"A": {"recipe": "npair.yaml", "sweep": {"model.dim": [8, 16]}}}, "tune": {"trials": 2}},
            "the same budget",
        ),
        ({"row": {}}, "row: unknown key"),
        ({"seeds": []}, "at least one is needed"),
        ({"seeds": [1, 1]}, "an entry is there twice"),
        ({"seeds": [-1]}, "≥ 0"),
        ({"figures": ["acu"]}, "'acu' is not computed by every recipe"),
        ({"reference": "NPair"}, "there is no row 'NPair'"),
        ({"pictures": ["X"]}, "there is no row 'X'"),
        ({"measure": "speed"}, "measure"),
        ({"measure": "cold_start"}, "needs a strategy"),
        ({"paper": {"figures": {"Fnd": {"all": {"auc": 1.0}}}}}, "no such row"),
        ({"paper": {"figures": {"FND": {"630": {"auc": 1.0}}}}}, "no such column"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    reference = {} if "rows" not in changes else {"reference": None}
    path = small(tmp_path, **{**reference, **changes})
    text = wrong(path)
    assert message in text
    assert "suite.yaml:" in text


def test_two_rows_of_one_name_are_an_error(tmp_path: Path) -> None:
    write_recipes(tmp_path)
    path = tmp_path / "twice.yaml"
    path.write_text("name: twice\nrows:\n  A: {recipe: npair.yaml}\n  A: {recipe: fnd.yaml}\n")
    assert "twice.yaml:4:3" in wrong(path)


def test_all_that_is_wrong_comes_at_once_and_the_same_once(tmp_path: Path) -> None:
    rows = {name: {"recipe": "npair.yaml", "set": {f"train.{name}": 1}} for name in ("one", "two")}
    path = small(tmp_path, rows=rows, reference=None, set={"model.dmi": 3})
    with pytest.raises(RecipeError) as caught:
        load_suite(path)
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 3
    assert sum("model.dmi" in message for message in messages) == 1


def test_suites_that_extend_each_other_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\nname: a\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\nname: b\n")
    assert "extend each other" in wrong(tmp_path / "a.yaml")


def test_rows_and_seeds_can_be_selected(tmp_path: Path) -> None:
    loaded = load_suite(small(tmp_path, pictures=["N-pair", "FND"]))
    kept = selected(loaded, ["FND"], [4])
    assert [one.row for one in kept.setups] == ["FND"]
    assert (kept.settings.seeds, kept.settings.reference, kept.settings.pictures) == ((4,), None, ("FND",))
    with pytest.raises(UserError, match="there is no row 'fnd'"):
        selected(loaded, ["fnd"])


def test_validate_takes_suites_and_recipes(tmp_path: Path) -> None:
    path = small(tmp_path)
    result = invoke("validate", path, tmp_path / "npair.yaml")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [f"{path}: valid", f"{tmp_path / 'npair.yaml'}: valid"]
    path.write_text(dump({"name": "x", "rows": {"A": {"recipe": "npair.yaml", "sets": {}}}}))
    broken = invoke("validate", path)
    assert broken.exit_code == 2
    assert "rows.A.sets: unknown key" in broken.stderr


def test_figures_are_the_papers_where_data_and_evaluation_are(tmp_path: Path) -> None:
    suite = small(tmp_path, rows={"A": {"recipe": "npair"}}, reference=None, paper={"users": {"all": 630}})

    def papers(*overrides: str) -> bool:
        (setup,) = load_suite(suite, overrides).setups
        return setup.papers

    assert papers()
    assert papers("dataset.root=elsewhere", "evaluate.chunk=64", "train.epochs=3")
    assert not papers("dataset.users=519")
    assert not papers("evaluate.negatives={name: stored, set: hard}")
    assert not papers("evaluate.seed=1")
    other = small(tmp_path, rows={"A": {"recipe": "npair.yaml"}}, reference=None, paper={"users": {"all": 630}})
    assert not load_suite(other).setups[0].papers
