"""Pages of the hook, and of the public names."""

import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from types import UnionType
from typing import Any

import outfitrec
from generate.components import kind_page, methods
from generate.links import relative
from generate.markdown import block, code, document, signature, table
from outfitrec import hooks, protocols, testing
from outfitrec.core.kinds import KINDS

HOOKS, NAMES = "reference/hooks.md", "reference/names.md"


def pages() -> Iterator[tuple[str, str]]:
    """The pages, by their paths."""
    yield HOOKS, "\n\n".join(_hooks())
    yield NAMES, "\n\n".join(_names())


def specifications() -> dict[str, Any]:
    """The hooks that a plugin may implement, by name."""
    marked = f"{hooks.hookspec.project_name}_spec"
    return {name: one for name, one in vars(hooks).items() if inspect.isfunction(one) and hasattr(one, marked)}


def _hooks() -> Iterator[str]:
    yield "# Hooks"
    yield document(hooks)
    for name, hook in specifications().items():
        yield f"## {code(name)} {{#{name}}}"
        yield block(signature(hook), "python")
        yield document(hook)
    yield "## `Register` {#register}"
    yield document(hooks.Register)
    for name, method in methods(hooks.Register):
        yield f"### `register.{name}` {{#register-{name}}}"
        yield block(signature(method), "python")
        yield document(method)


def _names() -> Iterator[str]:
    yield "# Public names"
    yield "What a plugin, a script or a service may rely on; [stability](../stability.md) says how far."
    yield "## Of `outfitrec`"
    for name in outfitrec.__all__:
        yield from _name(name, getattr(outfitrec, name))
    yield "## Of `outfitrec.protocols`"
    rows = []
    for kind in KINDS.values():
        name = kind.protocol.partition(":")[2]
        rows.append(
            (f"`{name}`", f"[{kind.name}]({relative(kind_page(kind.name), NAMES)})", _first(getattr(protocols, name)))
        )
    yield table(("protocol", "kind", "what it says"), rows)

    yield "## Of `outfitrec.testing`"
    yield table(("name", "what it is"), ((f"`{name}`", _first(getattr(testing, name))) for name in testing.__all__))


def _first(obj: Any) -> str:
    return inspect.cleandoc(obj.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def _name(name: str, found: Any) -> Iterator[str]:
    yield f"### `{name}` {{#{name}}}"
    if isinstance(found, UnionType):
        yield _alias(name)
        yield block(f"{name} = {found}", "python")
        return
    if not inspect.isclass(found):
        yield block(signature(found), "python")
        yield document(found)
        return
    yield block(f"class {found.__name__}", "python")
    yield document(found)
    members = [
        (member, _first(_function(value)))
        for member, value in ((key, inspect.getattr_static(found, key)) for key in vars(found))
        if not member.startswith("_") and _documented(value)
    ]
    if members:
        yield table(("has", "what it is"), ((f"`{member}`", said) for member, said in members))


def _alias(name: str) -> str:
    """What stands above the definition of a type that is a union: it has no docstring."""
    source = inspect.getsource(import_module(outfitrec._WHERE[name]))
    found = re.search(rf"^# (?P<said>.+)\n{name}\b", source, re.MULTILINE)
    return found["said"] if found else ""


def _documented(value: Any) -> bool:
    found = _function(value)
    return inspect.isfunction(found) and bool(found.__doc__)


def _function(value: Any) -> Any:
    """The function behind a member of a class."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, cached_property):
        return value.func
    return value.__func__ if isinstance(value, classmethod | staticmethod) else value
