"""``outfitrec plugins``: the distributions that offer plugins, and what became of each."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import attrs
import click

from outfitrec.cli.output import show_table
from outfitrec.core.loading import plugins


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of name, version, state, reason, provides.")
def command(as_json: bool) -> list[dict[str, Any]] | None:
    """List plugins with version, state (loaded, blocked, broken, refused), reason, and what they provide."""
    states = plugins().states
    if as_json:
        return [{**attrs.asdict(plugin), "provides": list(plugin.provides)} for plugin in states]
    rows = [(one.name, one.version, one.state, one.reason or _by_kind(one.provides)) for one in states]
    show_table(("name", "version", "state", "provides, or the reason"), rows)
    return None


def _by_kind(provides: Iterable[str]) -> str:
    """``kind: name, name; kind: name``."""
    groups = groupby((one.partition("/")[::2] for one in provides), key=lambda pair: pair[0])
    return "; ".join(f"{kind}: {', '.join(name for _, name in pairs)}" for kind, pairs in groups)
