"""``outfitrec cp``: a copy of a shipped recipe or suite, to be changed."""

from pathlib import Path

import click

from outfitrec.cli.output import show
from outfitrec.core.errors import UserError
from outfitrec.core.files import write_text
from outfitrec.core.loading import plugins


@click.command("cp")
@click.argument("name", metavar="RECIPE|SUITE")
@click.argument("path", required=False)
def command(name: str, path: str | None) -> None:
    """Copy the shipped RECIPE or SUITE to PATH: a file or a folder, by default NAME.yaml here."""
    registry = plugins().registry
    kind = "suite" if name in registry.names("suite") and name not in registry.names("recipe") else "recipe"
    entry = registry.get(kind, name)
    target = Path(path or ".").expanduser()
    if target.is_dir():
        target /= f"{entry.name}.yaml"
    if target.suffix not in (".yaml", ".yml"):
        raise UserError(f"{target}: the name of a {kind}'s file ends in .yaml")
    if target.exists():
        raise UserError(f"{target} exists already", hint="choose another name: nothing is overwritten")
    write_text(target, entry.path().read_text(encoding="utf-8"))
    verb = "bench" if kind == "suite" else "run"
    show(f"{target}: a copy of {entry.qualified}; 'outfitrec {verb} {target}' runs it")
