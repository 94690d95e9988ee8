import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from outfitrec.core.errors import PluginError, UserError
from outfitrec.core.loading import Plugins, Policy
from outfitrec.core.registry import canonical
from plugins.sites import COMPONENT, Site, hook, loss


def test_a_name_of_two_plugins_is_an_error_where_it_is_used_bare(site: Site) -> None:
    site.put("outfitrec-a", hook(loss("same", "a:A")))
    site.put("Outfitrec_B", hook(loss("same", "b:B")))
    plugins = site.plugins()
    assert [plugin.state for plugin in plugins.states] == ["loaded"] * 3
    get = plugins.registry.get
    assert get("loss", "outfitrec-a/same").target == "a:A"
    assert get("loss", "Outfitrec_B/same").target == get("loss", "outfitrec-b/same").target == "b:B"
    with pytest.raises(PluginError, match="loss 'same' is provided by outfitrec-a, Outfitrec_B") as caught:
        get("loss", "same")
    assert caught.value.problems[0].hint == "write one of outfitrec-a/same, Outfitrec_B/same"
    names = plugins.registry.names("loss")
    assert "same" not in names
    assert {"outfitrec-a/same", "Outfitrec_B/same", "npair"} <= set(names)


@pytest.mark.parametrize(
    ("kind", "name", "hints"),
    [
        ("loss", "npai", ("did you mean 'npair'? (known: ", "; 'npair' is provided by outfitrec")),
        ("loss", "mime", ("did you mean 'mine'? (known: ", "; 'mine' is provided by outfitrec-a")),
        ("loss", "other/mine", ("did you mean 'mine'? (known: ", "; 'mine' is provided by outfitrec-a")),
        ("loss", "a-plugin-of-a-long-name/npai", ("did you mean 'npair'? (known: ", "provided by outfitrec")),
        ("loss", "fnd", ("known: ", "; there is a distiller 'fnd'; there is a recipe 'fnd'")),
        ("suite", "xyz", ("known: figure4, ", " more")),
    ],
)
def test_an_unknown_name_gives_the_nearest_and_its_provider(
    site: Site, kind: str, name: str, hints: tuple[str, ...]
) -> None:
    site.put("outfitrec-a", hook(loss("mine")))
    with pytest.raises(UserError) as caught:
        site.plugins().registry.get(kind, name)
    (problem,) = caught.value.problems
    assert problem.message == f"unknown {kind} {name!r}"
    assert problem.hint.startswith(hints[0])
    assert problem.hint.endswith(hints[-1])


def test_a_near_name_that_two_provide_is_given_with_its_provider(site: Site) -> None:
    for name in ("outfitrec-a", "outfitrec-b"):
        site.put(name, hook(loss("very_special")))
    with pytest.raises(UserError, match="did you mean 'outfitrec-a/very_special'"):
        site.plugins().registry.get("loss", "very_speciall")


def test_an_unknown_name_tells_what_is_not_loaded(site: Site) -> None:
    site.put("outfitrec-a", "1 / 0")
    site.put("outfitrec-b", hook(loss("mine")))
    with pytest.raises(UserError, match=r"not loaded: outfitrec-a \(broken\), outfitrec-b \(blocked\); see"):
        site.plugins(Policy(block=frozenset({"outfitrec-b"}))).registry.get("loss", "mine")


def test_an_unknown_kind_gives_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown kind 'los'") as caught:
        Plugins(Policy(), []).registry.get("los", "npair")
    assert "did you mean 'loss'?" in caught.value.problems[0].hint


@given(st.text("aB1-_.", min_size=1))
def test_names_are_compared_as_pip_does(name: str) -> None:
    assert canonical(name) == canonicalize_name(name)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:Mine", "cannot be loaded from nowhere:Mine: ModuleNotFoundError"),
        (":Missing", "AttributeError: module 'outfitrec_a' has no attribute 'Missing'"),
        ("outfitrec_a_late:Mine", "SystemExit: 1"),
        (":Plain", "outfitrec_a:Plain is not a component: decorate the class with @outfitrec.component"),
        (":Heir", "outfitrec_a:Heir is not a component"),
        (":thing", "outfitrec_a:thing is not a component"),
    ],
)
def test_a_class_that_cannot_be_used_is_an_error_that_names_the_plugin(site: Site, target: str, message: str) -> None:
    before = f"{COMPONENT}\nclass Plain: pass\nclass Heir(Mine): pass\nthing = Mine()\n"
    (site.path / "outfitrec_a_late.py").write_text("raise SystemExit(1)")
    site.put("outfitrec-a", hook(loss("mine", target), before=before))
    entry = site.plugins().registry.get("loss", "mine")
    with pytest.raises(PluginError, match=r"loss 'mine' of outfitrec-a 1\.0: ") as caught:
        entry.load()
    (problem,) = caught.value.problems
    assert message in problem.message
    assert "outfitrec-a" in problem.hint


def test_a_recipe_is_a_file_of_a_package(site: Site) -> None:
    package = site.path / "a_recipes"
    package.mkdir()
    (package / "mine.yaml").write_text("name: mine\n")
    site.put("outfitrec-a", hook('register.recipe("mine", "a_recipes:mine.yaml", "recipe")'))
    assert site.plugins().registry.get("recipe", "mine").path().read_text() == "name: mine\n"


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("nowhere:x.yaml", "ModuleNotFoundError: No module named 'nowhere'"),
        ("a_raises:x.yaml", "ZeroDivisionError"),
        ("outfitrec.plugins:x.yaml", "the package 'outfitrec.plugins' has no file 'x.yaml'"),
    ],
)
def test_a_recipe_that_is_not_there_is_an_error_that_names_the_plugin(site: Site, resource: str, message: str) -> None:
    (site.path / "a_raises.py").write_text("1 / 0")
    site.put("outfitrec-a", hook(f'register.recipe("mine", "{resource}", "recipe")'))
    with pytest.raises(PluginError, match=r"recipe 'mine' of outfitrec-a 1\.0: ") as caught:
        site.plugins().registry.get("recipe", "mine").path()
    assert message in str(caught.value)
