"""A component is found, built and checked, and everything that is wrong with that is said."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import attrs
import pytest
from mutants.every import NeedsMore
from mutants.loss import Doubled, Sound, Summed, softplus
from plugin_file import FILE
from torch import Tensor, nn

from outfitrec import Example, component, field
from outfitrec.core.errors import OutfitrecError, PluginError, UserError
from outfitrec.testing import KIT, Subject, check_component, checks_of, parametrize_with_checks
from outfitrec.testing.report import counted, counts_of
from outfitrec.testing.targets import subjects


def test_a_sound_component_passes_every_check_of_its_kind() -> None:
    report = check_component(Sound, kind="loss", oracle=softplus)
    assert report.ok, str(report)
    assert [one.check for one in report.results] == [one.name for one in checks_of("loss")]
    assert (
        report.counts
        == {
            "passed": len(checks_of("loss")) - 2,
            "failed": 0,
            "expected failure": 0,
            "unexpected pass": 0,
            # Its state, since it has none; and the GPU, or nothing where there is one.
            "not applicable": 2,
            "not run": 0,
        }
        or report.counts["not applicable"] == 1
    )


def test_a_failure_says_what_was_seen_and_what_to_do() -> None:
    report = check_component(Summed, kind="loss")
    assert not report.ok
    (bad,) = report.bad
    assert bad.check == "does_not_grow_with_the_number_of_pairs"
    assert "twice" in bad.message
    assert "mean over the pairs" in bad.hint
    assert str(report).splitlines()[-1] == counted(report.counts)


def test_what_cannot_be_built_fails_once_and_the_rest_is_not_run() -> None:
    report = check_component(NeedsMore, kind="loss")
    states = [one.state for one in report.results]
    assert states == ["failed"] + ["not run"] * (len(states) - 1)
    assert "RuntimeError: set NEEDS_MORE first" in report.results[0].message
    assert not check_component(NeedsMore, kind="loss", only=["is_a_scalar"]).ok


def test_what_a_component_raises_is_said_once_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(FILE.replace("- positive[:, None]", "- positive[:, None, None]"))
    report = check_component(str(path))
    raised = [one for one in report.bad if "RuntimeError" in one.message]
    assert len(raised) > 5
    said = [one for one in report.faults if "RuntimeError" in one.message]
    assert len(said) < len(raised)
    assert f"(and so in {len(raised) - 1} more checks)" in said[0].message or len(said) > 1
    assert f"{path}:" in said[0].message


def test_an_expected_failure_is_well_and_an_unexpected_pass_is_not() -> None:
    known = {"does_not_grow_with_the_number_of_pairs": "a sum, as in the paper"}
    report = check_component(Summed, kind="loss", expected=known)
    assert report.ok
    assert report.counts["expected failure"] == 1
    assert "a sum, as in the paper" in next(one.message for one in report.results if one.state == "expected failure")
    report = check_component(Sound, kind="loss", expected=known)
    assert not report.ok
    assert report.counts["unexpected pass"] == 1


def test_nothing_checked_is_no_success() -> None:
    report = check_component(Sound, kind="loss", only=["survives_a_checkpoint"])
    assert report.counts["not applicable"] == 1
    assert not report.ok
    assert counted(counts_of([])) == "nothing was checked"


@component
class Exemplary:
    """A loss with a required key."""

    margin: float = field(help="the margin")

    @staticmethod
    def examples() -> list[Example]:
        return [
            Example(fields={"margin": 0.5}),
            Example(fields={"margin": 2.0}, expected={"is_a_scalar": "not really"}),
        ]

    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
        return softplus(positive - self.margin, negative, weight, mask)


def test_a_component_is_checked_in_each_of_its_examples() -> None:
    report = check_component(Exemplary, kind="loss")
    assert [label for label, _ in report.by_subject()] == ["loss/exemplary(margin=0.5)", "loss/exemplary(margin=2.0)"]
    assert [(one.subject, one.check) for one in report.bad] == [("loss/exemplary(margin=2.0)", "is_a_scalar")]
    (own,) = subjects(Exemplary, kind="loss", fields={"margin": 3.0})
    assert own.label == "loss/exemplary(margin=3.0)"
    assert check_component(own).ok


def test_later_checks_are_left_out_where_an_earlier_version_of_the_kit_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from outfitrec.testing import contract, running

    def later(subject: Subject) -> None:
        """A fact that is asked for since the next version."""
        raise contract.BrokenContractError("it never holds", "wait")

    monkeypatch.setitem(contract._CHECKS, ("loss", "later"), contract.Check("loss", "later", KIT + 1, later))
    for module in (contract, running):
        monkeypatch.setattr(module, "KIT", KIT + 1)
    assert check_component(Sound, kind="loss", kit=KIT).ok
    assert [one.check for one in check_component(Sound, kind="loss", kit=KIT + 1).bad] == ["later"]
    # A plugin that says why it fails one is right with any version.
    assert check_component(Sound, kind="loss", expected={"later": "too late"}, kit=KIT).ok


def test_a_plugin_files_components_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "soft.py"
    path.write_text(FILE)
    report = check_component(str(path))
    assert report.ok, str(report)
    assert {one.subject for one in report.results} == {"loss/soft.py/soft"}
    assert check_component(str(path), fields={"scale": 2.0}).results[0].subject == "loss/soft.py/soft(scale=2.0)"


class Plain:
    """No component."""


class Abstract(ABC):
    """A loss that leaves its call to others."""

    @abstractmethod
    def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor: ...


Abstracted = component(Abstract)


@component
class Layer(nn.Module):
    """An aggregator."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        return items.mean(dim=1)


