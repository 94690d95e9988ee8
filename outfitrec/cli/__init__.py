"""The command line, a file a command. A command is imported when it is used, and torch only by those that need it."""

import os

import click

from outfitrec.cli.program import Program


@click.group("outfitrec", cls=Program)
@click.option("--no-plugins", is_flag=True, help="Load the built-ins alone.")
@click.version_option(package_name="outfitrec", message="%(prog)s %(version)s")
def main(no_plugins: bool) -> None:
    """Personalized outfit recommendation: train, distil and compare models that rank outfits.

    A RECIPE is the path of a YAML file or the name of a shipped recipe ('outfitrec ls recipe' lists them). Exit status:
    0; 1 where a run failed; 2 for a mistake in what was written; 130 where it was interrupted. With --json, standard
    output holds one JSON document; of an error it is {"error": {"exit_code", "problems": [{"message", "where",
    "hint"}]}}.
    """
    if no_plugins:
        # In the environment, so that further processes of a run leave them out as well.
        os.environ["OUTFITREC_NO_PLUGINS"] = "1"
