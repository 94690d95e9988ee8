"""``outfitrec new-plugin``: what it writes works from the start."""

import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from commands import document, invoke

from outfitrec.core.kinds import KINDS
from outfitrec.template.generate import COMPARED, Names, files_of
from outfitrec.testing import KIT, check_component

# Those that each test run installs; the rest are for the slow one.
QUICK = ("loss", "augmenter")
OPTIONS = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")


def program(*command: str, site: Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """What a process of the installed plugin's does."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "OUTFITREC_BLOCK": "outfitrec-baselines", "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_component_that_a_plugin_starts_from_keeps_to_the_contract(kind: str) -> None:
    report = check_component(f"outfitrec.template.components.{kind}:Mine", kind=kind)
    assert report.ok, str(report)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_files_with_nothing_left_to_fill_in(kind: str) -> None:
    names = Names("outfitrec-fine-thing", kind)
    files = files_of(names)
    assert (f"outfitrec_fine_thing/{names.suite}.yaml" in files) == (kind in COMPARED)
    for path, text in files.items():
        assert "$" not in text.replace("${{", ""), path
        assert "Mine" not in text
        assert "mine" not in text.split(), path
        if path.endswith(".py"):
            compile(text, path, "exec")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["name"] == "outfitrec-fine-thing"
    assert project["dependencies"] == [f"outfitrec>={metadata.version('outfitrec')}"]
    assert f"kit={KIT}" in files["tests/test_contract.py"]
    assert "class FineThing" in files["outfitrec_fine_thing/fine_thing.py"]


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_a_new_plugin_installs_keeps_to_the_contract_and_runs(kind: str, tmp_path: Path) -> None:
    made = document("new-plugin", "outfitrec-fine-thing", "--kind", kind, "--path", tmp_path / "plugin")
    assert made["component"] == f"{kind}/outfitrec-fine-thing/fine_thing"
    assert all(Path(file).is_file() for file in made["files"])
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", *OPTIONS, "--target", str(site), str(tmp_path / "plugin")]
    subprocess.run(install, check=True)

    checked = program("outfitrec", "check", "outfitrec-fine-thing", "--json", site=site, cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["ok"]
    valid = ["fine_thing", *(["fine_thing-compared"] if kind in COMPARED else [])]
    validated = program("outfitrec", "validate", *valid, site=site, cwd=tmp_path)
    assert validated.returncode == 0, validated.stderr
    # Its own tests: the contract once more, and a tiny run of its recipe.
    tested = program("pytest", "-q", "-p", "no:cacheprovider", site=site, cwd=tmp_path / "plugin")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert " passed" in tested.stdout


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("outfitrec-thing", "lose", "unknown kind 'lose'"),
        ("Outfitrec_Thing", "loss", "is no name for a distribution"),
        ("outfitrec-2nd", "loss", "cannot import '2nd'"),
        ("outfitrec-class", "loss", "'class' has a meaning of its own"),
        ("outfitrec-none", "loss", "'None' has a meaning of its own"),
        ("outfitrec-null", "loss", "'null' has a meaning of its own"),
        ("outfitrec-outfits", "augmenter", "its class would be called Outfits"),
        ("outfitrec-npair", "loss", "there is a built-in loss 'npair'"),
        ("outfitrec-fnd", "loss", "there is a built-in recipe 'fnd'"),
        ("torch", "loss", "Python has a module 'torch' already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name: str, kind: str, message: str, tmp_path: Path) -> None:
    result = invoke("new-plugin", name, "--kind", kind, "--path", tmp_path / "plugin")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for path in ("full", "file"):
        result = invoke("new-plugin", "outfitrec-thing", "--kind", "loss", "--path", tmp_path / path)
        assert result.exit_code == 2
        assert "exists already" in result.stderr
    assert [one.name for one in (tmp_path / "full").iterdir()] == ["kept.txt"]
    (tmp_path / "empty").mkdir()
    assert invoke("new-plugin", "outfitrec-thing", "--kind", "loss", "--path", tmp_path / "empty").exit_code == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["empty", "file", "full"]


def test_a_plugin_is_written_into_the_empty_folder_that_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert invoke("new-plugin", "outfitrec-thing", "--kind", "loss", "--path", ".").exit_code == 0
    assert Path("outfitrec_thing/thing.py").is_file()
    assert [one.name for one in tmp_path.iterdir()] == ["here"]


def test_what_is_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out = invoke("new-plugin", "outfitrec-thing", "--kind", "metric").stdout
    assert "outfitrec-thing/outfitrec_thing/thing.py" in out
    assert "outfitrec check metric/thing" in out
    assert (tmp_path / "outfitrec-thing" / "pyproject.toml").is_file()
