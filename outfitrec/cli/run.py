"""``outfitrec run``: train and evaluate a recipe."""

from typing import Any

import click

from outfitrec.cli.program import InterruptedByUserError
from outfitrec.cli.result import show_summary


@click.command("run")
@click.argument("recipe")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--out", default="runs", show_default=True, help="Folder that holds run directories.")
@click.option("--seed", type=int, help="Seed of the run, and of one that it starts from; the teacher keeps its own.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run; start where there is none.")
@click.option("--force", is_flag=True, help="Train again where the run is finished or interrupted.")
@click.option("--strict", is_flag=True, help="Make a warning an error.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as a JSON object.")
@click.option("--quiet", is_flag=True, help="Say nothing on the way but warnings.")
def command(
    recipe: str,
    overrides: tuple[str, ...],
    out: str,
    seed: int | None,
    resume: bool,
    force: bool,
    strict: bool,
    as_json: bool,
    quiet: bool,
) -> dict[str, Any] | None:
    """Run RECIPE: recipes in it first (teacher, neighbours, start), then training, then evaluation on the test split.

    KEY=VALUE sets a key of the recipe; VALUE is YAML. An entry of a list is addressed by its name
    (objectives.ranking.distiller.alpha=2.5), the teacher's keys by teacher.KEY, likewise those of neighbours and start.

    A run's directory is named by what it computes: a run that is finished is not trained again.
    """
    if resume and force:
        raise click.UsageError("--resume goes on with an interrupted run and --force starts again: give one of them")
    try:
        from outfitrec.cli.progress import console_progress
        from outfitrec.core.devices import leads
        from outfitrec.core.engine import run

        progress = console_progress(quiet or not leads())
        found = run(recipe, overrides, out=out, seed=seed, resume=resume, force=force, strict=strict, progress=progress)
    except KeyboardInterrupt as error:
        raise InterruptedByUserError(
            "interrupted: the same command with --resume goes on from the last checkpoint"
        ) from error
    if not leads():
        return None
    if not found.trained:
        for text in found.result.warnings:
            progress.warning(text)
    if as_json:
        return found.summary()
    show_summary(found.summary())
    return None
