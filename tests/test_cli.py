import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM, document, invoke, process

from outfitrec.benchmark.settings import Suite
from outfitrec.cli.program import COMMANDS
from outfitrec.core import engine
from outfitrec.core.keys import keys
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import Plugins, Policy, plugins
from outfitrec.core.registry import RESOURCE_KINDS
from outfitrec.core.settings import Recipe


@pytest.fixture
def site(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a folder with an installed distribution ``acme-outfits``, whose module has this code."""

    def make(code: str) -> Path:
        info = tmp_path / "site" / "acme_outfits-2.1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-outfits\nVersion: 2.1\n")
        (info / "entry_points.txt").write_text("[outfitrec]\nacme = acme_outfits\n")
        (info.parent / "acme_outfits.py").write_text(code)
        return info.parent

    return make


REGISTERS = """
from outfitrec.hooks import hookimpl
print("noise of a plugin")
@hookimpl
def outfitrec_register(register):
    register.component("loss", "hinge", ":Hinge", "hinge ranking loss")
"""


@pytest.mark.parametrize("arguments", [("--help",), ("ls",), ("ls", "--json"), ("plugins",), ("--version",)])
def test_light_commands_import_no_torch(arguments: tuple[str, ...]) -> None:
    code = f"""
import sys
from outfitrec.cli import main
try:
    main({list(arguments)!r})
except SystemExit as end:
    assert end.code == 0, end.code
print("heavy:", [name for name in ("torch", "torchvision", "numpy", "lightning_fabric") if name in sys.modules])
"""
    found = process(code=code)
    assert found.stdout.splitlines()[-1] == "heavy: []", found.stderr


def test_every_command_has_help() -> None:
    text = invoke("--help").stdout
    for name in COMMANDS:
        assert f"  {name} " in text
        assert invoke(name, "--help").exit_code == 0


def test_version() -> None:
    assert invoke("--version").stdout == f"outfitrec {version('outfitrec')}\n"


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (("evalute",), "did you mean 'evaluate'?"),
        (("plugin",), "did you mean 'plugins'?"),
        (("xyz",), "known: run, tune, bench"),
        (("run", "fnd", "--resme"), "--resume"),
        (("ls", "--jsn"), "--json"),
        (("ls", "losss"), "did you mean 'loss'?"),
    ],
)
def test_a_wrong_word_gets_the_nearest_right_one(arguments: tuple[str, ...], right: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert right in result.stderr
    assert not result.stdout


def test_errors_of_json_commands_are_documents_too() -> None:
    result = invoke("run", "fdn", "--json")
    assert result.exit_code == 2
    (problem,) = json.loads(result.stdout)["error"]["problems"]
    assert problem["message"] == "unknown recipe 'fdn'"
    assert problem["hint"].startswith("did you mean 'fnd'?")
    assert "error: unknown recipe 'fdn'" in result.stderr
    usage = invoke("ls", "--json", "--oops")
    assert usage.exit_code == json.loads(usage.stdout)["error"]["exit_code"] == 2


def test_a_full_disk_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/x")

    monkeypatch.setattr(engine, "run", full)
    result = invoke("run", "fnd")
    assert result.exit_code == 1
    assert "error: No space left on device: runs/x" in result.stderr
    assert "--resume" in result.stderr


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "lost")

    monkeypatch.setattr(engine, "run", broken)
    assert isinstance(invoke("run", "fnd").exception, FileNotFoundError)


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("arguments", [("ls",), ("ls", "--json")])
def test_a_reader_that_goes_away_ends_the_program_quietly(arguments: tuple[str, ...]) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    program.stdout.close()
    _, said = program.communicate(timeout=60)
    assert program.returncode == 1
    assert said == b""


def test_ls_lists_everything_registered() -> None:
    found = document("ls")
    assert {tuple(one) for one in found} == {("kind", "name", "provider", "version", "summary")}
    assert [(one["kind"], one["name"]) for one in found if one["kind"] == "loss"] == [
        ("loss", "bpr"),
        ("loss", "npair"),
    ]
    assert {one["name"] for one in found if one["kind"] == "recipe"} >= {"quickstart", "teacher", "npair", "bpr", "fnd"}
    assert len(found) == len(list(plugins().registry))
    order = [*KINDS, *RESOURCE_KINDS]
    assert [one["kind"] for one in found] == sorted((one["kind"] for one in found), key=order.index)
    text = invoke("ls").stdout
    assert all(one["summary"] in text for one in found)


@pytest.mark.parametrize("kind", [*KINDS, *RESOURCE_KINDS])
def test_ls_of_a_kind(kind: str) -> None:
    found = document("ls", kind)
    assert {one["kind"] for one in found} <= {kind}
    assert [one["name"] for one in found] == [one.name for one in plugins().registry if one.kind == kind]
    assert invoke("ls", kind).exit_code == 0


def test_plugins_lists_what_a_distribution_provides() -> None:
    own = next(one for one in document("plugins") if one["name"] == "outfitrec")
    assert own.keys() == {"name", "version", "state", "reason", "provides"}
    assert (own["version"], own["state"], own["reason"]) == (version("outfitrec"), "loaded", "")
    assert {"loss/npair", "recipe/fnd"} <= set(own["provides"])
    assert "npair" in invoke("plugins").stdout


def test_another_distribution_is_listed_and_can_be_left_out(site: Callable[[str], Path]) -> None:
    path = str(site(REGISTERS))
    found = process("ls", "loss", "--json", PYTHONPATH=path)
    assert {"kind": "loss", "name": "hinge", "provider": "acme-outfits", "version": "2.1"}.items() <= json.loads(
        found.stdout
    )[1].items()
    assert "noise of a plugin" in found.stderr
    without = process("--no-plugins", "plugins", "--json", PYTHONPATH=path)
    acme = next(one for one in json.loads(without.stdout) if one["name"] == "acme-outfits")
    assert (acme["state"], acme["reason"], acme["provides"]) == ("blocked", "plugins are switched off", [])


def test_a_broken_distribution_is_said_and_stops_nothing(site: Callable[[str], Path]) -> None:
    path = str(site("raise RuntimeError('out of thread')"))
    listed = process("ls", PYTHONPATH=path)
    assert listed.returncode == 0
    assert "npair" in listed.stdout
    assert "not loaded: acme-outfits" in listed.stderr
    shown = process("plugins", PYTHONPATH=path)
    assert "RuntimeError: out of thread" in shown.stdout
    strict = process("ls", PYTHONPATH=path, OUTFITREC_STRICT="1")
    assert strict.returncode == 2
    assert "acme-outfits 2.1 is broken" in strict.stderr
    assert "Traceback" not in strict.stderr


@pytest.mark.parametrize("entry", list(plugins().registry), ids=lambda one: f"{one.kind}/{one.name}")
def test_everything_registered_is_explained(entry: Any) -> None:
    result = invoke("explain", f"{entry.kind}/{entry.name}")
    assert result.exit_code == 0, result.stderr
    assert entry.summary in result.stdout
    assert entry.provider in result.stdout


def test_explain_says_all_of_a_field() -> None:
    lines = invoke("explain", "loss/npair").stdout.splitlines()
    assert "Kim et al. 2021, Eq. 10" in "\n".join(lines)
    (row,) = [line.split() for line in lines if line.startswith("temperature")]
    assert row[:6] == ["temperature", "a", "number", "0.1", ">", "0"]
    assert "filled in from the data: dim" in invoke("explain", "aggregator/set_transformer").stdout


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        ("train", ["train · key of a recipe", "Training.", "epochs a whole number 50 ≥ 0 passes over"]),
        ("train.epochs", ["train.epochs · key of a recipe", "epochs a whole number 50 ≥ 0 passes over"]),
        (
            "teacher.train.epochs",
            ["teacher.train.epochs · key of a recipe", "epochs a whole number 50 ≥ 0 passes over"],
        ),
        ("train.groups.encoder.lr", ["train.groups.*.lr · key of a recipe", "lr a number or null null ≥ 0"]),
        # Parts of a model have dots in their names.
        ("train.groups.encoder.backbone.lr", ["train.groups.*.lr · key of a recipe", "lr a number or null null ≥ 0"]),
        ("train.groups.encoder.backbone", ["train.groups.* · key of a recipe", "lr a number or null", "weight_decay"]),
        ("train.groups", ["groups a mapping {} settings of parts", "lr a number or null null ≥ 0"]),
        ("evaluate.cold_start.draws", ["evaluate.cold_start.draws · key of a recipe", "draws a whole number 10 ≥ 1"]),
        ("teacher", ["teacher · key of a recipe", "teacher a recipe, or a path null"]),
        ("plugins", ["plugins a list of paths []"]),
        ("image", ["image · key of a recipe", "size a whole number 224 ≥ 1"]),
        ("dataset", ["dataset component (dataset) synthetic users", "'outfitrec ls dataset' lists what there is"]),
        # Null by default, and what is in it otherwise.
        ("tune", ["tune · key of a suite", "tune a mapping or null null", "trials a whole number 20 ≥ 1"]),
        ("rows", ["rows · key of a suite", "rows a mapping {} methods", "recipe text or null null"]),
        ("rows.any.set", ["rows.*.set · key of a suite", "set a mapping {} keys of the recipe"]),
        ("extends", ["extends · key of a recipe and of a suite"]),
        ("teacher", ["there is also recipe/teacher"]),
        ("train.optimizer.lr", ["train.optimizer · key of a recipe", "optimizer/adam a number 0.001 > 0"]),
        ("teacher.train.optimizer.momentum", ["teacher.train.optimizer · key of a recipe", "optimizer/sgd a number"]),
        ("evaluate.cold_start.dataset.root", ["dataset/folder a path required"]),
        ("model.encoder.head.dropout", ["encoder/alexnet, head: head/item_encoder a number 0.5 ≥ 0, < 1"]),
        ("objectives.mine.distiller.alpha", ["objective/ranking, distiller: distiller/fnd a number 1.25 > 0"]),
        ("evaluate.metrics.ndcg_at.k", ["metric/ndcg_at a whole number"]),
        ("objectives.0", ["objectives list of components (objective) [ranking]"]),
        ("objectives.0.label", ["key label of a component:", "objective/ranking text"]),
        ("objectives.cl.views.0", ["objective/contrastive list of components (augmenter)"]),
        ("objectives.cl.views.0.count", ["objective/contrastive, views: augmenter/replace a whole number"]),
        ("train.optimizer.name", ["optimizer component (optimizer) sgd", "'outfitrec ls optimizer' lists"]),
        ("model.encoder.head.name", ["encoder/alexnet component (head)"]),
        ("rows.any.set.train.epochs", ["rows.*.set · key of a suite"]),
        ("teacher.extends", ["teacher.extends · key of a recipe"]),
        ("seeds", ["seeds · key of a suite"]),
        # Both have it.
        ("name", ["name · key of a recipe", "name · key of a suite", "name text required what the run is called"]),
    ],
)
def test_keys_are_explained(key: str, lines: list[str]) -> None:
    found = [" ".join(line.split()) for line in invoke("explain", key).stdout.splitlines()]
    for line in lines:
        assert any(one.startswith(line) for one in found), (line, found)


@pytest.mark.parametrize("cls", [Recipe, Suite])
def test_every_key_is_explained(cls: type[Any]) -> None:
    for key in keys(cls):
        result = invoke("explain", key.replace("*", "any"))
        assert result.exit_code == 0, (key, result.stderr)
        assert f"{key} · key of a " in result.stdout
        assert any(line.split()[:1] == [key.rpartition(".")[2]] for line in result.stdout.splitlines()[1:]), key


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("loss/npiar", "did you mean 'npair'?"),
        ("los/npair", "did you mean 'loss'?"),
        ("loss", "loss/bpr, loss/npair"),
        ("npair", "loss/npair, recipe/npair"),
        ("nothing_at_all", "'outfitrec ls' lists what there is"),
        ("train.epoch", "did you mean 'train.epochs'?"),
        ("trian", "did you mean 'train'?"),
        ("teacher.train.epoch", "did you mean 'teacher.train.epochs'?"),
        ("set_transforme", "did you mean 'aggregator/set_transformer'?"),
        ("rows.any.recipee", "did you mean 'rows.*.recipe'?"),
        ("rows.any.columns.other.setx", "did you mean 'rows.*.columns.*.set'?"),
        ("teachr", "did you mean 'teacher'?"),
        ("extend", "did you mean 'extends'?"),
        ("teacher.rows", "'outfitrec ls' lists what there is"),
        ("model.encoder.head.dropoutt", "no encoder has a key 'head.dropoutt'\n    did you mean 'head.dropout'?"),
        ("train.optimizer.lrr", "no optimizer has a key 'lrr'\n    did you mean 'lr'?"),
        ("teacher.dataset.users", "it takes the dataset of the recipe that it is in"),
    ],
)
def test_explain_of_what_there_is_not(what: str, message: str) -> None:
    result = invoke("explain", what)
    assert result.exit_code == 2
    assert message in result.stderr


LOST = """
from outfitrec.hooks import hookimpl
@hookimpl
def outfitrec_register(register):
    register.component("optimizer", "lost", "nowhere:Lost", "cannot be loaded")
"""


def test_of_a_key_what_cannot_be_loaded_is_said_and_is_no_such_key(site: Callable[[str], Path]) -> None:
    path = str(site(LOST))
    found = process("explain", "train.optimizer.lr", PYTHONPATH=path)
    assert found.returncode == 0
    assert "optimizer/sgd" in found.stdout
    assert "optimizer/acme-outfits/lost cannot be loaded" in found.stdout
    wrong = process("explain", "train.optimizer.lrr", PYTHONPATH=path)
    assert wrong.returncode == 2
    assert "no optimizer has a key 'lrr'; optimizer/acme-outfits/lost cannot be loaded" in wrong.stderr


def test_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    well = invoke("doctor")
    assert well.exit_code == 0, well.stdout
    for part in ("torch build", "cache", "plugin outfitrec", "extra lmdb", "weights", "processor"):
        assert part in well.stdout
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("OUTFITREC_CACHE", str(file))
    ill = invoke("doctor")
    assert ill.exit_code == 1
    assert "set OUTFITREC_CACHE to a folder" in ill.stdout


def test_doctor_finds_what_plugins_lack(site: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(site(REGISTERS))
    monkeypatch.syspath_prepend(path)
    found = Plugins(Policy(), distributions(path=[path]))
    monkeypatch.setattr("outfitrec.cli.doctor.plugins", lambda: found)
    result = invoke("doctor")
    assert result.exit_code == 1
    (line,) = [one for one in result.stdout.splitlines() if "loss/acme-outfits/hinge" in one]
    assert line.startswith("wrong")
    assert "has no attribute 'Hinge'" in line
