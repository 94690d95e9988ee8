"""The built-in loggers keep to the contract; those of packages that are missing are skipped."""

from collections.abc import Callable

import pytest
from logger_fakes import FakeWandb, install
from mutants.logger import Sound

from outfitrec.core import extras
from outfitrec.testing import check_component, parametrize_with_checks


@parametrize_with_checks(["logger/tensorboard", "logger/wandb", "logger/mlflow"])
def test_contract(check: Callable[[], None]) -> None:
    check()


def test_sound_loggers_pass() -> None:
    report = check_component(Sound, kind="logger")
    assert report.ok, report


def test_a_logger_whose_package_is_missing_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "_installed", lambda package: False)
    report = check_component("logger/tensorboard")
    assert {one.state for one in report.results} == {"not applicable"}
    assert report.results[0].message == "not installed: tensorboard: pip install 'outfitrec[tensorboard]'"
    # Nothing was checked, and that is no success.
    assert not report.ok


def test_a_logger_of_a_service_is_checked_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeWandb()
    install(monkeypatch, "wandb", init=fake.init)
    report = check_component("logger/wandb")
    assert report.ok, report
    assert {one["mode"] for one in fake.inits} == {"offline"}
