import shutil
from pathlib import Path

import pytest

from outfitrec.core.errors import PluginError
from outfitrec.core.loading import Plugins, Policy
from plugins.sites import COMPONENT, GOOD, Site, hook, loss, registered


def test_a_plugin_file_is_loaded_once(file: Path) -> None:
    file.write_text(hook(loss("mine", ":Mine"), before=COMPONENT))
    plugins = Plugins(Policy(), [])
    plugins.add_file(file)
    entry = plugins.registry.get("loss", "mine")
    assert entry.provider == "my losses.py"
    assert plugins.registry.get("loss", "my losses.py/mine") == entry
    loaded = entry.load()
    plugins.add_file(file.parent / "elsewhere" / ".." / file.name)
    assert registered(plugins, "my losses.py") == ["loss/mine"]
    assert plugins.registry.get("loss", "mine").load() is loaded
    assert [plugin.name for plugin in plugins.states] == ["outfitrec"]


def test_a_changed_plugin_file_takes_the_place_of_what_it_was(file: Path) -> None:
    plugins = Plugins(Policy(), [])
    entries = []
    # As long as one another and written within a moment: no cache of bytecode could tell them apart.
    for name in ("one", "two"):
        file.write_text(hook(loss(name, ":Mine"), before=f"{COMPONENT}    word = '{name}'\n"))
        plugins.add_file(file)
        entries.append(plugins.registry.get("loss", name))
    one, two = entries
    assert registered(plugins, "my losses.py") == ["loss/two"]
    assert one.version != two.version
    assert one.target != two.target
    assert (one.load().word, two.load().word) == ("one", "two")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", r"ZeroDivisionError: division by zero \(.*my losses\.py:1\)"),
        ("raise SystemExit('no')", "SystemExit: no"),
        ("def f(:", "SyntaxError"),
        ("\0", "null bytes"),
        ("x = 1", "no hook here"),
        (hook(GOOD, "1 / 0"), r"ZeroDivisionError: division by zero \(.*my losses\.py:6\)"),
        (hook(GOOD, loss("npair")), "loss 'npair' is provided by both outfitrec and my losses.py"),
    ],
)
def test_a_plugin_file_that_fails_changes_nothing(file: Path, source: str, reason: str) -> None:
    plugins = Plugins(Policy(), [])
    file.write_text(hook(loss("before")))
    plugins.add_file(file)
    before = list(plugins.registry)
    file.write_text(source)
    with pytest.raises(PluginError, match=f"the plugin file .*my losses.py fails: .*{reason}"):
        plugins.add_file(file)
    assert list(plugins.registry) == before


def test_a_plugin_file_that_failed_is_run_again(site: Site, file: Path) -> None:
    file.write_text(hook(loss("mine"), before="import helper_of_mine"))
    plugins = Plugins(Policy(), [])
    with pytest.raises(PluginError, match="No module named 'helper_of_mine'"):
        plugins.add_file(file)
    (site.path / "helper_of_mine.py").touch()
    plugins.add_file(file)
    assert registered(plugins, file.name) == ["loss/mine"]


def test_a_plugin_file_must_be_there_and_be_one(tmp_path: Path) -> None:
    plugins = Plugins(Policy(), [])
    with pytest.raises(PluginError, match=r"missing\.py cannot be read: No such file"):
        plugins.add_file(tmp_path / "missing.py")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(PluginError, match=r"folder\.py cannot be read: Is a directory"):
        plugins.add_file(tmp_path / "folder.py")
    # It would take the built-ins' name as its own.
    (tmp_path / "outfitrec").write_text(hook(GOOD))
    with pytest.raises(PluginError, match=r"ends in \.py"):
        plugins.add_file(tmp_path / "outfitrec")


def test_a_copy_of_a_plugin_file_is_the_same_file(file: Path) -> None:
    file.write_text(hook(loss("mine")))
    plugins = Plugins(Policy(), [])
    plugins.add_file(file)
    before = list(plugins.registry)
    (file.parent / "copy").mkdir()
    plugins.add_file(Path(shutil.copy(file, file.parent / "copy")))
    assert list(plugins.registry) == before


def test_two_plugin_files_of_one_name_are_an_error(file: Path) -> None:
    other = file.parent / "other" / file.name
    other.parent.mkdir()
    file.write_text(hook(loss("one")))
    other.write_text(hook(loss("two")))
    plugins = Plugins(Policy(), [])
    plugins.add_file(file)
    with pytest.raises(PluginError, match=r"two plugin files are called my losses\.py: ") as caught:
        plugins.add_file(other)
    assert str(file) in str(caught.value)
    assert str(other) in str(caught.value)


def test_files_added_to_a_copy_stay_there(file: Path) -> None:
    file.write_text(hook(loss("mine")))
    plugins = Plugins(Policy(), [])
    copy = plugins.copy()
    copy.add_file(file)
    assert copy.registry.get("loss", "mine").provider == file.name
    assert "mine" not in plugins.registry.names("loss")
    other = file.parent / "other" / file.name
    other.parent.mkdir()
    other.write_text(hook(loss("mine", "other:Mine")))
    plugins.add_file(other)
    assert plugins.registry.get("loss", "mine").target == "other:Mine"
    assert copy.registry.get("loss", "mine").target != "other:Mine"


def test_no_plugin_file_is_loaded_where_plugins_are_switched_off(file: Path) -> None:
    file.write_text("1 / 0")
    with pytest.raises(PluginError, match="is not loaded: plugins are switched off"):
        Plugins(Policy(enabled=False), []).add_file(file)
