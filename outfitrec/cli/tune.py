"""``outfitrec tune``: search a recipe's hyper-parameters."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outfitrec.cli.output import show, show_table
from outfitrec.cli.program import InterruptedByUserError
from outfitrec.core.errors import UserError

if TYPE_CHECKING:
    from outfitrec.benchmark.tuning import Found

# What the first line of a recipe that is written here begins with.
MARK = "# Found by outfitrec tune"


@click.command("tune")
@click.argument("recipe")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "--trials", type=click.IntRange(min=1), default=20, show_default=True, help="Runs, failed ones among them."
)
@click.option("--jobs", type=int, default=1, show_default=True, help="Runs at once.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the search and of its runs; by default the recipe's.")
@click.option(
    "--range",
    "ranges",
    metavar="KEY=[LOW, HIGH]",
    multiple=True,
    help="A key to search in place of the usual ones; KEY=[A, B, C] is a choice, KEY alone takes its default range.",
)
@click.option("--out", default="tunings", show_default=True, help="Folder of the search and of its run directories.")
@click.option(
    "--recipe", "file", metavar="FILE", help="Where the best recipe is written; by default OUT/NAME-tuned.yaml."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as a JSON object.")
@click.option("--quiet", is_flag=True, help="Say nothing on the way but warnings.")
def command(
    recipe: str,
    overrides: tuple[str, ...],
    trials: int,
    jobs: int,
    seed: int | None,
    ranges: tuple[str, ...],
    out: str,
    file: str | None,
    as_json: bool,
    quiet: bool,
) -> dict[str, Any] | None:
    """Search the values of RECIPE's keys whose run has the best validation value of train.select.

    KEY=VALUE sets a key of the recipe for all trials. The first trial is the recipe as it is. By default the keys that
    have a range are searched ('outfitrec explain KIND NAME' shows them), apart from whole numbers: sizes and counts are
    searched where --range asks for them. The test split is not looked at.

    Trials that are finished are kept: the same command goes on where it stopped, also with more --trials.
    """
    try:
        from outfitrec.benchmark.search import read_ranges
        from outfitrec.benchmark.tuning import tune
        from outfitrec.cli.progress import console_progress
        from outfitrec.core.recipe import load_recipe

        loaded = load_recipe(recipe, overrides)
        path = Path(file) if file else Path(out) / f"{loaded.name}-tuned.yaml"
        _check(path)
        found = tune(
            loaded,
            trials=trials,
            jobs=jobs,
            seed=seed,
            ranges=read_ranges(ranges),
            out=out,
            progress=console_progress(quiet),
        )
        _write(path, found)
    except KeyboardInterrupt as error:
        raise InterruptedByUserError(
            "interrupted: trials that are finished are kept, and the same command goes on with the rest"
        ) from error
    if as_json:
        return _document(found, path)
    _show(found, path)
    return None


def _check(path: Path) -> None:
    """Make sure that what is overwritten was written here."""
    if path.is_dir():
        raise UserError(f"--recipe: {path} is a folder", hint="name a file")
    if path.is_file() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        raise UserError(
            f"{path} is there, and was not written by outfitrec tune",
            hint="write to another file with --recipe, or move it away",
        )


def _write(path: Path, found: "Found") -> None:
    from outfitrec.core.files import write_text
    from outfitrec.core.recipe import dump_recipe

    head = f"{MARK}: {found.select} {found.value:.4f} on the validation split, the best of {len(found.trials)} trials."
    write_text(path, f"{head}\n{dump_recipe(found.recipe)}")


def _document(found: "Found", path: Path) -> dict[str, Any]:
    import attrs

    return {
        "recipe": str(path),
        "metric": found.select,
        "value": found.value,
        "overrides": found.overrides,
        "failed": sum(bool(one.error) for one in found.trials),
        "trials": [attrs.asdict(one) for one in found.trials],
        "file": str(found.path),
    }


def _show(found: "Found", path: Path) -> None:
    from outfitrec.core.values import shown

    heads = _short(list(found.overrides))
    rows = [
        (
            str(one.number),
            "failed" if one.value is None else f"{one.value:.4f}",
            *(shown(one.overrides[key]) for key in heads),
        )
        for one in found.trials
    ]
    show_table(("trial", found.select, *heads.values()), rows, numbers=("trial", found.select, *heads.values()))
    failed = [one for one in found.trials if one.error]
    if failed:
        show(f"\n{len(failed)} of {len(found.trials)} trials failed:")
        for one in failed:
            show(f"  {one.number}: {one.error.splitlines()[0]}")
    show(f"\nbest: {found.select} {found.value:.4f} on the validation split", style="bold")
    for key, value in found.overrides.items():
        show(f"  {key}={shown(value)}")
    show(f"\nwritten to {path}")


def _short(keys: list[str]) -> dict[str, str]:
    """The keys with as many of their last words as tell them apart."""
    found = {}
    for key in keys:
        words = key.split(".")
        tails = (".".join(words[-length:]) for length in range(1, len(words) + 1))
        others = [f".{other}" for other in keys if other != key]
        found[key] = next((tail for tail in tails if not any(one.endswith(f".{tail}") for one in others)), key)
    return found
