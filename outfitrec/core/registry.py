"""What is registered: components, recipes and suites, by kind and name, with their providers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import attrs

from outfitrec.core.errors import PluginError, UserError, did_you_mean, listed, nearest
from outfitrec.core.kinds import KINDS

BUILTIN = "outfitrec"
RESOURCE_KINDS = ("recipe", "suite")
ALL_KINDS = (*KINDS, *RESOURCE_KINDS)
NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
TARGET = re.compile(r"\w+(\.\w+)*:\w[\w./-]*")


def canonical(provider: str) -> str:
    """A distribution's name as pip compares names (PEP 503): ``My_Plugin`` and ``my-plugin`` are one."""
    return re.sub(r"[-_.]+", "-", provider).lower()


@attrs.frozen
class Registration:
    """One registered thing.

    Attributes:
        kind: A component kind, ``recipe`` or ``suite``.
        name: Its bare name.
        target: ``module:Class`` of a component, ``package:file.yaml`` of a recipe or suite.
        summary: One line for people.
        provider: Name of the distribution, or of the plugin file, that provides it.
        version: Version of the distribution, or a hash of the file.
    """

    kind: str
    name: str
    target: str
    summary: str
    provider: str
    version: str

    @property
    def qualified(self) -> str:
        """The name that is never ambiguous: bare for built-ins, ``provider/name`` for others."""
        return self.name if self.provider == BUILTIN else f"{self.provider}/{self.name}"

    def load(self) -> type[Any]:
        """Import the class of a component.

        Raises:
            PluginError: Its module cannot be imported, or lacks the class, or the class is no component.
        """
        module, _, attribute = self.target.partition(":")
        try:
            found: object = getattr(import_module(module), attribute)
        except (Exception, SystemExit) as error:
            raise self._unusable(f"cannot be loaded from {self.target}: {type(error).__name__}: {error}") from error
        # On the class itself: a subclass of a component is none until it is decorated, and its fields are lost.
        if not isinstance(found, type) or "__attrs_attrs__" not in vars(found):
            raise self._unusable(f"{self.target} is not a component: decorate the class with @outfitrec.component")
        return found

    def path(self) -> Path:
        """The file of a recipe or suite.

        Raises:
            PluginError: Its package cannot be imported, or does not have the file.
        """
        package, _, file = self.target.partition(":")
        try:
            found = Path(str(resources.files(package).joinpath(file)))
        except (Exception, SystemExit) as error:
            raise self._unusable(f"cannot be read from {self.target}: {type(error).__name__}: {error}") from error
        if not found.is_file():
            raise self._unusable(f"the package {package!r} has no file {file!r}")
        return found

    def _unusable(self, message: str) -> PluginError:
        who = f"{self.kind} {self.name!r} of {self.provider} {self.version}"
        return PluginError(f"{who}: {message}", hint=f"the fault is in {self.provider}: mend, update or uninstall it")


class Registry:
    """Registered things by kind and name.

    Two providers may register the same name; each then goes by its qualified name, and the bare one is an error where
    it is used. A built-in's name is nobody else's.

    Attributes:
        absent: What is not loaded, with its state: an unknown name may be one of its.
    """

    def __init__(self) -> None:
        self.absent: dict[str, str] = {}
        self._entries: dict[tuple[str, str], tuple[Registration, ...]] = {}

    def copy(self) -> "Registry":
        """A registry of the same things that changes on its own."""
        other = copy(self)
        other._entries = dict(self._entries)
        return other

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Where the block raises, nothing that it added or removed has happened."""
        before = dict(self._entries)
        try:
            yield
        except BaseException:
            self._entries = before
            raise

    def add(self, entry: Registration) -> None:
        """Add one registration.

        Raises:
            PluginError: Unknown kind, unusable name or target, missing summary, the same name twice by one provider, or
                the name of a built-in.
        """
        who = f"{entry.provider} registers {entry.kind} {entry.name!r}"
        if entry.kind not in ALL_KINDS:
            raise PluginError(f"{who}: no such kind", hint=did_you_mean(entry.kind, ALL_KINDS))
        if not NAME.fullmatch(entry.name):
            raise PluginError(f"{who}: a name is lower-case words joined by '_' or '-'")
        if not TARGET.fullmatch(entry.target):
            form = "module:Class" if entry.kind in KINDS else "package:file.yaml"
            raise PluginError(f"{who}: {entry.target!r} is not of the form {form!r}")
        if not entry.summary.strip() or "\n" in entry.summary:
            raise PluginError(f"{who}: its summary must be one line, not {entry.summary!r}")
        others = self._entries.get((entry.kind, entry.name), ())
        for other in others:
            if other.provider == entry.provider:
                raise PluginError(f"{who} twice: as {other.target} and as {entry.target}")
            if other.provider == BUILTIN:
                raise PluginError(
                    f"{entry.kind} {entry.name!r} is provided by both {BUILTIN} and {entry.provider}",
                    hint="a plugin cannot take the name of a built-in: choose another",
                )
        self._entries[entry.kind, entry.name] = (*others, entry)

    def remove(self, provider: str) -> None:
        """Take out everything that a provider registered."""
        kept = {key: tuple(one for one in group if one.provider != provider) for key, group in self._entries.items()}
        self._entries = {key: group for key, group in kept.items() if group}

    def __iter__(self) -> Iterator[Registration]:
        for key in sorted(self._entries):
            yield from sorted(self._entries[key], key=lambda entry: entry.provider)

    def names(self, kind: str) -> list[str]:
        """The names of a kind, as a recipe may write them: bare where one provider has it, qualified elsewhere."""
        return [self._word(entry) for entry in self if entry.kind == kind]

    def get(self, kind: str, name: str) -> Registration:
        """The registration of a bare or qualified name.

        Raises:
            UserError: No such kind or name; the message has the nearest one and its provider.
            PluginError: Several distributions provide the bare name.
        """
        if kind not in ALL_KINDS:
            raise UserError(f"unknown kind {kind!r}", hint=did_you_mean(kind, ALL_KINDS))
        provider, _, bare = name.rpartition("/")
        entries = self._entries.get((kind, bare), ())
        if provider:
            entries = tuple(entry for entry in entries if canonical(entry.provider) == canonical(provider))
        if not entries:
            raise UserError(f"unknown {kind} {name!r}", hint=self._hint(kind, name, bare))
        if len(entries) > 1:
            raise PluginError(
                f"{kind} {name!r} is provided by {listed([entry.provider for entry in entries])}",
                hint=f"write one of {listed([entry.qualified for entry in entries])}",
            )
        return entries[0]

    def _word(self, entry: Registration) -> str:
        return entry.name if len(self._entries[entry.kind, entry.name]) == 1 else entry.qualified

    def _hint(self, kind: str, name: str, bare: str) -> str:
        """The nearest right name with its provider, the right kind, and what is not loaded."""
        near = nearest(bare, [entry.name for entry in self if entry.kind == kind])
        if near:
            entry = self._entries[kind, near][0]
            word = self._word(entry)
            hints = [did_you_mean(word, self.names(kind)), f"{word!r} is provided by {entry.provider}"]
        else:
            hints = [did_you_mean(name, self.names(kind))]
        hints += [f"there is a {entry.kind} {bare!r}" for entry in self if entry.name == bare and entry.kind != kind]
        if self.absent:
            absent = [f"{provider} ({state})" for provider, state in self.absent.items()]
            hints.append(f"not loaded: {listed(absent)}; see 'outfitrec plugins'")
        return "; ".join(hints)
