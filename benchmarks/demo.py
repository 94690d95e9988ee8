"""The recipe `quickstart` and its parts, side by side, and the paper's sizes beside them: `make demo`."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from outfitrec import Run, run
from outfitrec.cli.progress import progress_for
from outfitrec.core.build import parameter_counts
from outfitrec.core.recipe import load_recipe

OUT = Path("runs")
# Millions of parameters in the paper's Table 5, with 630 users.
PAPER = {"large": 65.99, "m": 28.10, "s": 13.88, "xs": 2.85}


def rows() -> list[tuple[str, Run]]:
    """Teacher, N-pair student and FND student."""
    progress = progress_for(quiet=False)
    fnd = run("quickstart", out=OUT, resume=True, progress=progress)
    alone = {"name": "quickstart-npair", "teacher": None, "objectives.ranking.distiller": None}
    npair = run("quickstart", alone, out=OUT, resume=True, progress=progress)
    assert fnd.teacher is not None
    return [("teacher (alexnet s)", fnd.teacher), ("N-pair student (xs)", npair), ("FND student (xs)", fnd)]


def main() -> None:
    """Train and print the tables."""
    console = Console()
    quality = Table(title="Embedded dataset, test split")
    for head in ("", "AUC", "NDCG", "parameters", "seconds"):
        quality.add_column(head, justify="right" if head else "left")
    found = rows()
    for name, one in found:
        result = one.result
        quality.add_row(
            name,
            f"{100 * result.test['auc']:.2f}",
            f"{100 * result.test['ndcg']:.2f}",
            f"{result.parameters['total'] / 1e6:.2f} M",
            f"{result.seconds:.0f}",
        )
    sizes = Table(title="The paper's models, 630 users (outfitrec inspect fnd model.encoder.size=…)")
    for head in ("alexnet", "parameters", "paper's Table 5"):
        sizes.add_column(head, justify="right")
    for size, printed in PAPER.items():
        recipe = load_recipe("npair", {"model.encoder.size": size})
        total = parameter_counts(recipe, users=630)["total"]
        sizes.add_row(size, f"{total:,}", f"{printed:.2f} M")
    console.print(quality, sizes)
    for name, one in found:
        console.print(f"{name}: {one.directory}", soft_wrap=True)


if __name__ == "__main__":
    main()
