"""Every block of code and every command that the documents show is run, or checked as far as it can be."""

import csv
import importlib.util
import io
import json
import math
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import guide
import pytest
import shown
from commands import document, invoke
from shown import ROOT, Block

import outfitrec
from outfitrec.benchmark.suite import load_suite
from outfitrec.cli import main
from outfitrec.cli.program import COMMANDS
from outfitrec.core.loading import plugins
from outfitrec.core.overrides import read_overrides
from outfitrec.core.recipe import load_recipe
from outfitrec.core.yamlfile import parse

# The languages that blocks may be in; a block of none is a picture, a folder, or what a program printed.
LANGUAGES = {"", "csv", "python", "sh", "toml", "yaml"}
# Commands that train or need a run: not run as shown, but their words, recipes and overrides are checked.
NOT_RUN = {
    "run": "trains: tests/docs/test_own_photos.py and tests/test_readme.py run some of them on tiny data",
    "bench": "trains, for minutes to days",
    "tune": "trains, several times",
    "neighbours": "trains an autoencoder on data that are not here",
    "evaluate": "needs a finished run, whose name is made up",
    "plot space": "needs a finished run, whose name is made up",
    "data check": "needs a folder of photos: tests/docs/test_own_photos.py has one",
}
# Commands of what a command before them makes, once it is installed: tests of the template do it.
NOT_INSTALLED = {
    "outfitrec check loss/mine",
    "outfitrec run mine",
    "outfitrec bench mine-compared --jobs 2",
    "outfitrec check loss/softmargin",
    "outfitrec run softmargin",
    "outfitrec bench softmargin-compared --jobs 2",
}
# Programs of others: what is looked at is said by the functions below.
OTHERS = {
    "make": "sets everything up, or runs all tests",
    "pip": "installs",
    "python3": "makes a virtual environment",
    "python": "runs modules: that they exist is looked at",
    "pytest": "these tests themselves",
    "ruff": "continuous integration runs it",
    "mypy": "continuous integration runs it",
    "torchrun": "starts several processes",
    "cd": "into a folder that a command before it makes",
}
# Python that needs what is not here, by document and number: the test that runs it.
ELSEWHERE = {
    ("README.md", 0): "tests/test_readme.py::test_the_python_works",
    ("README.md", 1): "tests/test_readme.py::test_the_python_works",
    ("own-photos.md", 0): "tests/docs/test_own_photos.py::test_a_folder_of_photos_becomes_a_model",
    ("compositions.md", 0): "test_a_profile_is_made_and_scored_as_shown",
    ("plugins.md", 18): "test_the_contract_is_checked_as_shown",
    ("plugins.md", 19): "test_the_contract_is_checked_as_shown",
}
# Shown as it stands in a file of the example, whatever surrounds it there.
EXAMPLE = ROOT / "examples" / "outfitrec-hinge"


@pytest.fixture(autouse=True)
def _everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All plugins that are installed, the baselines among them: documents name them."""
    monkeypatch.delenv("OUTFITREC_BLOCK", raising=False)
    plugins.cache_clear()
    yield
    monkeypatch.undo()
    plugins.cache_clear()


def all_commands() -> list[tuple[str, list[str]]]:
    found = [(block.document, words) for block in shown.blocks("sh") for words in shown.commands(block)]
    return [(place, words) for place, words in found if " ".join(words) not in NOT_INSTALLED]


def write_losses(folder: Path) -> None:
    """The guide's plugin file."""
    [losses] = [one for one in shown.blocks("python") if "class Softplus" in one.text]
    (folder / "losses.py").write_text(losses.text)


def parsed(words: list[str]) -> tuple[str, dict[str, Any]]:
    """The command that words name, and its arguments, as click understands them."""
    command: click.Command = main
    context, name, rest = click.Context(main, info_name="outfitrec"), "", words
    while isinstance(command, click.Group):
        word, *rest = rest
        found = command.get_command(context, word)
        assert found is not None, words
        command, name = found, f"{name} {word}".strip()
    return name, command.make_context(name, [*rest]).params