def test_an_abstract_class_cannot_be_built() -> None:
    report = check_component(Abstracted, kind="loss")
    assert "abstract" in report.results[0].message
    assert report.results[0].state == "failed"


def test_a_component_of_another_kind_fails_once_and_the_rest_is_not_run() -> None:
    report = check_component(Layer, kind="loss")
    (result,) = report.faults
    assert (result.check, result.state) == ("satisfies_its_protocol", "failed")
    assert "positive, negative, weight, mask" in result.message
    assert [one.state for one in report.results] == ["passed", "failed", *["not run"] * (len(report.results) - 2)]
    assert str(report).count("satisfies_its_protocol") == 1
    (left,) = check_component(Layer, kind="loss", only=["is_a_scalar"]).faults
    assert (left.check, left.state) == ("is_a_scalar", "not run")


def test_a_component_that_ends_the_program_fails() -> None:
    @component
    class Ending:
        """A loss."""

        def __call__(self, positive: Any, negative: Any, weight: Any = None, mask: Any = None) -> Tensor:
            raise SystemExit(3)

    @component
    class EndingAtOnce:
        """A loss."""

        __call__ = Sound.__call__

        def __attrs_post_init__(self) -> None:
            raise SystemExit(3)

    for cls in (Ending, EndingAtOnce):
        assert "SystemExit: 3" in check_component(cls, kind="loss").faults[0].message


