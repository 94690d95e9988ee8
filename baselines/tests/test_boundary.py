"""The baselines are plugins like anybody's: they use what is public, and outfitrec does without them."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import outfitrec

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "baselines" / "outfitrec_baselines"
# Modules whose names a plugin may import besides those of `outfitrec` itself.
PUBLIC = ("outfitrec.hooks", "outfitrec.protocols")
# What the distribution says that it needs beyond outfitrec.
PROJECT = tomllib.loads((ROOT / "baselines" / "pyproject.toml").read_text())["project"]
OTHERS = {re.split(r"\W", one)[0] for one in PROJECT["dependencies"]} - {"outfitrec"}


def imports(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Modules that a file imports, with the names that it takes from each."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, file
            yield node.module or "", tuple(alias.name for alias in node.names)


def complaints(file: Path) -> list[str]:
    """What a file imports and may not."""
    found = []
    for module, names in imports(file):
        top = module.partition(".")[0]
        if module == "outfitrec":
            found += [f"outfitrec.{name}" for name in names if name not in outfitrec.__all__]
        elif top == "outfitrec":
            found += [] if module in PUBLIC else [module]
        elif top not in OTHERS | {"outfitrec_baselines"} and top not in sys.stdlib_module_names:
            found.append(module)
    return found


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_only_public_names_are_imported(file: Path) -> None:
    assert complaints(file) == []


@pytest.mark.parametrize(
    "line",
    [
        "from outfitrec.core.outfits import Outfits",
        "import outfitrec.plugins.losses.bpr",
        "from outfitrec import nothing",
        "import sklearn",
    ],
)
def test_what_is_not_public_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "file.py").write_text(f"import torch\nfrom outfitrec import component\n{line}\n")
    assert len(complaints(tmp_path / "file.py")) == 1


def test_outfitrec_knows_no_baseline() -> None:
    words = ("outfitrec_baselines", "outfitrec-baselines")
    files = [file for file in (ROOT / "outfitrec").rglob("*") if file.suffix in (".py", ".yaml")]
    assert len(files) > 100
    assert [str(file) for file in files if any(word in file.read_text() for word in words)] == []


def outfitrec_cli(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "outfitrec", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_outfitrec_runs_without_them(tmp_path: Path) -> None:
    """The tests of outfitrec run with the baselines blocked; here, that blocking takes them all away."""
    there = json.loads(outfitrec_cli("ls", "--json").stdout)
    left = json.loads(outfitrec_cli("ls", "--json", OUTFITREC_BLOCK="outfitrec-baselines").stdout)
    providers = {row["provider"] for row in there}
    assert providers == {"outfitrec", "outfitrec-baselines"}
    assert left == [row for row in there if row["provider"] == "outfitrec"]
    small = "dataset={name: synthetic, users: 4, items: 400, pixels: 64, train: 8, valid: 4, test: 4}"
    run = ("run", "quickstart", small, "train.epochs=1", "teacher.train.epochs=1", "--out", str(tmp_path))
    done = outfitrec_cli(*run, OUTFITREC_BLOCK="outfitrec-baselines")
    assert done.returncode == 0, done.stderr


def test_nothing_heavy_is_imported_by_registering() -> None:
    program = "import sys, outfitrec_baselines; print('torch' in sys.modules, 'attrs' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
