"""The checks as tests of pytest."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from outfitrec.testing.contract import KIT, Check, NotApplicableError
from outfitrec.testing.report import Result
from outfitrec.testing.running import chosen, unready
from outfitrec.testing.subject import Subject
from outfitrec.testing.targets import Unready, targeted

if TYPE_CHECKING:
    from pytest import MarkDecorator


def parametrize_with_checks(
    targets: Iterable[str | type[Any] | Subject],
    *,
    expected: Mapping[str, Mapping[str, str]] | None = None,
    kit: int = KIT,
) -> "MarkDecorator":
    """A test for each check of each component.

    Args:
        targets: See `outfitrec.testing.check_component`.
        expected: By target, the checks that it is known to fail, each with the reason. One that passes is a failure.
        kit: Version of the kit that the components were written for: checks that came later are left out, so that a
            new release of outfitrec breaks no test.

    Example:
        >>> @parametrize_with_checks(["loss/hinge"], kit=1)
        ... def test_contract(check):
        ...     check()

    Raises:
        UserError: There is no such component, or nothing to check.
        ValueError: There are no targets, or failures are expected of another one.
    """
    import pytest

    cases, known = [], dict(expected or {})
    lacking: list[Result] = []
    for target in targets:
        told = known.pop(target, None) if isinstance(target, str) else None
        for subject in targeted(target, expected=told):
            if isinstance(subject, Unready):
                lacking.append(unready(subject))
                if not lacking[-1].ok:
                    raise subject.error
                continue
            for check in chosen(subject, kit=kit):
                reason = subject.expected.get(check.name)
                marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
                name = f"{subject.label}-{check.name}"
                cases.append(pytest.param(partial(_test, subject, check), id=name, marks=marks))
    if not cases:
        reasons = [f"{one.subject}: {one.message}" for one in lacking] or ["no targets were given"]
        raise ValueError(f"nothing to check: {reasons[0]}")
    if known:
        raise ValueError(f"expected: {', '.join(map(repr, known))}: no such target was given")
    for one in lacking:
        # What needs files of its user's is seen among the tests, with the command that checks it.
        skip = pytest.mark.skip(reason=one.message)
        cases.append(pytest.param(None, id=f"{one.subject}-{one.check}", marks=[skip]))
    return pytest.mark.parametrize("check", cases)


def _test(subject: Subject, check: Check) -> None:
    import pytest

    try:
        check.run(subject)
    except NotApplicableError as error:
        pytest.skip(str(error))
