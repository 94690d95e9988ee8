"""``outfitrec neighbours``: a picture of the items that a recipe takes for similar."""

from pathlib import Path
from typing import Any

import click

from outfitrec.cli.output import show
from outfitrec.cli.program import InterruptedByUserError
from outfitrec.core.errors import UserError

# Of a photo in the picture, px.
SIDE = 112


@click.command("neighbours")
@click.argument("recipe")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--out", default="neighbours.png", show_default=True, help="PNG to write.")
@click.option("--items", type=click.IntRange(min=1), default=4, show_default=True, help="Items of each category.")
@click.option(
    "--count", type=click.IntRange(min=1, max=100), default=8, show_default=True, help="Neighbours of each item."
)
@click.option("--runs", default="runs", show_default=True, help="Folder that holds run directories.")
@click.option("--json", "as_json", is_flag=True, help="Print the names as a JSON object.")
def command(
    recipe: str, overrides: tuple[str, ...], out: str, items: int, count: int, runs: str, as_json: bool
) -> dict[str, Any] | None:
    """Draw items of RECIPE's training split beside those that look most like them, as the augmenter replace sees it.

    What the key neighbours of RECIPE names is trained first where it was not before; a RECIPE without that key, such as
    autoencoder, is trained itself. KEY=VALUE sets a key of the recipe.
    """
    path = Path(out).expanduser()
    if path.is_dir():
        raise UserError(f"--out: {out} is a folder", hint="give the name of a file that ends in .png")
    if path.suffix.lower() != ".png":
        raise UserError(f"--out: {out}: the picture is a PNG", hint="give a file name that ends in .png")
    try:
        from outfitrec.cli.progress import console_progress
        from outfitrec.core.files import whole
        from outfitrec.core.similar import similar_items
        from outfitrec.plots.gallery import neighbour_sheet, sample

        dataset, table = similar_items(recipe, overrides, count, out=runs, photos=True, progress=console_progress())
        # Of the columns, those that any item fills.
        table = table[:, : max(1, int((table >= 0).any(dim=0).sum()))]
        catalog = dataset.catalog
        shown = sample(catalog, table, items)
        page = neighbour_sheet(catalog, table, shown, SIDE)
        with whole(path) as temporary:
            page.save(temporary, "PNG")
    except KeyboardInterrupt as error:
        raise InterruptedByUserError("interrupted: the same command goes on from the last checkpoint") from error
    if not as_json:
        show(f"{path}: {len(shown)} items, and the {table.shape[1]} nearest of each")
        return None
    return {
        "picture": str(path),
        "items": [
            {
                "name": catalog.names[item],
                "category": catalog.categories[int(catalog.category[item])],
                "neighbours": [catalog.names[other] for other in table[item].tolist() if other >= 0],
            }
            for item in shown.tolist()
        ],
    }
