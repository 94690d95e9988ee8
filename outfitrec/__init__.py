"""outfitrec: personalized outfit recommendation. Public names are loaded when they are first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outfitrec.core.component import component
    from outfitrec.core.fields import field, given, part, parts

_WHERE = {
    "component": "outfitrec.core.component",
    "field": "outfitrec.core.fields",
    "given": "outfitrec.core.fields",
    "part": "outfitrec.core.fields",
    "parts": "outfitrec.core.fields",
}

__all__ = ["component", "field", "given", "part", "parts"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'outfitrec' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
