"""The space of a run's users and outfits, as a chart of the page."""

from typing import Any

from outfitrec.benchmark.report.kept import kept
from outfitrec.benchmark.report.svg import inline
from outfitrec.core.extras import need
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.runs import Run
from outfitrec.core.space import open_space, project
from outfitrec.plots.space import draw

TITLE = "Users and outfits in the space that they share"


def space(run: Run, progress: Progress = QUIET) -> dict[str, Any]:
    """The space of a finished run, drawn.

    Returns:
        ``svg``, ``users``: those shown.

    Raises:
        UserError: Users and outfits share no space, the data are not there, or scikit-learn is not installed.
        RunError: The run is damaged.

    Reference:
        Kim et al. 2021, Fig. 8.
    """
    need("plots", "sklearn")

    def compute() -> dict[str, Any]:
        found = open_space(run, progress=progress)
        return {"svg": inline(draw(found, project(found.vectors)), "space", TITLE), "users": list(found.users)}

    drawn: dict[str, Any] = kept("space", [run], compute)
    return drawn
