"""outfitrec: personalized outfit recommendation. Public names are loaded when they are first used.

What a plugin may rely on is here, in `outfitrec.hooks` and in `outfitrec.protocols`, and nowhere else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outfitrec.benchmark.bench import bench
    from outfitrec.benchmark.tuning import tune
    from outfitrec.cli.progress import console_progress
    from outfitrec.core.component import component
    from outfitrec.core.create import create
    from outfitrec.core.data import Catalog, Dataset, Labelled, Photos, Questions, Rows, Split, Truth
    from outfitrec.core.drawn import Drawn
    from outfitrec.core.engine import run
    from outfitrec.core.errors import DataError, PluginError, RecipeError, RunError, UserError
    from outfitrec.core.example import Example
    from outfitrec.core.fields import field, given, part, parts
    from outfitrec.core.outfits import Outfits
    from outfitrec.core.progress import Progress
    from outfitrec.core.recommender import Recommender
    from outfitrec.core.reevaluate import evaluate
    from outfitrec.core.runs import Run
    from outfitrec.core.serving import Model
    from outfitrec.core.state import State
    from outfitrec.core.step import Batch, Step

_WHERE = {
    "Batch": "outfitrec.core.step",
    "Catalog": "outfitrec.core.data",
    "DataError": "outfitrec.core.errors",
    "Dataset": "outfitrec.core.data",
    "Drawn": "outfitrec.core.drawn",
    "Example": "outfitrec.core.example",
    "Labelled": "outfitrec.core.data",
    "Model": "outfitrec.core.serving",
    "Outfits": "outfitrec.core.outfits",
    "Photos": "outfitrec.core.data",
    "PluginError": "outfitrec.core.errors",
    "Progress": "outfitrec.core.progress",
    "Questions": "outfitrec.core.data",
    "RecipeError": "outfitrec.core.errors",
    "Recommender": "outfitrec.core.recommender",
    "Rows": "outfitrec.core.data",
    "Run": "outfitrec.core.runs",
    "RunError": "outfitrec.core.errors",
    "Split": "outfitrec.core.data",
    "State": "outfitrec.core.state",
    "Step": "outfitrec.core.step",
    "Truth": "outfitrec.core.data",
    "UserError": "outfitrec.core.errors",
    "bench": "outfitrec.benchmark.bench",
    "component": "outfitrec.core.component",
    "console_progress": "outfitrec.cli.progress",
    "create": "outfitrec.core.create",
    "evaluate": "outfitrec.core.reevaluate",
    "field": "outfitrec.core.fields",
    "given": "outfitrec.core.fields",
    "part": "outfitrec.core.fields",
    "parts": "outfitrec.core.fields",
    "run": "outfitrec.core.engine",
    "tune": "outfitrec.benchmark.tuning",
}

__all__ = [
    "Batch",
    "Catalog",
    "DataError",
    "Dataset",
    "Drawn",
    "Example",
    "Labelled",
    "Model",
    "Outfits",
    "Photos",
    "PluginError",
    "Progress",
    "Questions",
    "RecipeError",
    "Recommender",
    "Rows",
    "Run",
    "RunError",
    "Split",
    "State",
    "Step",
    "Truth",
    "UserError",
    "bench",
    "component",
    "console_progress",
    "create",
    "evaluate",
    "field",
    "given",
    "part",
    "parts",
    "run",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'outfitrec' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__
