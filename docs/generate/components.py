"""A page a kind, and a page a component."""

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs

from generate import shipped
from generate.links import relative
from generate.markdown import block, code, document, escaped, signature, table
from outfitrec.cli.rows import row, tried
from outfitrec.core.config import Config, config_class, plain
from outfitrec.core.fields import FieldInfo, info
from outfitrec.core.kinds import KINDS, Kind
from outfitrec.core.registry import BUILTIN, Registration
from outfitrec.core.settings import Recipe
from outfitrec.core.values import words
from outfitrec.core.yamlfile import dump

# Where a component stands in a recipe: keys, an empty one for an entry of a list, and mappings beside it.
Place = tuple[str, ...]
HEADS = ("key", "type", "default", "range", "what it does")


def page_of(entry: Registration) -> str:
    """The page of a component."""
    return f"components/{entry.kind}/{entry.qualified}.md"


def kind_page(kind: str) -> str:
    """The page of a kind."""
    return f"components/{kind}/index.md"


def pages() -> Iterator[tuple[str, str]]:
    """The pages, by their paths."""
    rows = [
        (f"[`{one.name}`]({one.name}/index.md)", one.summary, str(len(shipped.entries(one.name))))
        for one in KINDS.values()
    ]
    about = (
        "Everything that a recipe names is a component of one of these kinds. Pages are made from what is registered: "
        "the same that `outfitrec explain KIND/NAME` says."
    )
    yield "components/index.md", "\n\n".join(("# Components", about, table(("kind", "what it does", "here"), rows)))
    for kind in KINDS.values():
        yield kind_page(kind.name), "\n\n".join(_kind(kind))
        for entry in shipped.entries(kind.name):
            yield page_of(entry), "\n\n".join(_component(entry))


def _kind(kind: Kind) -> Iterator[str]:
    yield f"# {kind.name}"
    yield f"{kind.summary[0].upper()}{kind.summary[1:]}."
    rows = [
        (f"[`{shipped.word(one)}`]({one.qualified}.md)", one.summary, f"{one.provider} {one.version}")
        for one in shipped.entries(kind.name)
    ]
    yield table(("component", "what it is", "provider"), rows)
    keys = [f"`{'.'.join(one for one in path if one)}`" for path in _keys(kind.name)]
    holders = [
        f"`{key}` of [`{one.kind}/{shipped.word(one)}`]({relative(page_of(one), kind_page(kind.name))})"
        for one, key in _holders(kind.name)
    ]
    yield f"In a recipe it stands under {' and '.join([*keys, *holders])}."
    yield "## Protocol"
    yield (
        "What a component of this kind offers, in `outfitrec.protocols`; "
        f"[the guide](../../plugins.md#{kind.name}) has a whole one."
    )
    yield from protocol(kind)


def protocol(kind: Kind) -> Iterator[str]:
    """The protocol of a kind: what it says, and its methods."""
    cls = protocol_class(kind)
    yield block(f"class {cls.__name__}(Protocol)", "python")
    yield document(cls)
    for name, method in methods(cls):
        yield block(signature(method), "python")
        if name != "__call__" or method.__doc__:
            yield document(method)


def protocol_class(kind: Kind) -> type[Any]:
    """The protocol of a kind."""
    import outfitrec.protocols

    found: type[Any] = getattr(outfitrec.protocols, kind.protocol.partition(":")[2])
    return found


def methods(cls: type[Any]) -> list[tuple[str, Any]]:
    """The functions that a protocol names."""
    return [
        (name, value)
        for name, value in vars(cls).items()
        if inspect.isfunction(value) and (name == "__call__" or not name.startswith("_"))
    ]


def _component(entry: Registration) -> Iterator[str]:
    config = config_class(entry)
    yield f"# {entry.kind}/{shipped.word(entry)}"
    kind = f"[{entry.kind}]({relative(kind_page(entry.kind), page_of(entry))})"
    yield f"*{entry.summary[0].upper()}{entry.summary[1:]}.* Kind: {kind}."
    yield document(config.component)
    yield from _called(entry, config.component)
    yield "## Keys"
    fields = attrs.fields(config)
    if fields:
        yield table(HEADS, (_row(one, page_of(entry)) for one in fields))
        searched = [f"`{one.name}` ({tried(info(one).search)})" for one in fields if info(one).search]
        if searched:
            yield f"A search tries {', '.join(searched)}."
    else:
        yield "It has none."
    given = [f"`{one.name}` ({escaped(info(one).help)})" for one in attrs.fields(config.component) if info(one).given]
    if given:
        yield f"The engine fills in {', '.join(given)}."
    yield "## In a recipe"
    yield block(snippet(entry), "yaml")
    yield from _uses(entry)
    yield "## Source"
    module, _, name = entry.target.partition(":")
    yield f"Provided by `{entry.provider}` {entry.version}: class `{name}` in `{module.replace('.', '/')}.py`."