def test_no_block_is_of_a_language_that_nobody_checks() -> None:
    found = shown.blocks()
    assert len(found) > 50
    assert [one for one in found if one.language not in LANGUAGES] == []


def test_what_has_no_language_is_neither_code_nor_command() -> None:
    for block in shown.blocks(""):
        assert not re.search(r"^(outfitrec|pip|make|python3?|\$) ", block.text, re.MULTILINE), block
        assert not re.search(r"^(import|from|def|class|@)\b", block.text, re.MULTILINE), block
        assert not re.match(r"(user|outfit|item),", block.text), f"{block}: say csv"
        # What has an ellipsis is a form.
        assert not re.match(r"[a-z_]+: [{\[\w]", block.text) or "…" in block.text, f"{block}: say yaml"


def test_commands_that_need_no_data_run_in_the_order_shown(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = {place for place, words in all_commands() if words[0] == "outfitrec"}
    assert {"README.md", "paper.md", "benchmark.md"} <= documents
    for where in sorted(documents - {"own-photos.md"}):
        monkeypatch.chdir(tmp_path_factory.mktemp("run"))
        write_losses(Path())
        for one, words in all_commands():
            if one == where and words[0] == "outfitrec" and parsed(words[1:])[0] not in NOT_RUN:
                result = invoke(*words[1:])
                assert result.exit_code == 0, (where, words, result.output)


# Run apart, where the package's types are not checked in every call: suites have many recipes.
LOAD = """
import json, sys
from outfitrec.benchmark.suite import load_suite

found = []
for name, overrides in json.load(sys.stdin):
    suite = load_suite(name, overrides)
    found.append({"rows": list(suite.settings.rows), "runs": len(suite.setups) * len(suite.settings.seeds)})
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module", name="suites")
def loaded() -> dict[tuple[str, tuple[str, ...]], Any]:
    """Rows and number of runs of every suite that a document's command names, with the command's overrides."""
    words = [one for _, one in all_commands() if one[:2] == ["outfitrec", "bench"] and not one[2].endswith(".yaml")]
    keys = [(given["suite"], given["overrides"]) for _, given in (parsed(one[1:]) for one in words)]
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        input=json.dumps(keys),
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "OUTFITREC_BLOCK"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(keys, json.loads(done.stdout), strict=True))


def test_commands_that_are_not_run_are_understood_and_their_recipes_valid(suites: dict[Any, Any]) -> None:
    seen = set()
    for place, words in all_commands():
        if words[0] != "outfitrec" or place == "own-photos.md":
            continue
        name, given = parsed(words[1:])
        overrides = given.get("overrides", ())
        seen.add(name)
        if name in ("run", "tune", "neighbours"):
            assert load_recipe(given["recipe"], overrides).name, words
        elif name == "bench":
            assert set(given["rows"]) <= set(suites[given["suite"], overrides]["rows"]), words
        else:
            read_overrides(overrides)
    assert {"run", "bench", "tune", "neighbours", "evaluate", "plot space"} <= seen


def test_commands_of_other_programs_name_what_is_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for place, words in all_commands():
        program, *rest = words
        if program == "outfitrec":
            continue
        assert program in OTHERS, f"{place}: {words}: say in OTHERS how it is checked"
        if program == "make":
            assert set(rest) <= targets, words
        if program == "pip":
            assert rest[0] == "install", words
            for one in rest[1:]:
                path, _, extras = one.rstrip("]").partition("[")
                assert one == "-e" or path == "outfitrec" or (ROOT / path).exists() or "outfitrec-" in path, words
                assert set(filter(None, extras.split(","))) <= {*project["optional-dependencies"], "test"}, words
        if program in ("python", "python3", "torchrun") and "-m" in rest:
            assert importlib.util.find_spec(rest[rest.index("-m") + 1]) is not None, words
        for one in rest:
            assert not re.fullmatch(r"(tests|outfitrec|baselines)/[\w./-]+", one) or (ROOT / one).exists(), words


def test_inline_commands_are_commands() -> None:
    for path in (*shown.DOCUMENTS, ROOT / "CHANGELOG.md"):
        for words in re.findall(r"(?<!`)`outfitrec ([^`]+)`", path.read_text(encoding="utf-8")):
            assert words.split()[0] in COMMANDS or words.startswith("-"), (path.name, words)


def read(block: Block) -> Mapping[str, Any]:
    found = parse(block.text, f"{block.document}, yaml {block.number}").value
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("block", shown.blocks("yaml"), ids=lambda one: f"{one.document}-{one.number}")
def test_yaml_is_a_valid_recipe_or_suite(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # What a block refers to: files of the same document, and the guide's plugin file.
    (tmp_path / "mine.yaml").write_text("extends: npair\nname: mine\n")
    for other in shown.blocks("yaml"):
        if other.document == block.document and other.file.endswith(".yaml") and "/" not in other.file:
            (tmp_path / other.file).write_text(other.text)
    write_losses(tmp_path)
    found = dict(read(block))
    text = block.text
    if "rows" in found:
        if block.document == "benchmark.md":
            # The README's recipe 'mine' with a loss that has the margin.
            text = text.replace("objectives.ranking.loss.margin", "objectives.ranking.loss.temperature")
        head = "" if "name" in found else "name: shown\n"
        (tmp_path / "suite.yaml").write_text(head + text)
        assert load_suite(tmp_path / "suite.yaml").setups
        return
    provider = any(one.name == "outfitrec-hinge" for one in plugins().states)
    if "outfitrec-hinge" in text and not provider:
        # The example is installed by tests/test_third_party.py alone, which loads this very recipe.
        assert block.document == "plugins.md"
        assert not block.file or text in (EXAMPLE / block.file).read_text()
        return
    head = ("" if "name" in found else "name: shown\n") + (
        "" if {"extends", "dataset"} & set(found) else "extends: npair\n"
    )
    (tmp_path / "shown.yaml").write_text(head + text)
    assert load_recipe(tmp_path / "shown.yaml").name


@pytest.mark.parametrize("block", shown.blocks("toml"), ids=lambda one: f"{one.document}-{one.number}")
def test_toml_is_that_of_the_example(block: Block) -> None:
    assert tomllib.loads(block.text)
    assert block.text in (EXAMPLE / block.file).read_text()


@pytest.mark.parametrize("block", shown.blocks("csv"), ids=lambda one: f"{one.document}-{one.number}")
def test_csv_has_as_many_cells_in_each_row(block: Block) -> None:
    head, *rows = csv.reader(io.StringIO(block.text))
    assert {"user", "outfit", "item"} <= set(head)
    assert rows
    assert all(len(row) == len(head) for row in rows)


def test_python_is_run_or_stands_in_a_file_that_is() -> None:
    source, ran = guide.source(), 0
    for block in shown.blocks("python"):
        key = block.document, block.number
        if block.file:
            assert block.text in (EXAMPLE / block.file).read_text(), key
        elif block.document == "plugins.md" and key not in ELSEWHERE:
            # tests/docs/test_guide.py registers, builds and trains all of it.
            assert block.text.split("@hookimpl")[0] in source, key
        elif key not in ELSEWHERE:
            names: dict[str, Any] = {"outfitrec": outfitrec}
            exec(block.text, names)  # noqa: S102  # the documentation's own code
            ran += 1
    assert ran == 1


def test_tests_that_run_python_elsewhere_are_there() -> None:
    there = {(one.document, one.number) for one in shown.blocks("python")}
    assert set(ELSEWHERE) <= there
    for test in ELSEWHERE.values():
        path, _, name = test.rpartition("::")
        assert f"def {name}(" in Path(ROOT / path if path else __file__).read_text(), test


def test_a_profile_is_made_and_scored_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    less = {"users": 3, "items": 400, "pixels": 64, "train": 6, "valid": 4, "test": 3}
    recipe = {
        "name": "small",
        "dataset": {"name": "synthetic", **less},
        "image": {"size": 64},
        "model": {"dim": 16, "encoder": {"name": "alexnet", "weights": "none"}},
        "train": {"epochs": 0, "accelerator": "cpu"},
        "evaluate": {
            "cold_start": {
                "dataset": {"name": "synthetic", **less, "seed": 1},
                "strategies": ["weighted_average"],
                "profiles": [1],
                "draws": 1,
            }
        },
    }
    run = outfitrec.run(recipe, out=tmp_path)
    photos = outfitrec.create("dataset", "synthetic", **less).load().catalog.photos
    assert photos is not None
    monkeypatch.setattr(outfitrec, "Run", lambda _: run)
    outfits, categories = [[photos.read(0), photos.read(300)]], [["top", "shoe"]]
    [block] = [one for one in shown.blocks("python") if one.document == "compositions.md"]
    names: dict[str, Any] = {
        "outfitrec": outfitrec,
        "outfits": outfits,
        "categories": categories,
        "liked": outfits,
        "liked_categories": categories,
    }
    exec(block.text, names)  # noqa: S102  # the documentation's own code
    assert names["scores"].numel() == 1
    assert math.isfinite(float(names["scores"]))


def test_the_contract_is_checked_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_losses(tmp_path)
    tests, result = [one for one in shown.blocks("python") if "outfitrec.testing" in one.text]
    names: dict[str, Any] = {}
    exec(tests.text, names)  # noqa: S102  # the documentation's own code
    [mark] = names["test_contract"].pytestmark
    assert len(mark.args[1]) > 10
    assert all(one.id.startswith("loss/losses.py/softplus") for one in mark.args[1])
    exec(result.text, names)  # noqa: S102  # likewise
    assert names["report"].counts["passed"] > 10


def test_a_new_plugin_has_the_file_that_the_guide_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [words] = [one for place, one in all_commands() if one[1:2] == ["new-plugin"] and place == "plugins.md"]
    made = document(*words[1:])
    assert made["component"] == "loss/outfitrec-mine/mine"
    assert Path(made["file"]) == Path("outfitrec-mine/outfitrec_mine/mine.py")
    assert "`outfitrec_mine/mine.py`" in (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")


OPEN = (ROOT / "docs" / "open-questions.md").read_text(encoding="utf-8")


def test_each_other_choice_is_one_command_away_and_changes_the_recipe() -> None:
    found = re.findall(r"`outfitrec run ([^`]+)`", OPEN)
    assert len(found) > 20
    for text in found:
        [words] = shown.commands(Block("open-questions.md", 0, "sh", f"outfitrec run {text}", ""))
        _, given = parsed(words[1:])
        name = given["recipe"]
        assert load_recipe(name, given["overrides"]) != load_recipe(name), words


def test_each_open_question_says_what_is_done_here_and_what_else_can_be() -> None:
    questions = re.findall(r"^\*\*.+?\?\*\*.+?(?=^\*\*|^## |\Z)", OPEN, re.DOTALL | re.MULTILINE)
    assert len(questions) > 20
    for text in questions:
        assert "Here:" in text or "re-implementation" in text, text
        assert "`outfitrec " in text or "no key" in text, text


def test_the_page_of_the_paper_counts_the_runs_of_every_suite(suites: dict[Any, Any]) -> None:
    text = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (?:Table|Figure) \d \| `(\w+)` \| [^|]+ \| (\d+) \|", text, re.MULTILINE))
    names = [one.name for one in plugins().registry if one.kind == "suite"]
    full = {name for name in names if re.fullmatch(r"(table|figure)\d", name)}
    assert full == set(rows)
    runs = {name: found["runs"] for (name, _), found in suites.items()}
    assert {name: int(number) for name, number in rows.items()} == {name: runs[name] for name in full}
