"""``outfitrec explain``: everything there is to know of one component, recipe or suite."""

import inspect
from typing import TYPE_CHECKING, Any

import click

from outfitrec.cli.output import show, show_table
from outfitrec.core.errors import UserError, did_you_mean
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import plugins
from outfitrec.core.registry import RESOURCE_KINDS, Registration, Registry

if TYPE_CHECKING:
    import attrs


@click.command("explain")
@click.argument("what", metavar="KIND/NAME")
def command(what: str) -> None:
    """Explain a component, such as loss/npair: its keys with type, default, range and help, and its source."""
    entry = _find(what, plugins().registry)
    show(f"{entry.kind}/{entry.qualified} · {entry.summary}", style="bold")
    show(f"from {entry.provider} {entry.version}, {entry.target}")
    if entry.kind in RESOURCE_KINDS:
        show(f"\n{entry.path().read_text(encoding='utf-8').rstrip()}")
    else:
        _show_component(entry)


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
            f"{what!r} is not of the form KIND/NAME",
            hint=did_you_mean("", known) if known else "'outfitrec ls' lists what there is",
        )
    raise UserError(f"unknown kind {kind!r}", hint=did_you_mean(kind, kinds))


def _show_component(entry: Registration) -> None:
    import attrs

    from outfitrec.core.config import config_class

    cls = config_class(entry)
    show(f"\n{inspect.cleandoc(cls.component.__doc__ or '')}")
    fields = attrs.fields(cls)
    if fields:
        show()
        show_table(("key", "type", "default", "range", "help"), map(row, fields))
    searched = [f"{one.name} {tried(info(one).search)}" for one in fields if info(one).search]
    if searched:
        show(f"\nworth a search: {'; '.join(searched)}")
    given = [f"{one.name} ({info(one).help})" for one in attrs.fields(cls.component) if info(one).given]
    if given:
        show(f"\nfilled in from the data: {', '.join(given)}")


def row(attribute: "attrs.Attribute[Any]") -> tuple[str, ...]:
    """Key, type, default, range and help of a field, in words."""
    from outfitrec.core.values import words

    extra = info(attribute)
    if extra.kind:
        kind = f"list of components ({extra.kind})" if extra.many else f"component ({extra.kind})"
    else:
        kind = "a path" if extra.path else words(attribute.type)
    return attribute.name, kind, _default(attribute), extra.range(), extra.help


def _default(attribute: "attrs.Attribute[Any]") -> str:
    import attrs

    from outfitrec.core.values import shown

    default: Any = attribute.default
    if default is attrs.NOTHING:
        return "required"
    value = default.factory() if hasattr(default, "factory") else default
    if isinstance(value, tuple):
        # As a recipe writes it.
        return f"[{', '.join(map(str, value))}]"
    return value if isinstance(value, str) else shown(value)


def tried(values: tuple[Any, ...]) -> str:
    """What a search tries, in words."""
    if len(values) == 2 and all(isinstance(one, int | float) for one in values):
        return f"{values[0]} to {values[1]}"
    return ", ".join(map(str, values))
