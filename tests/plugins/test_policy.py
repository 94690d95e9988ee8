import sys
from importlib.metadata import distributions

import pytest

from outfitrec.core.errors import PluginError
from outfitrec.core.loading import Plugins, Policy
from plugins.sites import Site, hook, loss, registered, state_of


@pytest.mark.parametrize(
    ("environment", "blocked", "reason"),
    [
        ({"OUTFITREC_NO_PLUGINS": "1"}, {"Outfitrec_A", "outfitrec-b"}, "plugins are switched off"),
        ({"OUTFITREC_BLOCK": " outfitrec-a, other,"}, {"Outfitrec_A"}, "in the block-list OUTFITREC_BLOCK"),
        ({"OUTFITREC_ALLOW": "OUTFITREC.B"}, {"Outfitrec_A"}, "not in the allow-list OUTFITREC_ALLOW"),
        ({"OUTFITREC_ALLOW": "outfitrec_a,outfitrec-b", "OUTFITREC_BLOCK": "outfitrec-B"}, {"outfitrec-b"}, "block"),
        ({"OUTFITREC_BLOCK": "outfitrec"}, set(), ""),
        ({"OUTFITREC_NO_PLUGINS": "0", "OUTFITREC_ALLOW": "", "OUTFITREC_BLOCK": ","}, set(), ""),
    ],
)
def test_what_is_blocked_is_listed_and_not_imported(
    site: Site, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], blocked: set[str], reason: str
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    modules = {name: site.put(name, hook(loss("same"))) for name in ("Outfitrec_A", "outfitrec-b")}
    plugins = Plugins(found=distributions(path=[str(site.path)]))
    assert plugins.states[0].state == "loaded"
    for name, module in modules.items():
        state = state_of(plugins, name)
        assert state.state == ("blocked" if name in blocked else "loaded")
        assert (module in sys.modules) == (name not in blocked)
        assert registered(plugins, name) == ([] if name in blocked else ["loss/same"])
        assert reason in state.reason if name in blocked else not state.reason


@pytest.mark.parametrize("variable", ["OUTFITREC_NO_PLUGINS", "OUTFITREC_STRICT"])
def test_a_switch_is_0_or_1(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "yes")
    with pytest.raises(PluginError, match=f"{variable} must be 0 or 1, not 'yes'"):
        Policy.from_environment()


def test_a_strict_policy_says_all_that_fails(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put("outfitrec-a", "1 / 0")
    site.put("outfitrec-b", hook(loss("npair")))
    site.put("outfitrec-c", hook(loss("fine")))
    site.put("outfitrec-d", "1 / 0")
    monkeypatch.setenv("OUTFITREC_STRICT", "1")
    monkeypatch.setenv("OUTFITREC_BLOCK", "outfitrec-d")
    with pytest.raises(PluginError) as caught:
        Plugins(found=distributions(path=[str(site.path)]))
    one, two = caught.value.problems
    assert one.message.startswith("the plugin outfitrec-a 1.0 is broken: ZeroDivisionError")
    assert two.message.startswith("the plugin outfitrec-b 1.0 is refused: loss 'npair' is provided by both")
    assert one.hint.endswith("OUTFITREC_BLOCK=outfitrec-a")


def test_requirements_that_hold(site: Site) -> None:
    site.put("Outfitrec_A", hook(loss("mine")), version="1.2rc1")
    site.plugins().check_required({"outfitrec-a": ">=1.1,<2", "OUTFITREC.A": "", "outfitrec": ">=0.1"})


def test_requirements_that_do_not_hold_are_said_all_at_once(site: Site) -> None:
    site.put("outfitrec-a", hook(loss("mine")), version="1.2")
    site.put("outfitrec-b", "1 / 0")
    site.put("outfitrec-c", hook(loss("mine")), version="not-a-version")
    with pytest.raises(PluginError) as caught:
        site.plugins().check_required(
            {
                "outfitrec": "",
                "outfitrec-a": ">=1.3",
                "outfitrec-b": ">=0",
                "outfitrec-c": ">=1",
                "outfitrec-d": ">=1",
                "Outfitrec_A": "newest",
            }
        )
    messages = [problem.message for problem in caught.value.problems]
    assert messages[0] == "requires outfitrec-a >=1.3, and 1.2 is installed"
    assert messages[1].startswith("requires outfitrec-b >=0, which is broken: ZeroDivisionError")
    assert messages[2].startswith("requires outfitrec-c >=1, and what is installed has none: ")
    assert messages[3] == "requires outfitrec-d >=1, which is not installed"
    assert "did you mean 'outfitrec-" in caught.value.problems[3].hint
    assert messages[4] == "requires Outfitrec_A 'newest': not a version range such as '>=1.0'"
    assert len(messages) == 5
