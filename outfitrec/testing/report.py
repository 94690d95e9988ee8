"""What the checks of a component found."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import attrs

State = Literal["passed", "failed", "expected failure", "unexpected pass", "not applicable", "not run"]
# In the order in which people read them.
STATES: tuple[State, ...] = (
    "passed",
    "failed",
    "expected failure",
    "unexpected pass",
    "not applicable",
    "not run",
)
BAD: frozenset[State] = frozenset({"failed", "unexpected pass", "not run"})


@attrs.frozen
class Result:
    """What became of one check.

    Attributes:
        subject: The component, in its configuration: ``loss/npair(temperature=1.0)``.
        check: Name of the check.
        state: What became of it.
        message: What was seen, or why nothing was checked; empty where it passed.
        hint: What to do; empty where there is nothing to do.
        seconds: Time that it took.
    """

    subject: str
    check: str
    state: State
    message: str = ""
    hint: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it is as it should be."""
        return self.state not in BAD

    def __str__(self) -> str:
        text = f"{self.subject}: {self.check}: {self.state}"
        text += f": {self.message}" if self.message else ""
        return text + (f"\n    {self.hint}" if self.hint else "")


@attrs.frozen
class Report:
    """What the checks found.

    Attributes:
        results: What became of each.
        kit: Version of the contract kit.
    """

    results: tuple[Result, ...]
    kit: int

    @property
    def ok(self) -> bool:
        """Whether something was checked, and all of it is as it should be."""
        return self.counts["passed"] > 0 and all(one.ok for one in self.results)

    @property
    def counts(self) -> dict[State, int]:
        """Number of checks by what became of them."""
        return counts_of(self.results)

    @property
    def bad(self) -> tuple[Result, ...]:
        """Those that are not as they should be."""
        return tuple(one for one in self.results if not one.ok)

    @property
    def faults(self) -> tuple[Result, ...]:
        """What is to be mended, each thing once, though several checks fail of it or are not run."""
        found: list[Result] = []
        for _, results in self.by_subject():
            bad = [one for one in results if not one.ok]
            said: dict[str, list[Result]] = {}
            for one in [one for one in bad if one.state != "not run"] or bad[:1]:
                said.setdefault(one.message, []).append(one)
            for message, (first, *others) in said.items():
                more = f" (and so in {len(others)} more checks)" if others else ""
                found.append(attrs.evolve(first, message=f"{message}{more}"))
        return tuple(found)

    @property
    def nothing(self) -> str:
        """That nothing was checked, and why, where that is so; else nothing."""
        if self.bad or self.counts["passed"]:
            return ""
        reasons = dict.fromkeys(one.message for one in self.results if one.state == "not applicable")
        return ": ".join(["nothing was checked", *list(reasons)[:1]])

    def __str__(self) -> str:
        return "\n".join([*map(str, self.faults), *filter(None, [self.nothing]), counted(self.counts)])

    def by_subject(self) -> Iterator[tuple[str, tuple[Result, ...]]]:
        """The results of each component, in the order in which they were checked."""
        for subject in dict.fromkeys(one.subject for one in self.results):
            yield subject, tuple(one for one in self.results if one.subject == subject)


def counts_of(results: Iterable[Result]) -> dict[State, int]:
    """Number of results by what became of them."""
    found = Counter(one.state for one in results)
    return {state: found[state] for state in STATES}


def counted(counts: dict[State, int]) -> str:
    """Counts in words, such as ``12 checks: 11 passed, 1 failed``."""
    total = sum(counts.values())
    if not total:
        return "nothing was checked"
    parts = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{total} checks: {parts}"
