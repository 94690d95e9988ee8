"""``outfitrec schema``: the JSON Schema of recipes."""

import json

import click

from outfitrec.core.loading import plugins


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of recipes, with the components of the plugins that are installed."""
    from outfitrec.core.schema import json_schema

    click.echo(json.dumps(json_schema(plugins().registry), indent=2, allow_nan=False))
