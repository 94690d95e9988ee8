"""The fields of components and settings, in words."""

from typing import TYPE_CHECKING, Any

from outfitrec.core.fields import info

if TYPE_CHECKING:
    import attrs

HEADS = ("key", "type", "default", "range", "help")


def row(attribute: "attrs.Attribute[Any]") -> tuple[str, ...]:
    """Key, type, default, range and help of a field, in words."""
    from outfitrec.core.settings import FinishedRun
    from outfitrec.core.values import elements, members, words

    extra = info(attribute)
    if extra.kind:
        kind = f"list of components ({extra.kind})" if extra.many else f"component ({extra.kind})"
    elif FinishedRun in members(attribute.type):
        kind = "a recipe, or a path"
    elif extra.path:
        kind = "a path" if elements(attribute.type) is None else "a list of paths"
    else:
        kind = words(attribute.type)
    return attribute.name, kind, _default(attribute), extra.range(), extra.help


def _default(attribute: "attrs.Attribute[Any]") -> str:
    import attrs

    from outfitrec.core.config import Config
    from outfitrec.core.values import shown

    default: Any = attribute.default
    if default is attrs.NOTHING:
        return "required"
    value = default.factory() if hasattr(default, "factory") else default
    if attrs.has(type(value)) and not isinstance(value, Config):
        # Its keys have defaults of their own.
        return ""
    if isinstance(value, tuple):
        # As a recipe writes it.
        return f"[{', '.join(map(str, value))}]"
    return value if isinstance(value, str) else shown(value)


def tried(values: tuple[Any, ...]) -> str:
    """What a search tries, in words."""
    if len(values) == 2 and all(isinstance(one, int | float) for one in values):
        return f"{values[0]} to {values[1]}"
    return ", ".join(map(str, values))
