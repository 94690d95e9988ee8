"""From a suite to a report: what is not finished is run, everything is compared, and the report is written."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from outfitrec.benchmark.collect import collect, first_manifest, total_seconds
from outfitrec.benchmark.compare import tables
from outfitrec.benchmark.entries import ABSENT, Entry
from outfitrec.benchmark.plan import plan
from outfitrec.benchmark.report import Report
from outfitrec.benchmark.running import How, Once, carry_out
from outfitrec.benchmark.settings import Suite, TuneSettings
from outfitrec.benchmark.setups import Setup
from outfitrec.benchmark.suite import Loaded, load_suite, selected
from outfitrec.core.errors import RunError
from outfitrec.core.extras import need
from outfitrec.core.files import check_folder
from outfitrec.core.overrides import Override
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.settings import changed


def bench(
    suite: str | Path | Mapping[str, Any],
    overrides: Sequence[str | Override] | Mapping[str, Any] = (),
    *,
    rows: Iterable[str] = (),
    seeds: Iterable[int] = (),
    how: How | None = None,
    report: str | Path | None = None,
    photos: bool = True,
    command: str = "",
    progress: Progress = QUIET,
) -> Report:
    """Run every recipe of a suite over its seeds, and write the report.

    Finished runs are found by what they compute and not made again, interrupted ones go on. A run that fails is marked
    in the report and ends nothing else.

    Args:
        suite: Name of a shipped suite, path of a YAML file, or mapping.
        overrides: ``KEY=VALUE`` texts, or values by dotted key, set in every recipe (see `load_suite`).
        rows: Rows of the suite; by default all.
        seeds: Seeds in place of the suite's.
        how: How it is run.
        report: Folder of the report; by default ``reports/NAME``, of a part of the suite ``reports/NAME-partial``.
        photos: Whether the report shows photos of the data, where the suite asks for them.
        command: What the report says that it was made with.
        progress: Told how it goes.

    Raises:
        UserError: Something is wrong with the suite, its recipes, the data or how it is to be run: all of it at once,
            before anything is run.
    """
    need("bench", "jinja2", "matplotlib", "sklearn")
    from outfitrec.benchmark.report.write import write

    began = time.perf_counter()
    how = how or How()
    whole = load_suite(suite, overrides)
    loaded = selected(whole, rows, seeds)
    settings = loaded.settings
    partial = _partial(whole.settings, settings)
    folder = Path(report) if report is not None else report_folder(settings.name, partial)
    check_folder(how.out, "--out")
    check_folder(folder, "--report")
    with ExitStack() as stack:
        opened = Once(how, stack)
        lost: tuple[Entry, ...] = ()
        if settings.tune is not None:
            loaded, lost = _tuned(loaded, settings.tune, how, opened, progress)
        planned = plan(loaded, how.out, progress)
        outcomes = carry_out(planned, opened, progress) if how.run else {}
    rows_in_order = list(settings.rows)
    entries = (*collect(planned, settings.measure, outcomes, next(iter(whole.settings.rows))), *lost)
    entries = tuple(sorted(entries, key=lambda entry: rows_in_order.index(entry.cell.row)))
    manifest = first_manifest(entries)
    facts = {
        "command": command,
        "overrides": [str(one) for one in overrides] if not isinstance(overrides, Mapping) else dict(overrides),
        "partial": partial,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(total_seconds(entries), 1),
        "wall": round(time.perf_counter() - began, 1),
        "versions": manifest.get("versions", {}),
        "hardware": manifest.get("hardware", {}),
        "finished": sum(not entry.error for entry in entries),
        "failed": sum(entry.error not in ("", ABSENT) for entry in entries),
        "missing": sum(entry.error == ABSENT for entry in entries),
    }
    if not photos:
        settings = changed(settings, pictures=(), false_negatives=None)
    made = Report(settings, tables(settings, entries, loaded.figures), entries, facts)
    write(made, folder, progress)
    return made


def _tuned(
    loaded: Loaded, tuning: TuneSettings, how: How, opened: Once, progress: Progress
) -> tuple[Loaded, tuple[Entry, ...]]:
    """The suite with the best recipe that a search found for each of its setups, and entries of those without any."""
    from outfitrec.benchmark.tuning import tune

    setups: list[Setup] = []
    lost: list[Entry] = []
    for setup in loaded.setups:
        progress.message(f"tuning {setup.row}, {setup.column}")
        try:
            found = tune(
                setup.recipe,
                trials=tuning.trials,
                seed=tuning.seed,
                ranges=loaded.settings.rows[setup.row].search or None,
                out=how.out,
                executor=opened.get() if how.run else None,
                finished=not how.run,
                progress=progress,
            )
        except RunError as error:
            error_text = str(error) if how.run else ABSENT
            progress.warning(f"tuning {setup.row}, {setup.column}: {error}")
            lost += [Entry(cell=setup.cell(seed), error=error_text) for seed in loaded.settings.seeds]
            continue
        # By its own name, it shares the run of the best trial.
        recipe = changed(found.recipe, name=setup.recipe.name)
        setups.append(attrs.evolve(setup, recipe=recipe, chosen=found.overrides))
    return attrs.evolve(loaded, setups=tuple(setups)), tuple(lost)


def report_folder(name: str, partial: str) -> Path:
    """Where a suite's report is written by default: that of a part of it never takes the place of the whole one."""
    return Path("reports") / (f"{name}-partial" if partial else name)


def _partial(whole: Suite, part: Suite) -> str:
    """What of a suite was asked for, where it is not all of it."""
    rows = f"{len(part.rows)} of {len(whole.rows)} rows" if len(part.rows) < len(whole.rows) else ""
    seeds = f"seeds {', '.join(map(str, part.seeds))}" if part.seeds != whole.seeds else ""
    return "; ".join(filter(None, (rows, seeds)))
