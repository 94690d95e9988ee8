"""``outfitrec cp``: a copy of a shipped recipe, to be changed."""

from pathlib import Path

import click

from outfitrec.cli.output import show
from outfitrec.core.errors import UserError
from outfitrec.core.files import write_text
from outfitrec.core.loading import plugins


@click.command("cp")
@click.argument("recipe")
@click.argument("path", required=False)
def command(recipe: str, path: str | None) -> None:
    """Copy the shipped RECIPE to PATH: a file or a folder, by default NAME.yaml here."""
    entry = plugins().registry.get("recipe", recipe)
    target = Path(path or ".").expanduser()
    if target.is_dir():
        target /= f"{entry.name}.yaml"
    if target.suffix not in (".yaml", ".yml"):
        raise UserError(f"{target}: the name of a recipe's file ends in .yaml")
    if target.exists():
        raise UserError(f"{target} exists already", hint="choose another name: nothing is overwritten")
    write_text(target, entry.path().read_text(encoding="utf-8"))
    show(f"{target}: a copy of {entry.qualified}; 'outfitrec run {target}' runs it")
