"""Weights & Biases."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from outfitrec.core.component import component
from outfitrec.core.example import Example
from outfitrec.core.extras import need
from outfitrec.core.fields import field
from outfitrec.plugins.loggers import known, remember

IDS = "wandb.json"


@component
class WeightsAndBiases:
    """A run of Weights & Biases: figures by epoch, the recipe as its configuration, and the test metrics.

    Runs of one recipe, such as those of several seeds, are a group. An interrupted run goes on as the same one.
    """

    project: str = field(default="outfitrec", help="project that the run is shown in")
    mode: str | None = field(
        default=None,
        choices=("online", "offline", "disabled"),
        help="offline: kept in the run's directory, for 'wandb sync'; null: as WANDB_MODE says, or online",
    )

    @staticmethod
    def examples() -> Iterable[Example]:
        """Without a network."""
        yield Example(fields={"mode": "offline"})

    def __attrs_post_init__(self) -> None:
        need("wandb", "wandb")

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        import wandb

        name = known(directory / IDS, self.project)
        self._run = wandb.init(
            project=self.project,
            mode=self.mode,
            dir=str(directory.absolute()),
            id=name,
            resume="allow" if name else None,
            name=directory.name,
            group=recipe["name"],
            config=dict(recipe),
            # It may go on with other devices or threads.
            allow_val_change=True,
        )
        remember(directory / IDS, self.project, self._run.id)

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        # Of an epoch that it has already, Weights & Biases leaves out what comes later.
        self._run.log(dict(figures), step=epoch, commit=True)

    def finish(self, result: Mapping[str, Any] | None) -> None:
        if result is not None:
            self._run.summary.update({f"test/{label}": value for label, value in result["test"].items()})
        self._run.finish(exit_code=1 if result is None else 0)
