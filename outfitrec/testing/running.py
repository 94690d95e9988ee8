"""Checks a component: every check of its kind, in each of its configurations."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from shlex import quote
from traceback import walk_tb
from typing import Any

import attrs

from outfitrec.core.errors import UserError, did_you_mean
from outfitrec.testing.contract import KIT, BrokenContractError, Check, NotApplicableError, checks_of
from outfitrec.testing.report import Report, Result
from outfitrec.testing.subject import Subject
from outfitrec.testing.targets import Unready, targeted

# Without it there is nothing to check.
FIRST = "is_built_from_its_fields"
# Of what fails these, as of what is of another kind, the others would say nothing new.
GATES = (FIRST, "satisfies_its_protocol")


def check_component(
    target: str | type[Any] | Subject,
    *,
    kind: str | None = None,
    fields: Mapping[str, Any] | None = None,
    beside: Mapping[str, Any] | None = None,
    oracle: Callable[..., Any] | None = None,
    expected: Mapping[str, str] | None = None,
    only: Iterable[str] = (),
    kit: int = KIT,
) -> Report:
    """Check a component against the contract of its kind.

    Args:
        target: ``kind/name``, the name of a distribution (all its components), the path of a plugin file (or
            ``kind/file.py/name``), ``module:Class``, a component class, or a `Subject`.
        kind: Kind of a class that is not registered.
        fields: Recipe keys to try it with, in place of its examples.
        beside: Other components to try it with, by kind: a name, or a mapping with one.
        oracle: A naive function that gives the same as the component, called in the same way.
        expected: Checks that it is known to fail, by name, each with the reason. One that passes is a failure.
        only: Names of checks, in place of all.
        kit: Version of the kit: checks that came later are left out.

    Returns:
        What became of each check; its ``ok`` says whether all is well.

    Raises:
        UserError: There is no such component, key, kind or check.
        PluginError: The component cannot be loaded.
    """
    found = list(targeted(target, kind=kind, fields=fields, beside=beside, oracle=oracle, expected=expected))
    only = known_checks(only, [one for one in found if isinstance(one, Subject)])
    results: list[Result] = []
    for one in found:
        if isinstance(one, Unready):
            results.append(unready(one))
        else:
            results += _checked(one, only, kit)
    return Report(tuple(results), kit)


def unready(one: Unready) -> Result:
    """That a component was not checked: no fault of one that needs files of its user's, which nobody else can give."""
    if one.needs:
        text = f"it needs files or folders of its user's: outfitrec check {quote(one.target)} {one.needs}"
        return Result(one.label, FIRST, "not applicable", text)
    hint = f"give it examples(), or check it by itself: outfitrec check {quote(one.target)} KEY=VALUE"
    return Result(one.label, FIRST, "not run", one.error.problems[0].message, hint)


def known_checks(only: Iterable[str], subjects: Iterable[Subject]) -> frozenset[str]:
    """Names of checks that are asked for: each is one of a subject's kind.

    Raises:
        UserError: There is no such check.
    """
    names = frozenset([only] if isinstance(only, str) else only)
    known = {check.name for kind in {one.kind for one in subjects} for check in checks_of(kind)}
    for name in sorted(names - known):
        raise UserError(f"there is no check {name!r}", hint=did_you_mean(name, known))
    return names


def chosen(subject: Subject, only: Collection[str] = (), kit: int = KIT) -> tuple[Check, ...]:
    """The checks of a subject.

    Raises:
        UserError: There is no check of a name that is expected to fail, or no reason for that; or no such version.
    """
    if not 1 <= kit <= KIT:
        raise UserError(f"there is no version {kit} of the contract kit", hint=f"1 to {KIT}")
    every = {one.name for one in checks_of(subject.kind, KIT)}
    for name, reason in subject.expected.items():
        if name not in every:
            raise UserError(f"{subject.label}: there is no check {name!r}", hint=did_you_mean(name, every))
        if not str(reason or "").strip():
            raise UserError(f"{subject.label}: {name} is expected to fail for no reason", hint="say why, in words")
    return tuple(one for one in checks_of(subject.kind, kit) if not only or one.name in only)


def run_check(subject: Subject, check: Check) -> Result:
    """What becomes of one check."""
    began = time.perf_counter()
    result = Result(subject.label, check.name, "passed")
    reason = subject.expected.get(check.name)
    try:
        check.run(subject)
    except NotApplicableError as error:
        result = attrs.evolve(result, state="not applicable", message=str(error))
    except BrokenContractError as error:
        result = attrs.evolve(result, state="failed", message=error.message, hint=error.hint)
    # The component is anybody's: whatever it raises, be it to end the program, is its failure.
    except (Exception, SystemExit) as error:
        text = f"it raises {type(error).__name__}: {error}{_place(error, subject)}"
        result = attrs.evolve(result, state="failed", message=text, hint=check.summary)
    if reason is not None and result.state == "failed":
        result = attrs.evolve(result, state="expected failure", message=f"{result.message} ({reason})", hint="")
    elif reason is not None and result.state == "passed":
        text = f"it is expected to fail ({reason}), and does not"
        result = attrs.evolve(result, state="unexpected pass", message=text, hint="take it off the expected failures")
    return attrs.evolve(result, seconds=time.perf_counter() - began)


def _place(error: BaseException, subject: Subject) -> str:
    """The last place in the component's own package that led to an error."""
    package = subject.component.__module__.partition(".")[0]
    places = [
        f" ({frame.f_code.co_filename}:{line})"
        for frame, line in walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package
    ]
    return places[-1] if places else ""


def _checked(subject: Subject, only: Collection[str], kit: int) -> Iterable[Result]:
    checks = chosen(subject, only, kit)
    known = {one.name: one for one in chosen(subject)}
    ran: dict[str, Result] = {}
    stop: Result | None = None
    for name in GATES if checks else ():
        ran[name] = run_check(subject, known[name])
        if ran[name].state == "failed" or (name == FIRST and ran[name].state != "passed"):
            stop = ran[name]
            break
    for one in checks:
        if one.name in ran:
            yield ran[one.name]
        elif stop is None:
            yield run_check(subject, one)
        elif stop.state == "not applicable":
            yield attrs.evolve(stop, check=one.name, seconds=0.0)
        else:
            yield Result(subject.label, one.name, "not run", f"{stop.check}: {stop.message}", stop.hint)
