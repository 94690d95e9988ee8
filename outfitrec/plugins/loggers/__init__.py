"""Loggers of runs, and how they find again what they logged to."""

import json
from pathlib import Path

from outfitrec.core.errors import RunError
from outfitrec.core.files import write_json


def known(file: Path, place: str) -> str | None:
    """The id under which a run goes at a service, as a file of the run's directory has it; None where it has none.

    Args:
        file: The file: ids by place.
        place: Where the run is logged to: the address of a server, a project.
    """
    found = _read(file).get(place)
    return None if found is None else str(found)


def remember(file: Path, place: str, name: str) -> None:
    """Keep the id under which a run goes at a service (see `known`)."""
    write_json(file, {**_read(file), place: name})


def _read(file: Path) -> dict[str, object]:
    if not file.is_file():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise RunError(
            f"{file} is damaged: {error}", hint="without it the run is logged from its next epoch"
        ) from error
