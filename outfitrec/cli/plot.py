"""``outfitrec plot``: figures of finished runs."""

from pathlib import Path

import click

from outfitrec.cli.output import show
from outfitrec.core.errors import UserError


@click.group("plot")
def command() -> None:
    """Draw a figure of a finished run. Needs the extra plots: pip install 'outfitrec[plots]'."""


def _numbers(ctx: click.Context, option: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    try:
        return None if text is None else tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no list of users: write their numbers as 1,5,7") from error


@command.command("space", short_help="Users and their outfits in the space that they share.")
@click.argument("run")
@click.option("--users", callback=_numbers, help="Users to show, as 1,5,7; by default three of most outfits.")
@click.option("--out", default="space", show_default=True, help="PNG or SVG to write; without a suffix, both.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of negatives and t-SNE.")
def space(run: str, users: tuple[int, ...] | None, out: str, seed: int) -> None:
    """Draw users and outfits as the model in the run directory RUN sees them, in the plane by t-SNE.

    Of each user: the training positives, as many random negatives, and the test positives, which training did not
    observe. A black edge marks the false negatives that the model finds: unobserved outfits that it scores above the
    user's mean training positive, so that their weight d in false negative distillation is below 0. The preference must
    be cosine. A file that is there is replaced.
    """
    from outfitrec.core.extras import need

    need("plots", "matplotlib", "sklearn")
    from outfitrec.cli.progress import console_progress
    from outfitrec.core.runs import Run
    from outfitrec.core.space import NEGATIVE, TEST, open_space, project
    from outfitrec.plots.figure import COLOURS, save, targets
    from outfitrec.plots.space import draw

    paths = targets(Path(out).expanduser())
    if users is not None and len(users) > len(COLOURS):
        raise UserError(f"--users: {len(users)} users, and no more than {len(COLOURS)} can be told apart by colour")
    opened = open_space(Run(Path(run)), users, seed=seed, progress=console_progress())
    save(draw(opened, project(opened.vectors, seed)), paths)
    found = ", ".join(
        f"{int((opened.found & which).sum())} of {int(which.sum())} {role}s"
        for role, which in ((role, opened.which(role)) for role in (NEGATIVE, TEST))
    )
    show(f"{', '.join(map(str, paths))}: users {', '.join(map(str, opened.users))}; d < 0: {found}")
