"""``outfitrec ls``: what recipes can name."""

from typing import Any

import click

from outfitrec.cli.output import show, show_table
from outfitrec.core.errors import UserError, did_you_mean
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import plugins
from outfitrec.core.registry import RESOURCE_KINDS


@click.command("ls")
@click.argument("kind", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of kind, name, provider, version, summary.")
def command(kind: str | None, as_json: bool) -> list[dict[str, Any]] | None:
    """List components, recipes and suites, or those of one KIND."""
    kinds = [*KINDS, *RESOURCE_KINDS]
    if kind is not None and kind not in kinds:
        raise UserError(f"unknown kind {kind!r}", hint=did_you_mean(kind, kinds))
    loaded = plugins()
    entries = [entry for entry in loaded.registry if kind in (None, entry.kind)]
    entries.sort(key=lambda entry: kinds.index(entry.kind))
    if as_json:
        keys = ("kind", "name", "provider", "version", "summary")
        return [{key: getattr(entry, key) for key in keys} for entry in entries]
    names = {one: set(loaded.registry.names(one)) for one in kinds}
    rows = [
        # A name that several distributions provide is of use with its provider only.
        (
            one.kind,
            one.name if one.name in names[one.kind] else one.qualified,
            f"{one.provider} {one.version}",
            one.summary,
        )
        for one in entries
    ]
    if rows:
        show_table(("kind", "name", "provider", "summary"), rows)
    else:
        show(f"no {kind} is installed")
    absent = [plugin.name for plugin in loaded.states if plugin.state != "loaded"]
    if absent:
        click.echo(f"not loaded: {', '.join(absent)} ('outfitrec plugins' says why)", err=True)
    return None
