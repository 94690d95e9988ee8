"""``outfitrec check``: does a component keep to the contract of its kind?"""

from typing import TYPE_CHECKING, Any

import click

from outfitrec.cli.output import show, show_table
from outfitrec.core.errors import OutfitrecError, Problem, RunError, UserError

if TYPE_CHECKING:
    from outfitrec.testing.report import Report


@click.command("check")
@click.argument("target")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--kind", help="Kind of a class that no plugin registers.")
@click.option("--only", metavar="CHECK", multiple=True, help="This check; may be given several times.")
@click.option("--kit", type=int, help="Version of the contract kit: later checks are left out.")
@click.option("--list", "list_only", is_flag=True, help="List the checks, and run none.")
@click.option("--verbose", "-v", is_flag=True, help="Show what became of every check.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    target: str,
    overrides: tuple[str, ...],
    kind: str | None,
    only: tuple[str, ...],
    kit: int | None,
    list_only: bool,
    verbose: bool,
    as_json: bool,
) -> Any:
    """Check a component, or all those of a distribution or of a plugin file, against the contract of their kind.

    TARGET is KIND/NAME, the name of a distribution, the path of a plugin file (or KIND/FILE.py/NAME), or module:Class.
    KEY=VALUE sets a key of a component, which is tried with its own examples otherwise. The exit status is 1 where a
    check fails.
    """
    from outfitrec.testing.contract import KIT
    from outfitrec.testing.running import check_component

    kit = KIT if kit is None else kit
    fields = _fields(overrides)
    if list_only:
        return _list(target, kind, fields, only, kit, as_json)
    report = check_component(target, kind=kind, fields=fields, only=only, kit=kit)
    failure = None if report.ok else RunError([*map(_problem, report.faults)] or report.nothing)
    if as_json:
        return _document(report, failure)
    _show(report, verbose)
    if failure:
        raise failure
    return None


def _fields(overrides: tuple[str, ...]) -> dict[str, Any]:
    """Keys of the component; a dotted one is of a component in it."""
    from outfitrec.core.overrides import read_overrides

    found: dict[str, Any] = {}
    for one in read_overrides(overrides):
        here = found
        for key in one.keys[:-1]:
            inner = here.setdefault(key, {})
            if not isinstance(inner, dict):
                inner = here[key] = {"name": inner}
            here = inner
        here[one.keys[-1]] = one.value.data
    return found


def _list(target: str, kind: str | None, fields: dict[str, Any], only: tuple[str, ...], kit: int, as_json: bool) -> Any:
    from outfitrec.testing.running import chosen, known_checks
    from outfitrec.testing.subject import Subject
    from outfitrec.testing.targets import targeted

    ready = [one for one in targeted(target, kind=kind, fields=fields) if isinstance(one, Subject)]
    names = known_checks(only, ready)
    if not ready:
        raise UserError(f"{target} has nothing that can be checked as it is", hint=f"outfitrec check {target} says why")
    found = {one: None for subject in ready for one in chosen(subject, names, kit)}
    if as_json:
        keys = ("kind", "name", "since", "summary")
        return [{key: getattr(one, key) for key in keys} for one in found]
    show_table(("kind", "check", "fact"), [(one.kind, one.name, one.summary) for one in found])
    return None


def _show(report: "Report", verbose: bool) -> None:
    from outfitrec.testing.report import counted, counts_of

    for subject, results in report.by_subject():
        reason = results[0].message if all(one.state == "not applicable" for one in results) else ""
        show(f"{subject}: {f'not checked, {reason}' if reason else counted(counts_of(results))}")
        for one in results if verbose else ():
            show(f"    {one.check}: {one.state}" + (f" ({one.message})" if one.message else ""))
    show(counted(report.counts), style="bold")


def _problem(result: Any) -> Problem:
    return Problem(f"{result.check}: {result.message}", result.subject, result.hint)


def _document(report: "Report", failure: OutfitrecError | None) -> dict[str, Any]:
    import attrs

    found: dict[str, Any] = {
        "kit": report.kit,
        "ok": report.ok,
        "counts": report.counts,
        "results": [attrs.asdict(one) for one in report.results],
    }
    if failure:
        problems = [{"message": one.message, "where": one.where, "hint": one.hint} for one in failure.problems]
        found["error"] = {"exit_code": failure.exit_code, "problems": problems}
    return found
