"""The contract kit: what a component of each kind keeps to, as checks for plugin authors.

    >>> from outfitrec.testing import check_component
    >>> report = check_component("loss/npair")
    >>> report.ok
    True

The same checks run as tests of pytest by `parametrize_with_checks`, and on the command line by ``outfitrec check``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outfitrec.testing.contract import KIT, Check, all_checks, checks_of
    from outfitrec.testing.marks import parametrize_with_checks
    from outfitrec.testing.report import Report, Result
    from outfitrec.testing.running import check_component
    from outfitrec.testing.subject import Subject
    from outfitrec.testing.world import WORLD, World

_WHERE = {
    "KIT": "contract",
    "Check": "contract",
    "Report": "report",
    "Result": "report",
    "Subject": "subject",
    "WORLD": "world",
    "World": "world",
    "all_checks": "contract",
    "check_component": "running",
    "checks_of": "contract",
    "parametrize_with_checks": "marks",
}

__all__ = [
    "KIT",
    "WORLD",
    "Check",
    "Report",
    "Result",
    "Subject",
    "World",
    "all_checks",
    "check_component",
    "checks_of",
    "parametrize_with_checks",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'outfitrec.testing' has no attribute {name!r}")
    return getattr(import_module(f"outfitrec.testing.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
