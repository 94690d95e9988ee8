"""``outfitrec bench``: run a suite, and report."""

from typing import Any

import click

from outfitrec.cli.program import InterruptedByUserError


def _seeds(ctx: click.Context, option: click.Parameter, text: str | None) -> tuple[int, ...]:
    try:
        seeds = tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no list of seeds: write them as 0,1,2") from error
    if any(seed < 0 for seed in seeds) or len(set(seeds)) < len(seeds):
        raise click.BadParameter(f"{text!r}: seeds are 0 or more, each once")
    return seeds


@click.command("bench")
@click.argument("suite")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--out", default="runs", show_default=True, help="Folder that holds run directories.")
@click.option("--report", help="Folder of the report; by default reports/SUITE.")
@click.option("--row", "rows", multiple=True, metavar="ROW", help="Run this row alone; may be given several times.")
@click.option("--seeds", callback=_seeds, help="Seeds in place of the suite's, as 0,1,2.")
@click.option("--jobs", default=1, show_default=True, help="Runs at once on this machine, which share its cores.")
@click.option("--executor", default="local", show_default=True, help="local, or ray for the machines of a cluster.")
@click.option("--address", help="Address of a Ray cluster; by default one is started on this machine.")
@click.option("--report-only", is_flag=True, help="Run nothing: report what is finished.")
@click.option("--no-photos", is_flag=True, help="Leave photos out of the report, as where they may not be passed on.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as a JSON object.")
@click.option("--quiet", is_flag=True, help="Say nothing on the way but warnings.")
@click.pass_context
def command(
    ctx: click.Context,
    suite: str,
    overrides: tuple[str, ...],
    out: str,
    report: str | None,
    rows: tuple[str, ...],
    seeds: tuple[int, ...],
    jobs: int,
    executor: str,
    address: str | None,
    report_only: bool,
    no_photos: bool,
    as_json: bool,
    quiet: bool,
) -> dict[str, Any] | int | None:
    """Run every recipe of SUITE over its seeds, and write a report: a page to look at, and tables for papers.

    KEY=VALUE sets a key of all recipes of the suite (dataset.root=data/closet); of a recipe in a recipe
    (teacher.model.encoder.weights=FILE), wherever there is one.

    A run that is finished is not made again, an interrupted one goes on, and one that fails is marked in the report. It
    ends with exit code 1 where one failed or is missing.
    """
    import shlex
    from pathlib import Path

    from outfitrec.benchmark.bench import bench, report_folder
    from outfitrec.benchmark.running import How
    from outfitrec.cli.progress import console_progress
    from outfitrec.cli.report import document, show_report

    how = How(out=Path(out), jobs=jobs, executor=executor, address=address, run=not report_only)
    folder = Path(report) if report is not None else None
    words = ["outfitrec", "bench", suite, *overrides]
    for row in rows:
        words += ["--row", row]
    for option, value in (("--seeds", ",".join(map(str, seeds))), ("--out", out if out != "runs" else "")):
        words += [option, value] if value else []
    words += ["--no-photos"] if no_photos else []
    try:
        made = bench(
            suite,
            overrides,
            rows=rows,
            seeds=seeds,
            how=how,
            report=folder,
            photos=not no_photos,
            command=shlex.join(words),
            progress=console_progress(quiet),
        )
    except KeyboardInterrupt as error:
        raise InterruptedByUserError(
            "interrupted: the same command goes on; finished runs are kept, others go on from their last checkpoint"
        ) from error
    where = folder or report_folder(made.suite.name, made.facts["partial"])
    if as_json:
        return document(made)
    show_report(made, where)
    return 1 if made.facts["failed"] or made.facts["missing"] else None
