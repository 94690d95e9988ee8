"""``outfitrec evaluate``: evaluate the model of a finished run again."""

from typing import Any

import click

from outfitrec.cli.result import show_summary


@click.command("evaluate")
@click.argument("run")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the result as a JSON object.")
def command(run: str, overrides: tuple[str, ...], as_json: bool) -> dict[str, Any] | None:
    """Evaluate the model in the run directory RUN, with other metrics, negatives or data.

    KEY=VALUE sets a key of evaluate, of dataset, or one that leaves the result alone (train.workers). The run directory
    stays as it is.
    """
    from outfitrec.cli.progress import console_progress
    from outfitrec.core.reevaluate import evaluate

    found = evaluate(run, overrides, progress=console_progress())
    if as_json:
        return found
    show_summary(found)
    return None
