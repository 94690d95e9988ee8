"""What the cells of a suite found, read from run directories and from what was found of finished runs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from outfitrec.benchmark.busy import DOUBTFUL
from outfitrec.benchmark.entries import ABSENT, Entry
from outfitrec.benchmark.jobs import Outcome
from outfitrec.benchmark.plan import Plan, Planned
from outfitrec.core.errors import OutfitrecError
from outfitrec.core.runs import Run, read_json
from outfitrec.core.settings import INNER


def collect(plan: Plan, measure: str, outcomes: Mapping[str, Outcome], first: str = "") -> tuple[Entry, ...]:
    """The entries of a plan's cells.

    Args:
        plan: The plan.
        measure: What the suite measures.
        outcomes: What became of the jobs that were done now, by key.
        first: The suite's first row, of which parameters are parts; none: that of the plan.
    """
    entries = [_entry(planned, plan, measure, outcomes) for planned in plan.cells]
    if measure != "efficiency" or not entries:
        return tuple(entries)
    return with_ratio(entries, first or entries[0].cell.row)


def _entry(planned: Planned, plan: Plan, measure: str, outcomes: Mapping[str, Outcome]) -> Entry:
    setup = planned.setup
    entry = Entry(cell=planned.cell, directory=planned.directory, chosen=setup.chosen, papers=setup.papers)
    last = planned.after or planned.trained
    job = next(one for one in plan.jobs if one.key == last)
    if last in outcomes and outcomes[last].error:
        return attrs.evolve(entry, error=outcomes[last].error)
    if not plan.finished(job):
        return attrs.evolve(entry, error=ABSENT)
    try:
        run = Run(planned.directory)
        validated: Mapping[str, Any] = run.result.valid
        entry = attrs.evolve(
            entry,
            parameters=run.result.parameters["total"],
            seconds=run.result.seconds,
            warnings=run.result.warnings,
            teacher=Path(run.manifest.get("teacher", "")).name,
            valid={label: value for label, value in validated.items() if value is not None},
        )
        if measure == "test":
            return _tested(entry, run)
        found = read_json(plan.kept[last])
        return _served(entry, found, planned) if measure == "cold_start" else _measured(entry, found)
    except OutfitrecError as error:
        return attrs.evolve(entry, error=str(error))


def _tested(entry: Entry, run: Run) -> Entry:
    """Figures of the test split."""
    result = run.result
    # An undefined one is null on disk.
    means: Mapping[str, Any] = result.test
    users = result.per_user.get("user", [])
    return attrs.evolve(
        entry,
        values={label: (value,) for label, value in means.items() if value is not None},
        per_user={
            label: {user: value for user, value in zip(users, column, strict=True) if value is not None}
            for label, column in result.per_user.items()
            if label != "user"
        },
        protocol=str(result.protocol["hash"]),
    )


def _served(entry: Entry, found: Mapping[str, Any], planned: Planned) -> Entry:
    """Figures of unknown users: ``auc/5`` is by profiles of five outfits."""
    cold = found["cold_start"]
    values: dict[str, tuple[float, ...]] = {}
    per_user: dict[str, dict[int, float]] = {}
    for size, metrics in cold["strategies"][planned.setup.strategy].items():
        for label, one in metrics.items():
            name = f"{label}/{size}"
            if one["mean"] is not None:
                values[name] = (one["mean"],)
            pairs = zip(cold["users"], one["per_user"], strict=True)
            per_user[name] = {user: value for user, value in pairs if value is not None}
    return attrs.evolve(entry, values=values, per_user=per_user, protocol=str(cold["protocol"]["hash"]))


def _measured(entry: Entry, found: Mapping[str, Any]) -> Entry:
    """Figures of what a model costs."""
    others = found.get("others")
    values = {name: tuple(one) if isinstance(one, list) else (one,) for name, one in found.items() if name != "others"}
    warnings = entry.warnings
    if others is not None and others > DOUBTFUL:
        warnings += (f"other programs took {others:.0%} of the processors' time while this was measured",)
    return attrs.evolve(entry, values=values, warnings=warnings)


def with_ratio(entries: Sequence[Entry], first: str) -> tuple[Entry, ...]:
    """With the parameters in parts of those of one row, column by column; without, where that row has none there.

    Args:
        entries: What was found.
        first: The row that is the whole.
    """
    whole: dict[str, float] = {}
    for entry in entries:
        if entry.cell.row == first and "parameters" in entry.values:
            whole.setdefault(entry.cell.column, entry.values["parameters"][0])
    return tuple(
        attrs.evolve(
            entry, values={**entry.values, "ratio": (entry.values["parameters"][0] / whole[entry.cell.column],)}
        )
        if "parameters" in entry.values and entry.cell.column in whole
        else entry
        for entry in entries
    )


def first_manifest(entries: tuple[Entry, ...]) -> Mapping[str, Any]:
    """The manifest of the first finished run; empty where there is none."""
    for entry in entries:
        if entry.run is not None:
            return entry.run.manifest
    return {}


def total_seconds(entries: tuple[Entry, ...]) -> float:
    """Time of all runs, those shown and those before them, each once."""
    seen: dict[Path, float] = {}

    def add(run: Run) -> None:
        if run.directory.resolve() in seen:
            return
        seen[run.directory.resolve()] = run.result.seconds
        for key in INNER:
            relative = run.manifest.get(key)
            inner = (run.directory / relative) if relative else None
            if inner is not None and inner.is_dir():
                # A damaged one has no time to tell of, and is said to be damaged where it is used.
                with suppress(OutfitrecError):
                    add(Run(inner))

    for entry in entries:
        if entry.run is not None:
            add(entry.run)
    return sum(seen.values())
