"""Loading plugins: each in isolation, undone where it fails, blocked before it is imported.

pluggy runs the hooks. Its own entry-point loader stops at the first plugin that fails and skips a second plugin of
the same name in silence; hence this one.
"""

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions, version
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import attrs
import pluggy

from outfitrec import hooks
from outfitrec.core.errors import PluginError, did_you_mean
from outfitrec.core.registry import BUILTIN, Registration, Registry

GROUP = "outfitrec"
State = Literal["loaded", "blocked", "broken", "refused"]


@attrs.frozen
class Plugin:
    """A distribution (or local file) that offers a plugin, and what became of it.

    Attributes:
        name: Name of the distribution, or path of a local file.
        version: Its version.
        state: ``loaded``; ``blocked`` before import; ``broken``: raised; ``refused``: a name it may not take.
        reason: Why it is not loaded; empty where it is.
        provides: ``kind/name`` of what it registered.
    """

    name: str
    version: str
    state: State
    reason: str = ""
    provides: tuple[str, ...] = ()


@attrs.frozen
class Policy:
    """Which plugins may load.

    Attributes:
        enabled: False leaves the built-ins alone (``--no-plugins``).
        allow: Where not empty, only these distributions load (``OUTFITREC_ALLOW``).
        block: These distributions do not load (``OUTFITREC_BLOCK``).
        strict: A plugin that is broken or refused is an error (``OUTFITREC_STRICT=1``).
    """

    enabled: bool = True
    allow: frozenset[str] = frozenset()
    block: frozenset[str] = frozenset()
    strict: bool = False

    @classmethod
    def from_environment(cls) -> "Policy":
        """The policy that the environment variables ask for."""

        def names(variable: str) -> frozenset[str]:
            return frozenset(word.strip() for word in os.environ.get(variable, "").split(",") if word.strip())

        return cls(
            enabled=not _flag("OUTFITREC_NO_PLUGINS"),
            allow=names("OUTFITREC_ALLOW"),
            block=names("OUTFITREC_BLOCK"),
            strict=_flag("OUTFITREC_STRICT"),
        )

    def blocked(self, name: str) -> str:
        """Why a distribution must not load, or an empty string."""
        if not self.enabled:
            return "plugins are switched off"
        if name in self.block:
            return "in the block-list OUTFITREC_BLOCK"
        if self.allow and name not in self.allow:
            return "not in the allow-list OUTFITREC_ALLOW"
        return ""


def _flag(variable: str) -> bool:
    value = os.environ.get(variable, "")
    if value not in ("", "0", "1"):
        raise PluginError(f"the environment variable {variable} must be 0 or 1, not {value!r}")
    return value == "1"


class _Register:
    """The `outfitrec.hooks.Register` of one provider."""

    def __init__(self, registry: Registry, provider: str, provider_version: str, module: str) -> None:
        self._registry = registry
        self._provider = provider
        self._version = provider_version
        self._module = module
        self.provides: list[str] = []

    def component(self, kind: str, name: str, target: str, summary: str) -> None:
        self._add(kind, name, f"{self._module}{target}" if target.startswith(":") else target, summary)

    def recipe(self, name: str, resource: str, summary: str) -> None:
        self._add("recipe", name, resource, summary)

    def suite(self, name: str, resource: str, summary: str) -> None:
        self._add("suite", name, resource, summary)

    def _add(self, kind: str, name: str, target: str, summary: str) -> None:
        self._registry.add(Registration(kind, name, target, summary, self._provider, self._version))
        self.provides.append(f"{kind}/{name}")


