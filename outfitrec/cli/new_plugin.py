"""``outfitrec new-plugin``: a distribution that works from the start, with one file to be changed."""

from pathlib import Path
from typing import Any

import click

from outfitrec.cli.output import show
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import plugins


@click.command("new-plugin")
@click.argument("name")
@click.option("--kind", required=True, help=f"Kind of its component: {', '.join(KINDS)}.")
@click.option("--path", type=click.Path(path_type=Path), help="Folder that is made; by default NAME here.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object of folder, names and files.")
def command(name: str, kind: str, path: Path | None, as_json: bool) -> dict[str, Any] | None:
    """Write a new plugin: the distribution NAME (outfitrec-hinge, say) with a component of a kind that works.

    It has an entry point, a recipe, a suite that compares it where that makes sense, tests by the contract kit, a
    README and a workflow for continuous integration. The component's file is all that is to be changed.
    """
    from outfitrec.template.generate import check_names, write_plugin

    names = check_names(name, kind, plugins().registry)
    folder = (path or Path(name)).expanduser()
    files = write_plugin(names, folder)
    if as_json:
        return {
            "folder": str(folder),
            "component": f"{kind}/{names.qualified}",
            "file": str(folder / names.package / f"{names.name}.py"),
            "files": [str(folder / file) for file in files],
        }
    show(f"{folder}: {len(files)} files; yours is {folder / names.package / names.name}.py", style="bold")
    show(f"  pip install -e '{folder}[test]'")
    show(f"  outfitrec check {kind}/{names.name}")
    show(f"  outfitrec run {names.name}")
    return None
