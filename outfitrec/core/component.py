"""The one decorator that turns a class into a component."""

import sys
from typing import Any, TypeVar, dataclass_transform

import attrs

from outfitrec.core.fields import field, given, part, parts

T = TypeVar("T", bound=type)


@dataclass_transform(kw_only_default=True, field_specifiers=(field, given, part, parts))
def component(cls: T) -> T:
    """Make a class a component: its annotated fields become recipe keys, with defaults, ranges and help.

    Fields are declared with `outfitrec.field`, `outfitrec.part`, `outfitrec.parts` and `outfitrec.given`. The class
    gets a keyword-only ``__init__``; what it builds from its fields (layers, tables) belongs in
    ``__attrs_post_init__``. A ``torch.nn.Module`` works as usual: submodules and parameters are registered.

    Example:
        >>> @component
        ... class Hinge:
        ...     '''Hinge ranking loss.'''
        ...     margin: float = field(default=0.2, above=0, help="margin between positive and negative score")

    Raises:
        TypeError: A field lacks a help line, or has a default that depends on others.
    """
    options: dict[str, Any] = {}
    if _is_module(cls):
        # attrs.define gives a class a __setattr__ of its own, in place of Module's, and then no submodule or parameter
        # is ever registered: the NO_OP keeps Module's. Module.__init__ must run before the first field is set.
        options = {"repr": False, "on_setattr": attrs.setters.NO_OP}
        module = sys.modules["torch.nn"].Module

        def before(self: Any) -> None:
            module.__init__(self)

        # attrs looks for the hook on the class itself.
        cls.__attrs_pre_init__ = before  # type: ignore[attr-defined]
    made = attrs.define(cls, slots=False, eq=False, kw_only=True, **options)
    for attribute in attrs.fields(made):
        if not getattr(attribute.metadata.get("outfitrec"), "help", ""):
            raise TypeError(
                f"{cls.__name__}.{attribute.name} has no help line: declare it with outfitrec.field(help=…)"
            )
        if getattr(attribute.default, "takes_self", False):
            raise TypeError(
                f"{cls.__name__}.{attribute.name}: its default depends on other fields, and defaults of keys are known "
                "before anything is built: let None be the default, and compute it in __attrs_post_init__"
            )
    return made


def _is_module(cls: type) -> bool:
    # A class can only derive from Module if torch was imported already; components without torch stay light.
    torch_nn = sys.modules.get("torch.nn")
    return torch_nn is not None and issubclass(cls, torch_nn.Module)
