"""``outfitrec explain``: everything there is to know of one component, recipe, suite or key."""

import inspect
from typing import TYPE_CHECKING, Any

import click

from outfitrec.cli.output import show, show_table
from outfitrec.core.errors import UserError, did_you_mean, nearest
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import plugins
from outfitrec.core.registry import RESOURCE_KINDS, Registration, Registry

if TYPE_CHECKING:
    import attrs

HEADS = ("key", "type", "default", "range", "help")


@click.command("explain")
@click.argument("what", metavar="KIND/NAME|KEY")
def command(what: str) -> None:
    """Explain a component, such as loss/npair, or a key of recipes or suites, such as train or train.epochs.

    Of a component: its keys with type, default, range and help, and its source. Of a key: the same, and what is in it.
    """
    if "/" not in what and _show_key(what):
        return
    entry = _find(what, plugins().registry)
    show(f"{entry.kind}/{entry.qualified} · {entry.summary}", style="bold")
    show(f"from {entry.provider} {entry.version}, {entry.target}")
    if entry.kind in RESOURCE_KINDS:
        show(f"\n{entry.path().read_text(encoding='utf-8').rstrip()}")
    else:
        _show_component(entry)


def _show_key(key: str) -> bool:
    """Explain a key, of recipes, suites or both; whether there is such a key."""
    import attrs

    from outfitrec.benchmark.settings import Suite
    from outfitrec.core.keys import held
    from outfitrec.core.settings import Recipe

    found = [(of, one) for of, cls in (("recipe", Recipe), ("suite", Suite)) if (one := held(key, cls))]
    for index, (of, (settings, attribute)) in enumerate(found):
        if index:
            show()
        show(f"{key} · {'keys' if attribute is None else 'key'} of a {of}", style="bold")
        if attribute is None:
            show(f"\n{inspect.cleandoc(settings.__doc__ or '')}")
        show()
        show_table(HEADS, map(row, [attribute] if attribute else attrs.fields(settings)))
        kind = info(attribute).kind if attribute else ""
        if kind:
            show(f"\n'outfitrec ls {kind}' lists what there is, 'outfitrec explain {kind}/NAME' explains one")
    return bool(found)


def _find(what: str, registry: Registry) -> Registration:
    kind, _, name = what.partition("/")
    kinds = [*KINDS, *RESOURCE_KINDS]
    if kind in kinds and name:
        return registry.get(kind, name)
    if kind in kinds:
        known = [f"{kind}/{one}" for one in registry.names(kind)]
        raise UserError(f"{what!r} is a kind: say which {kind}", hint=did_you_mean("", known))
    if not name:
        known = [f"{one}/{what}" for one in kinds if what in registry.names(one)]
        raise UserError(
            f"{what!r} is not of the form KIND/NAME, and no key of recipes or suites",
            hint=did_you_mean("", known) if known else _nearest_key(what),
        )
    raise UserError(f"unknown kind {kind!r}", hint=did_you_mean(kind, kinds))


def _nearest_key(what: str) -> str:
    from outfitrec.benchmark.settings import Suite
    from outfitrec.core.keys import keys
    from outfitrec.core.settings import Recipe

    near = nearest(what, [*keys(Recipe), *keys(Suite)])
    return f"did you mean {near!r}?" if near else "'outfitrec ls' lists what there is"


def _show_component(entry: Registration) -> None:
    import attrs

    from outfitrec.core.config import config_class

    cls = config_class(entry)
    show(f"\n{inspect.cleandoc(cls.component.__doc__ or '')}")
    fields = attrs.fields(cls)
    if fields:
        show()
        show_table(HEADS, map(row, fields))
    searched = [f"{one.name} {tried(info(one).search)}" for one in fields if info(one).search]
    if searched:
        show(f"\nworth a search: {'; '.join(searched)}")
    given = [f"{one.name} ({info(one).help})" for one in attrs.fields(cls.component) if info(one).given]
    if given:
        show(f"\nfilled in from the data: {', '.join(given)}")


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