def _called(entry: Registration, cls: type[Any]) -> Iterator[str]:
    """What its methods say, where they say more than their protocol."""
    for name, _ in methods(protocol_class(KINDS[entry.kind])):
        own = getattr(cls, name, None)
        if name == "__call__" and not inspect.isfunction(vars(cls).get("__call__")):
            own = getattr(cls, "forward", own)
        module = getattr(own, "__module__", "") or ""
        if inspect.isfunction(own) and own.__doc__ and not module.startswith("torch."):
            yield block(signature(own), "python")
            yield document(own)


def _row(attribute: "attrs.Attribute[Any]", page: str) -> tuple[str, ...]:
    name, kind, default, limits, text = row(attribute)
    kind = kind_link(info(attribute), page) or kind
    return f"`{name}`", kind, cell(default), limits, text


def kind_link(extra: FieldInfo, page: str) -> str:
    """What a key that holds components takes, with a link to their kind; empty for a plain value."""
    there = f"[{extra.kind}]({relative(kind_page(extra.kind), page)})"
    return "" if not extra.kind else f"list of components ({there})" if extra.many else f"component ({there})"


def cell(default: str) -> str:
    """A default, as a table shows it."""
    return default if default == "required" else code(default or "''")


def _uses(entry: Registration) -> Iterator[str]:
    key = entry.kind, entry.qualified
    for title, page, names in (
        ("Recipes", shipped.RECIPES, shipped.used().get(key, [])),
        ("Suites", shipped.SUITES, shipped.compared().get(key, [])),
    ):
        there = relative(page, page_of(entry))
        links = [f"[`{name}`]({there}#{name.replace('/', '-')})" for name in names]
        yield f"{title} that use it: {', '.join(links) or 'none'}."


@cache
def _keys(kind: str, cls: type[Any] = Recipe, before: Place = ()) -> list[Place]:
    """Where in a recipe a component of a kind stands by itself."""
    from typing import get_type_hints

    from outfitrec.core.values import members

    found: list[Place] = []
    hints = get_type_hints(cls)
    for one in attrs.fields(cls):
        extra = info(one)
        if extra.kind == kind:
            found.append((*before, one.name, "") if extra.many else (*before, one.name))
        inner = [hint for hint in members(hints[one.name]) if isinstance(hint, type) and attrs.has(hint)]
        for settings in inner:
            if settings.__name__.endswith("Settings"):
                found += _keys(kind, settings, (*before, one.name))
    return found


@cache
def _holders(kind: str) -> list[tuple[Registration, str]]:
    """The components that hold one of a kind, and under which key; the built-in ones first."""
    found = [
        (entry, one.name)
        for other in KINDS
        for entry in shipped.entries(other)
        for one in attrs.fields(config_class(entry))
        if info(one).kind == kind
    ]
    return sorted(found, key=lambda one: one[0].provider != BUILTIN)


def snippet(entry: Registration) -> str:
    """A component with all its keys at their defaults, where it stands in a recipe."""
    fields = attrs.fields(config_class(entry))
    required = [one for one in fields if one.default is attrs.NOTHING]
    values = {"name": entry.qualified, **{one.name: _default(one) for one in fields if one not in required}}
    value, path = _held(entry.kind, values)
    for key in reversed(path):
        value = {key: value} if key else [value]
    lines = [f"# {one.name} is required: {words(one.type)}, {info(one).help}" for one in required]
    return "\n".join([*lines, dump(value)])


def _held(kind: str, value: Any) -> tuple[Any, Place]:
    keys = _keys(kind)
    if keys:
        return value, keys[0]
    holder, key = _holders(kind)[0]
    many = info(getattr(attrs.fields(config_class(holder)), key)).many
    return _held(holder.kind, {"name": holder.qualified, key: [value] if many else value})


def _default(attribute: "attrs.Attribute[Any]") -> Any:
    default: Any = attribute.default
    found = default.factory() if hasattr(default, "factory") else default
    return found.name if isinstance(found, Config) else plain(found)