class Plugins:
    """The registry with all plugins loaded, and the state of each plugin.

    Attributes:
        registry: What they registered.
        states: Every plugin seen, in order of loading.
    """

    def __init__(self, policy: Policy | None = None, found: Iterable[Distribution] | None = None) -> None:
        self.registry = Registry()
        self.states: list[Plugin] = []
        self._policy = policy or Policy.from_environment()
        self._manager = pluggy.PluginManager("outfitrec")
        self._manager.add_hookspecs(hooks)
        entries = sorted(_entry_points(distributions() if found is None else found), key=lambda pair: pair[0])
        # Built-ins first: a plugin that takes one of their names is the one that is refused.
        builtin = importlib.import_module("outfitrec.plugins")
        self._register(BUILTIN, _own_version(), builtin)
        for name, (provider_version, points) in entries:
            if name != BUILTIN:
                self._load(name, provider_version, points)

    def add_file(self, path: Path) -> None:
        """Load a local plugin file. Loading the same file again does nothing.

        Raises:
            PluginError: It is missing or fails.
        """
        path = path.resolve()
        if any(plugin.name == str(path) for plugin in self.states):
            return
        if not path.is_file():
            raise PluginError(f"no plugin file {path}")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        module_name = f"outfitrec_local_{path.stem}_{digest}"
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            raise PluginError(f"{path} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise PluginError(f"the plugin file {path} fails: {type(error).__name__}: {error}") from error
        plugin = self._register(str(path), digest, module)
        if plugin.state != "loaded":
            self.states.remove(plugin)
            raise PluginError(f"the plugin file {path} fails: {plugin.reason}")

    def check_required(self, required: dict[str, str]) -> None:
        """Check versions of plugins, such as ``{"outfitrec-baselines": ">=0.1"}``.

        Raises:
            PluginError: One is missing, not loaded, or of another version; all of them at once.
        """
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        known = {plugin.name: plugin for plugin in self.states}
        problems: list[str] = []
        for name, wanted in required.items():
            plugin = known.get(name)
            try:
                specifier = SpecifierSet(wanted)
            except InvalidSpecifier:
                problems.append(f"requires {name} {wanted!r}: not a version range such as '>=1.0'")
                continue
            if plugin is None:
                problems.append(f"requires {name} {wanted}, which is not installed; {did_you_mean(name, known)}")
            elif plugin.state != "loaded":
                problems.append(f"requires {name}, which is {plugin.state}: {plugin.reason}")
            elif not specifier.contains(plugin.version, prereleases=True):
                problems.append(f"requires {name} {wanted}, and {plugin.version} is installed")
        if problems:
            raise PluginError("; ".join(problems))

    def _load(self, name: str, provider_version: str, points: list[EntryPoint]) -> None:
        reason = self._policy.blocked(name)
        if reason:
            self.states.append(Plugin(name, provider_version, "blocked", reason))
            return
        try:
            modules = [point.load() for point in points]
        except Exception as error:
            self._fail(Plugin(name, provider_version, "broken", f"{type(error).__name__}: {error}"))
            return
        for module in modules:
            plugin = self._register(name, provider_version, module)
            if plugin.state != "loaded":
                return

    def _register(self, provider: str, provider_version: str, module: ModuleType) -> Plugin:
        register = _Register(self.registry, provider, provider_version, module.__name__)
        try:
            self._manager.register(module, name=f"{provider}:{module.__name__}")
            if not self._manager.get_hookcallers(module):
                raise PluginError(f"{module.__name__} implements no hook: decorate outfitrec_register with @hookimpl")
            others = [plugin for plugin in self._manager.get_plugins() if plugin is not module]
            caller: Any = self._manager.subset_hook_caller("outfitrec_register", others)
            caller(register=register)
        except Exception as error:
            self.registry.remove(provider)
            self._manager.unregister(module) if self._manager.is_registered(module) else None
            refused = isinstance(error, PluginError)
            reason = str(error) if refused else f"{type(error).__name__}: {error}"
            return self._fail(Plugin(provider, provider_version, "refused" if refused else "broken", reason))
        plugin = Plugin(provider, provider_version, "loaded", provides=tuple(sorted(register.provides)))
        self.states.append(plugin)
        return plugin

    def _fail(self, plugin: Plugin) -> Plugin:
        self.states.append(plugin)
        if self._policy.strict:
            raise PluginError(
                f"plugin {plugin.name} {plugin.version} is {plugin.state}: {plugin.reason}",
                hint=f"mend or uninstall it, or block it with OUTFITREC_BLOCK={plugin.name}",
            )
        return plugin


def _entry_points(found: Iterable[Distribution]) -> Iterable[tuple[str, tuple[str, list[EntryPoint]]]]:
    seen: dict[str, tuple[str, list[EntryPoint]]] = {}
    for distribution in found:
        points = [point for point in distribution.entry_points if point.group == GROUP]
        # The first of two installations on the path is the one that Python imports.
        if points and distribution.name not in seen:
            seen[distribution.name] = (distribution.version, points)
    return seen.items()


def _own_version() -> str:
    return version(BUILTIN)


@cache
def plugins() -> Plugins:
    """The plugins of this process, loaded once."""
    return Plugins()
