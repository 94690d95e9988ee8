"""Errors a user can act on: what is wrong, where, and what to do."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import attrs


@attrs.frozen
class Problem:
    """One thing that is wrong.

    Attributes:
        message: What is wrong, in the user's own words and values.
        where: ``file``, ``file:line`` or ``file:line:column`` (both counted from 1), or an empty string.
        hint: What to do about it, or an empty string.
    """

    message: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n    {self.hint}" if self.hint else text


class OutfitrecError(Exception):
    """Base of every error that outfitrec raises on purpose. Its text is meant for the user; no traceback is needed.

    Attributes:
        problems: Everything that is wrong, all of it at once.
    """

    exit_code = 1

    def __init__(self, problems: str | Problem | Iterable[Problem], *, hint: str = "", where: str = "") -> None:
        if isinstance(problems, str):
            problems = Problem(problems, where, hint)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class UserError(OutfitrecError):
    """A mistake in what the user wrote: a recipe, an override, a path, a name. Exit code 2."""

    exit_code = 2


class RecipeError(UserError):
    """A recipe that is not valid."""


class PluginError(UserError):
    """A plugin that cannot be loaded, or a name that its providers dispute."""


class DataError(UserError):
    """A dataset, photo or weights file that is missing, damaged or not of the expected form."""


class RunError(OutfitrecError):
    """A run that failed, or a run directory that is damaged. Exit code 1."""


class BusyError(RunError):
    """Another process is at work in a run directory."""


def nearest(word: str, words: Iterable[str]) -> str:
    """The word of ``words`` most like ``word``, or an empty string where none is near."""
    matches = get_close_matches(word, list(words), n=1, cutoff=0.5)
    return matches[0] if matches else ""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A hint that names the nearest right word, and the whole choice where that is short."""
    words = sorted(words)
    near = nearest(word, words)
    choice = listed(words)
    if near:
        return f"did you mean {near!r}? (known: {choice})"
    return f"known: {choice}" if choice else "none are known"


def listed(words: Sequence[str], most: int = 12) -> str:
    """``words`` joined by commas, cut after ``most`` of them."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" … and {more} more" if more > 0 else "")