def test_of_several_kinds_those_are_checked_that_have_the_check(tmp_path: Path) -> None:
    path = tmp_path / "both.py"
    more = '    register.component("schedule", "flat", "outfitrec.template.components.schedule:Mine", "flat")\n'
    path.write_text(FILE + more)
    report = check_component(str(path), only=["is_a_scalar"])
    assert [one.subject for one in report.results] == ["loss/both.py/soft"]
    assert report.ok


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("loss/nothing", {}, "unknown loss 'nothing'"),
        ("losss/npair", {}, "'losss/npair' is not installed, and is no component"),
        ("outfitrec-nothing", {}, "'outfitrec-nothing' is not installed"),
        ("outfitrec-baselines", {}, "is blocked"),
        ("no_such_module:Loss", {}, "cannot be loaded: ModuleNotFoundError"),
        ("mutants.loss:Nothing", {"kind": "loss"}, "cannot be loaded: AttributeError"),
        ("mutants.loss:softplus", {"kind": "loss"}, "is no class"),
        ("mutants.loss:Sound", {}, "is registered by no plugin"),
        ("mutants.loss:Sound", {"kind": "lose"}, "unknown kind 'lose'"),
        (Plain, {"kind": "loss"}, "is not a component: decorate the class with @outfitrec.component"),
        (Sound, {"kind": "loss", "fields": {"margin": 1}}, "margin"),
        (Sound, {"kind": "loss", "only": ["is_a_scaler"]}, "there is no check 'is_a_scaler'"),
        (Sound, {"kind": "loss", "expected": {"is_a_scaler": "why"}}, "there is no check 'is_a_scaler'"),
        (Sound, {"kind": "loss", "expected": {"is_a_scalar": " "}}, "expected to fail for no reason"),
        ("loss/npair", {"kind": "metric"}, "loss/npair is registered as loss, not as metric"),
        (Sound, {"kind": "loss", "kit": KIT + 1}, "no version"),
        ("loss/npair", {"fields": {"temperature": -1}}, "temperature: must be > 0"),
        ("outfitrec", {"fields": {"temperature": 1}}, "several components"),
        ("nowhere.py", {}, "cannot be read"),
    ],
)
def test_a_target_that_is_not_there_or_wrong_is_named(target: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        check_component(target, **options)


def test_examples_that_are_none_are_an_error() -> None:
    @component
    class Boastful:
        """A loss."""

        @staticmethod
        def examples() -> list[dict[str, int]]:
            return [{"margin": 1}]

    with pytest.raises(PluginError, match=r"must give one or more outfitrec\.Example"):
        check_component(Boastful, kind="loss")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"fields": "margin"}, "fields must be a mapping"),
        ({"expected": ["is_a_scalar"]}, "expected must be a mapping"),
        ({"image_size": 0}, "'image_size' must be >= 1"),
    ],
)
def test_examples_with_something_wrong_in_them_are_an_error(facts: dict[str, Any], message: str) -> None:
    @component
    class Careless:
        """A loss."""

        @staticmethod
        def examples() -> list[Example]:
            return [Example(**facts)]

    with pytest.raises(PluginError, match=message):
        check_component(Careless, kind="loss")


def test_failures_that_are_expected_of_no_target_are_an_error() -> None:
    with pytest.raises(ValueError, match="'loss/bpr': no such target"):
        parametrize_with_checks(["loss/npair"], expected={"loss/bpr": {"is_a_scalar": "why"}})


def test_a_default_that_depends_on_other_fields_is_refused() -> None:
    class Depending:
        """A loss."""

        margin: float = field(default=1.0, help="margin")
        double: float = attrs.field(
            default=attrs.Factory(lambda self: 2 * self.margin, takes_self=True),
            metadata=field(default=1.0, help="twice that").metadata,
        )

    with pytest.raises(TypeError, match=r"Depending\.double: its default depends on other fields"):
        component(Depending)


def test_a_registered_class_is_checked_under_its_name() -> None:
    from outfitrec.plugins.losses.npair import NPair

    assert check_component(NPair, only=["is_a_scalar"]).results[0].subject == "loss/npair"
    assert check_component("outfitrec.plugins.losses.npair:NPair", only=["is_a_scalar"]).ok
    with pytest.raises(OutfitrecError, match="registered as loss"):
        check_component(NPair, kind="metric")


def test_the_oracle_is_compared_with_and_without_weight_and_mask() -> None:
    assert check_component(Sound, kind="loss", oracle=softplus, only=["agrees_with_its_oracle"]).ok
    result = check_component(Doubled, kind="loss", oracle=softplus).bad
    assert [one.check for one in result] == ["agrees_with_its_oracle"]
