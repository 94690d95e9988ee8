"""Plain values of recipe keys: which type takes which value, without coercion, and how to say so."""

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs

# What a scalar type is called, alone and in a list.
WORDS: dict[Any, tuple[str, str]] = {
    bool: ("true or false", "truth values"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("text", "texts"),
    NoneType: ("null", "nulls"),
    Any: ("anything", "values"),
}


def members(hint: Any) -> tuple[Any, ...]:
    """The types of a union, ``float`` last so that a whole number stays one where both are allowed."""
    origin = get_origin(hint)
    if origin is Annotated:
        return members(get_args(hint)[0])
    if origin in (Union, UnionType):
        found = [member for one in get_args(hint) for member in members(one)]
        return tuple(sorted(found, key=lambda member: member is float))
    return (hint,)


def elements(hint: Any) -> tuple[Any, ...] | Any | None:
    """Of a list type: the type of its elements, or a tuple of types where their number is fixed; None otherwise."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (list, Sequence) or (origin is tuple and arguments[-1:] == (...,)):
        return arguments[0]
    return arguments if origin is tuple else None


def entries(hint: Any) -> Any | None:
    """Of a mapping type: the type of its values; None otherwise."""
    return get_args(hint)[1] if get_origin(hint) in (dict, Mapping) and get_args(hint)[0] is str else None


def supported(hint: Any) -> bool:
    """Whether a recipe key can have this type."""
    for member in members(hint):
        inner = elements(member)
        if inner is None:
            inner = entries(member)
        if isinstance(inner, tuple):
            fine = all(map(supported, inner))
        elif inner is not None:
            fine = supported(inner)
        else:
            fine = member in WORDS or get_origin(member) is Literal or attrs.has(member)
        if not fine:
            return False
    return True


def accepts(hint: Any, value: object) -> bool:
    """Whether a single type (no union) takes a value as it is. What a list or mapping holds is not looked at."""
    if hint is Any:
        return True
    if get_origin(hint) is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(hint))
    if elements(hint) is not None:
        return isinstance(value, list)
    if entries(hint) is not None or attrs.has(hint):
        return isinstance(value, dict) or (attrs.has(hint) and isinstance(value, hint))
    if hint in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if hint is float else hint)


def words(*hints: Any) -> str:
    """What a value of one of these types is called: ``a whole number or text``."""
    found = dict.fromkeys(_words(member) for hint in hints for member in members(hint))
    return " or ".join(sorted(found, key=lambda word: word == WORDS[NoneType][0]))


def _words(hint: Any) -> str:
    if hint in WORDS:
        return WORDS[hint][0]
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(shown, get_args(hint)))}"
    inner = elements(hint)
    if inner is None:
        return "a mapping"
    count = f"{len(inner)} " if isinstance(inner, tuple) else ""
    kinds = set(inner) if isinstance(inner, tuple) else {inner}
    several = WORDS.get(kinds.pop(), ("", "values"))[1] if len(kinds) == 1 else "values"
    return f"a list of {count}{several}"


def shown(value: object) -> str:
    """A value as a message shows it: in YAML's words, and short."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
