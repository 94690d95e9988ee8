"""What a report shows of runs, kept: computed once for the same runs, whatever is reported besides."""

import json
from collections.abc import Callable
from typing import Any

from outfitrec.core.files import cache_root, digest, write_json
from outfitrec.core.runs import MODEL, Run, read_json
from outfitrec.core.serving import CONFIG

VERSION = 1  # to be raised whenever the same runs give another picture


def kept(group: str, runs: list[Run], compute: Callable[[], Any]) -> Any:
    """What ``compute`` gives for these runs, in JSON's types; from disk where it was computed before.

    Args:
        group: What is computed.
        runs: All that it depends on, by what they compute and by their weights.
        compute: Computes it.

    Raises:
        RunError: A run has no model any more.
    """
    known = [[run.manifest["identity"], read_json(run.directory / MODEL / CONFIG).get("sha256")] for run in runs]
    path = cache_root() / "report" / f"{group}-{digest([VERSION, known])[:32]}.json"
    if path.is_file():
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            # Damaged from outside (files are written whole): as good as absent.
            path.unlink(missing_ok=True)
    value = compute()
    write_json(path, value)
    return value
