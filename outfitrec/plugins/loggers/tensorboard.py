"""TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outfitrec.core.component import component
from outfitrec.core.extras import need
from outfitrec.core.fields import field
from outfitrec.core.yamlfile import dump

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@component
class TensorBoard:
    """Event files: each figure by epoch, the recipe as text, and the metrics of the test split.

    ``tensorboard --logdir runs`` shows the runs of a folder beside one another.
    """

    folder: str | None = field(
        default=None, path=True, help="folder with a subfolder for each run; null: 'tensorboard' in the run's directory"
    )

    def __attrs_post_init__(self) -> None:
        need("tensorboard", "tensorboard")
        self._writer: SummaryWriter | None = None

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        self._path = Path(self.folder) / directory.name if self.folder else directory / "tensorboard"
        self._recipe = dump(recipe)
        self._path.mkdir(parents=True, exist_ok=True)

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        writer = self._open(epoch)
        if epoch == 1:
            writer.add_text("recipe", f"```yaml\n{self._recipe}```", epoch)
        self._write(writer, epoch, figures)

    def finish(self, result: Mapping[str, Any] | None) -> None:
        if result is not None:
            epochs = result["training"]["epochs"]
            figures = {f"test/{label}": value for label, value in result["test"].items() if value is not None}
            self._write(self._open(epochs + 1), epochs, figures)
        if self._writer is not None:
            self._writer.close()

    def _open(self, epoch: int) -> "SummaryWriter":
        """The writer, made at the first epoch that is told."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # What an interrupted process told of this epoch and later ones is told again: it is not to be shown.
            self._writer = SummaryWriter(self._path, purge_step=epoch)
        return self._writer

    def _write(self, writer: "SummaryWriter", epoch: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, epoch)
        writer.flush()
