"""``outfitrec explain``: everything there is to know of one component, recipe, suite or key."""

import inspect

import click

from outfitrec.cli.explain_key import nearest_of_all, show_key
from outfitrec.cli.output import show, show_table
from outfitrec.cli.rows import HEADS, row, tried
from outfitrec.core.errors import UserError, did_you_mean
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import plugins
from outfitrec.core.registry import RESOURCE_KINDS, Registration, Registry


@click.command("explain")
@click.argument("what", metavar="KIND/NAME|KEY")
def command(what: str) -> None:
    """Explain a component, such as loss/npair, or a key of recipes or suites, such as train or train.epochs.

    Of a component: its keys with type, default, range and help, and its source. Of a key: the same of it, and of the
    keys in it; of one that belongs to a component, such as train.optimizer.lr, which components have it.
    """
    registry = plugins().registry
    if "/" not in what and show_key(what, registry):
        return
    entry = _find(what, registry)
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
            f"{what!r} is not of the form KIND/NAME, and no key of recipes or suites",
            hint=did_you_mean("", known) if known else nearest_of_all(what, registry),
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
        show_table(HEADS, map(row, fields))
    searched = [f"{one.name} {tried(info(one).search)}" for one in fields if info(one).search]
    if searched:
        show(f"\nworth a search: {'; '.join(searched)}")
    given = [f"{one.name} ({info(one).help})" for one in attrs.fields(cls.component) if info(one).given]
    if given:
        show(f"\nfilled in from the data: {', '.join(given)}")
