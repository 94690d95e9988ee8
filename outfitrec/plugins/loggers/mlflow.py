"""MLflow."""

import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from outfitrec.core.component import component
from outfitrec.core.example import Example
from outfitrec.core.extras import need
from outfitrec.core.fields import field
from outfitrec.core.loggers import flat
from outfitrec.core.yamlfile import dump
from outfitrec.plugins.loggers import known, remember

IDS = "mlflow.json"
# Longer values are refused by some servers; the recipe stands in a file besides.
LONGEST = 500


@component
class MLflow:
    """A run of MLflow: figures by epoch, keys of the recipe as parameters, the recipe as a file, and the test metrics.

    MLflow allows few signs in names: ``ndcg@10`` is ``ndcg_10``. An interrupted run goes on as the same one.
    """

    tracking_uri: str | None = field(default=None, help="address of the server; null: as MLFLOW_TRACKING_URI says")
    experiment: str = field(default="outfitrec", help="experiment that the run is shown in")

    @staticmethod
    def examples() -> Iterable[Example]:
        """Without a server, in a folder."""
        reason = "the runs of all directories are in the folder that tracking_uri names"
        yield Example(fields={"tracking_uri": "sqlite:///mlflow.db"}, expected={"keeps_to_its_directory": reason})

    def __attrs_post_init__(self) -> None:
        need("mlflow", "mlflow")

    def start(self, directory: Path, recipe: Mapping[str, Any]) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=self.tracking_uri)
        place = f"{self._client.tracking_uri} {self.experiment}"
        name = known(directory / IDS, place)
        if name is None:
            self._name = str(self._client.create_run(self._experiment(), run_name=directory.name).info.run_id)
            remember(directory / IDS, place, self._name)
            self._describe(recipe)
        else:
            self._name = name
            self._client.update_run(name, status="RUNNING")
        # A figure that is told twice would be kept twice.
        self._told = {one.step for one in self._client.get_metric_history(self._name, "train/loss")}

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        if epoch not in self._told:
            self._log(epoch, figures)

    def finish(self, result: Mapping[str, Any] | None) -> None:
        if result is not None:
            figures = {f"test/{label}": value for label, value in result["test"].items() if value is not None}
            self._log(result["training"]["epochs"], figures)
        self._client.set_terminated(self._name, "FAILED" if result is None else "FINISHED")

    def _experiment(self) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(self.experiment)
        if found is None:
            try:
                return str(self._client.create_experiment(self.experiment))
            except MlflowException:
                # Another run may have made it at the same moment.
                found = self._client.get_experiment_by_name(self.experiment)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _describe(self, recipe: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        params = [Param(_allowed(key), str(value)[:LONGEST]) for key, value in flat(recipe, ".")]
        self._client.log_batch(self._name, params=params)
        self._client.log_text(self._name, dump(dict(recipe)), "recipe.yaml")

    def _log(self, epoch: int, figures: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = round(time.time() * 1000)
        metrics = [Metric(_allowed(name), value, now, epoch) for name, value in figures.items()]
        self._client.log_batch(self._name, metrics=metrics)


def _allowed(name: str) -> str:
    """A name of the signs that MLflow takes."""
    return re.sub(r"[^\w./-]", "_", name)
