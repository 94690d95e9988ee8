"""What is registered: components, recipes and suites, by kind and name, with their providers."""

import re
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import attrs

from outfitrec.core.errors import PluginError, UserError, did_you_mean, listed, nearest
from outfitrec.core.kinds import KINDS

BUILTIN = "outfitrec"
RESOURCE_KINDS = ("recipe", "suite")
NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


@attrs.frozen
class Registration:
    """One registered thing.

    Attributes:
        kind: A component kind, ``recipe`` or ``suite``.
        name: Its bare name.
        target: ``module:Class`` of a component, ``package:file.yaml`` of a recipe or suite.
        summary: One line for people.
        provider: Name of the distribution (or the path of a local plugin file) that provides it.
        version: Version of the provider.
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
        except Exception as error:
            raise PluginError(
                f"{self.kind} {self.name!r} of {self.provider} cannot be loaded from {self.target}: "
                f"{type(error).__name__}: {error}",
                hint=f"mend or uninstall {self.provider}; 'outfitrec plugins' lists what it provides",
            ) from error
        if not isinstance(found, type) or not attrs.has(found):
            raise PluginError(
                f"{self.kind} {self.name!r} of {self.provider}: {self.target} is not a component class",
                hint="decorate the class with @outfitrec.component",
            )
        return found

    def path(self) -> Path:
        """The file of a recipe or suite.

        Raises:
            PluginError: The package does not have it.
        """
        package, _, file = self.target.partition(":")
        try:
            found = Path(str(resources.files(package).joinpath(file)))
        except ModuleNotFoundError as error:
            raise PluginError(f"{self.kind} {self.name!r} of {self.provider}: no package {package!r}") from error
        if not found.is_file():
            raise PluginError(f"{self.kind} {self.name!r} of {self.provider}: {package} has no file {file!r}")
        return found


class Registry:
    """Registered things by kind and name. A bare name may be provided once; more is an error when it is used."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], list[Registration]] = {}

    def add(self, entry: Registration) -> None:
        """Add one registration.

        Raises:
            PluginError: Unknown kind, unusable name, missing summary, the same name twice by one provider, or the
                name of a built-in.
        """
        who = f"{entry.provider} registers {entry.kind} {entry.name!r}"
        if entry.kind not in KINDS and entry.kind not in RESOURCE_KINDS:
            raise PluginError(f"{who}: no such kind", hint=did_you_mean(entry.kind, [*KINDS, *RESOURCE_KINDS]))
        if not NAME.fullmatch(entry.name):
            raise PluginError(f"{who}: a name is lower-case words joined by '_' or '-'")
        if not entry.summary.strip():
            raise PluginError(f"{who} without a summary")
        if not all(entry.target.partition(":")[::2]):
            raise PluginError(f"{who}: {entry.target!r} is not of the form 'module:name'")
        others = self._entries.setdefault((entry.kind, entry.name), [])
        for other in others:
            if other.provider == entry.provider:
                raise PluginError(f"{who} twice: as {other.target} and as {entry.target}")
            if BUILTIN in (other.provider, entry.provider):
                raise PluginError(
                    f"{entry.kind} {entry.name!r} is provided by both {other.provider} and {entry.provider}",
                    hint="a plugin cannot take the name of a built-in: choose another",
                )
        others.append(entry)

    def remove(self, provider: str) -> None:
        """Take back everything a provider registered."""
        for key in list(self._entries):
            self._entries[key] = [entry for entry in self._entries[key] if entry.provider != provider]
            if not self._entries[key]:
                del self._entries[key]

    def __iter__(self) -> Iterator[Registration]:
        for key in sorted(self._entries):
            yield from sorted(self._entries[key], key=lambda entry: entry.provider)

    def names(self, kind: str) -> list[str]:
        """The names of a kind, as a recipe may write them: bare where one provider has it, qualified elsewhere."""
        entries = [self._entries[key] for key in sorted(self._entries) if key[0] == kind]
        return [entry.name if len(group) == 1 else entry.qualified for group in entries for entry in group]

    def get(self, kind: str, name: str) -> Registration:
        """The registration of a bare or qualified name.

        Raises:
            UserError: No such name; the message has the nearest one.
            PluginError: Several distributions provide the bare name.
        """
        provider, _, bare = name.rpartition("/")
        entries = self._entries.get((kind, bare), [])
        if provider:
            entries = [entry for entry in entries if entry.provider == provider]
        if len(entries) == 1:
            return entries[0]
        if entries:
            raise PluginError(
                f"{kind} {name!r} is provided by {listed([entry.provider for entry in entries])}",
                hint=f"write one of {listed([entry.qualified for entry in entries])}",
            )
        near = nearest(name, self.names(kind))
        hint = did_you_mean(name, self.names(kind))
        if near:
            hint += f"; {near!r} is provided by {self.get(kind, near).provider}"
        else:
            hint += "; 'outfitrec plugins' lists what is installed and what is broken"
        raise UserError(f"unknown {kind} {name!r}", hint=hint)
