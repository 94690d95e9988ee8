"""Other configurations of a component: one field at a time has another value."""

from collections.abc import Iterator

import attrs

from outfitrec.core.config import Config
from outfitrec.core.fields import info
from outfitrec.testing.subject import Subject


def variants(subject: Subject) -> Iterator[tuple[str, object, Config]]:
    """Configurations that differ in one plain field that says what is computed: its name, its value, all of it.

    Values out of range are left out, and so are paths. Whether a configuration makes sense nobody knows.
    """
    for one in attrs.fields(subject.component):
        extra = info(one)
        if extra.given or extra.kind or extra.path or extra.runtime:
            continue
        for value in _others(getattr(subject.config, one.name), extra.choices):
            if not extra.complaint(value):
                yield one.name, value, attrs.evolve(subject.config, **{one.name: value})


def _others(value: object, choices: tuple[str | int, ...]) -> list[object]:
    """Other values than this one."""
    if choices:
        return [one for one in choices if one != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    return [value / 2 or 0.5] if isinstance(value, float) else []
