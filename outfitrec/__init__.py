"""outfitrec: personalized outfit recommendation. Public names are loaded when they are first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outfitrec.core.component import component
    from outfitrec.core.create import create
    from outfitrec.core.engine import run
    from outfitrec.core.fields import field, given, part, parts
    from outfitrec.core.reevaluate import evaluate
    from outfitrec.core.runs import Run

_WHERE = {
    "Run": "outfitrec.core.runs",
    "component": "outfitrec.core.component",
    "create": "outfitrec.core.create",
    "evaluate": "outfitrec.core.reevaluate",
    "field": "outfitrec.core.fields",
    "given": "outfitrec.core.fields",
    "part": "outfitrec.core.fields",
    "parts": "outfitrec.core.fields",
    "run": "outfitrec.core.engine",
}

__all__ = ["Run", "component", "create", "evaluate", "field", "given", "part", "parts", "run"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'outfitrec' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__
