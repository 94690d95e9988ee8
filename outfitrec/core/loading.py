"""Loading plugins: each in isolation, all of it or nothing, blocked before it is imported.

pluggy runs the hooks. Its own entry-point loader stops at the first plugin that fails and skips a second plugin of
the same name in silence; hence this one.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cache
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Literal

import attrs
import pluggy

from outfitrec import hooks
from outfitrec.core.errors import PluginError, Problem, did_you_mean
from outfitrec.core.registry import BUILTIN, Registration, Registry, canonical

GROUP = "outfitrec"
State = Literal["loaded", "blocked", "broken", "refused"]


@attrs.frozen
class Plugin:
    """A distribution that offers a plugin, and what became of it.

    Attributes:
        name: Name of the distribution.
        version: Its version.
        state: ``loaded``; ``blocked``: not imported; ``broken``: raised; ``refused``: registers what it may not.
        reason: Why it is not loaded; empty where it is.
        provides: ``kind/name`` of what it registered.
    """

    name: str
    version: str
    state: State
    reason: str = ""
    provides: tuple[str, ...] = ()


def _canonical_names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(canonical, names))


@attrs.frozen
class Policy:
    """Which plugins may load.

    Attributes:
        enabled: False leaves the built-ins alone (``OUTFITREC_NO_PLUGINS=1``): no distribution, no plugin file.
        allow: Where not empty, only these distributions load (``OUTFITREC_ALLOW``, names joined by commas).
        block: These distributions do not load (``OUTFITREC_BLOCK``, likewise).
        strict: A plugin that is broken or refused is an error (``OUTFITREC_STRICT=1``).
    """

    enabled: bool = True
    allow: frozenset[str] = attrs.field(default=frozenset(), converter=_canonical_names)
    block: frozenset[str] = attrs.field(default=frozenset(), converter=_canonical_names)
    strict: bool = False

    @classmethod
    def from_environment(cls) -> "Policy":
        """The policy that the environment variables ask for.

        Raises:
            PluginError: A switch is neither 0 nor 1.
        """

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
        if canonical(name) in self.block:
            return "in the block-list OUTFITREC_BLOCK"
        if self.allow and canonical(name) not in self.allow:
            return "not in the allow-list OUTFITREC_ALLOW"
        return ""


def _flag(variable: str) -> bool:
    value = os.environ.get(variable, "")
    if value not in ("", "0", "1"):
        raise PluginError(f"the environment variable {variable} must be 0 or 1, not {value!r}")
    return value == "1"


class Plugins:
    """All plugins, loaded: what they registered, and what became of each.

    Args:
        policy: Which may load; None: what the environment says.
        found: The distributions to look at; None: those that are installed. The built-ins are always there.

    Attributes:
        registry: What they registered.
        states: Every distribution that offers a plugin, the built-ins first.

    Raises:
        PluginError: The policy is strict and some are broken or refused: all of them at once.
    """

    def __init__(self, policy: Policy | None = None, found: Iterable[Distribution] | None = None) -> None:
        self.registry = Registry()
        self.states: list[Plugin] = []
        self._policy = policy or Policy.from_environment()
        self._files: dict[str, tuple[Path, str]] = {}
        for one in _offering([distribution(BUILTIN), *(distributions() if found is None else found)]):
            plugin = self._load(*one)
            self.states.append(plugin)
            if plugin.state != "loaded":
                self.registry.absent[plugin.name] = plugin.state
        failed = [plugin for plugin in self.states if plugin.state in ("broken", "refused")]
        if failed and (self._policy.strict or failed[0].name == BUILTIN):
            raise PluginError(
                Problem(
                    f"the plugin {plugin.name} {plugin.version} is {plugin.state}: {plugin.reason}",
                    hint=f"mend or uninstall it, or block it with OUTFITREC_BLOCK={plugin.name}",
                )
                for plugin in failed
            )

    def copy(self) -> "Plugins":
        """The same plugins, to which files are added apart: what one recipe names is not there for another."""
        other = copy(self)
        other.registry = self.registry.copy()
        other._files = dict(self._files)
        return other

    def add_file(self, path: Path) -> None:
        """Load a plugin file: a Python file with the hook. What it registers goes by the file's name as the provider.

        A file that is loaded already is loaded again only where its content has changed; a copy of it is the same file.

        Raises:
            PluginError: It is missing or fails, a different file of that name is loaded, or plugins are switched off.
        """
        path = path.resolve()
        if not self._policy.enabled:
            raise PluginError(f"the plugin file {path} is not loaded: {self._policy.blocked(path.name)}")
        if path.suffix != ".py":
            raise PluginError(f"{path} is not a plugin file: the name of one ends in .py")
        try:
            source = path.read_bytes()
        except OSError as error:
            raise PluginError(f"the plugin file {path} cannot be read: {error.strerror}") from error
        version = hashlib.sha256(source).hexdigest()[:12]
        other, content = self._files.get(path.name, (path, version))
        if other != path and content != version:
            raise PluginError(f"two plugin files are called {path.name}: {other} and {path}", hint="rename one of them")
        module = f"outfitrec_file_{version}"
        try:
            with self.registry.all_or_nothing():
                self.registry.remove(path.name)
                _call_hook(_file_module(module, path, source), _Register(self.registry, path.name, version, module))
        except (Exception, SystemExit) as error:
            raise PluginError(f"the plugin file {path} fails: {_reason(error, module)}") from error
        self._files[path.name] = (path, version)

    def check_required(self, required: Mapping[str, str]) -> None:
        """Check versions of plugins, such as ``{"outfitrec-hinge": ">=0.1"}``.

        Raises:
            PluginError: One is missing, not loaded, or of another version; all of them at once.
        """
        known = {canonical(plugin.name): plugin for plugin in self.states}
        problems = []
        for name, wanted in required.items():
            plugin = known.get(canonical(name))
            message = _unmet(name, wanted, plugin)
            hint = "" if plugin else did_you_mean(name, [one.name for one in self.states])
            if message:
                problems.append(Problem(message, hint=hint))
        if problems:
            raise PluginError(problems)

    def _load(self, name: str, version: str, offering: Distribution) -> Plugin:
        blocked = "" if name == BUILTIN else self._policy.blocked(name)
        if blocked:
            return Plugin(name, version, "blocked", blocked)
        module = ""
        try:
            if not version:
                raise ValueError(f"its metadata in {offering.locate_file('')} is damaged: reinstall or delete it")
            with self.registry.all_or_nothing():
                for point in offering.entry_points.select(group=GROUP):
                    module = point.module
                    _call_hook(point.load(), _Register(self.registry, name, version, module))
        except (Exception, SystemExit) as error:
            state: State = "refused" if isinstance(error, PluginError) else "broken"
            return Plugin(name, version, state, _reason(error, module))
        provides = tuple(f"{entry.kind}/{entry.name}" for entry in self.registry if entry.provider == name)
        return Plugin(name, version, "loaded", provides=provides)


class _Register:
    """The `outfitrec.hooks.Register` of one module of one provider."""

    def __init__(self, registry: Registry, provider: str, version: str, module: str) -> None:
        self._registry = registry
        self._provider = provider
        self._version = version
        self._module = module

    def component(self, kind: str, name: str, target: str, summary: str) -> None:
        self._add(kind, name, f"{self._module}{target}" if target.startswith(":") else target, summary)

    def recipe(self, name: str, resource: str, summary: str) -> None:
        self._add("recipe", name, resource, summary)

    def suite(self, name: str, resource: str, summary: str) -> None:
        self._add("suite", name, resource, summary)

    def _add(self, kind: str, name: str, target: str, summary: str) -> None:
        self._registry.add(Registration(kind, name, target, summary, self._provider, self._version))


def _call_hook(plugin: object, register: hooks.Register) -> None:
    # A manager for each plugin: no implementation of one (a wrapper, say) runs for another.
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    manager.register(plugin)
    manager.check_pending()
    if not manager.hook.outfitrec_register.get_hookimpls():
        raise pluggy.PluginValidationError(plugin, "no hook here: decorate 'outfitrec_register' with @hookimpl")
    manager.hook.outfitrec_register(register=register)


def _unmet(name: str, wanted: str, plugin: Plugin | None) -> str:
    """Why a requirement does not hold; empty where it does."""
    # Few recipes require anything, and every command loads the plugins.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        range_ = SpecifierSet(wanted)
        if plugin is None:
            return f"requires {name} {wanted}, which is not installed"
        if plugin.state != "loaded":
            return f"requires {name} {wanted}, which is {plugin.state}: {plugin.reason}"
        if not range_.contains(Version(plugin.version), prereleases=True):
            return f"requires {name} {wanted}, and {plugin.version} is installed"
    except InvalidSpecifier:
        return f"requires {name} {wanted!r}: not a version range such as '>=1.0'"
    except InvalidVersion as error:
        return f"requires {name} {wanted}, and what is installed has none: {error}"
    return ""


def _file_module(name: str, path: Path, source: bytes) -> ModuleType:
    """The module of a plugin file, made once for each content."""
    if name not in sys.modules:
        module = ModuleType(name)
        module.__file__ = str(path)
        sys.modules[name] = module
        try:
            # Python's own import would cache bytecode by time and size, and run what the file was a moment ago.
            exec(compile(source, path, "exec"), vars(module))  # noqa: S102  # a plugin file is code to be run
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _offering(found: Iterable[Distribution]) -> list[tuple[str, str, Distribution]]:
    """Name and version of the distributions that offer a plugin: the built-ins, then the others by name."""
    offering: dict[str, tuple[str, str, Distribution]] = {}
    for one in found:
        if f"[{GROUP}]" in (one.read_text("entry_points.txt") or ""):
            name, version = _identity(one)
            # The first of two installations on the path is the one that Python imports.
            offering.setdefault(canonical(name), (name, version, one))
    return [offering[key] for key in sorted(offering, key=lambda key: (key != BUILTIN, key))]


def _identity(one: Distribution) -> tuple[str, str]:
    """Name and version; what is left of a distribution that was half removed is unnamed, without version."""
    try:
        name, version = one.name, one.version
    except (KeyError, OSError):
        # Later Pythons raise where earlier ones give None.
        name = version = ""
    return name or "unnamed", version or ""


def _reason(error: BaseException, module: str) -> str:
    """What went wrong, in one line, and the last place in the plugin that led to it."""
    if isinstance(error, PluginError):
        return "; ".join(text for problem in error.problems for text in (problem.message, problem.hint) if text)
    package = module.partition(".")[0]
    places = [
        f" ({frame.f_code.co_filename}:{line})"
        for frame, line in walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package
    ]
    return f"{type(error).__name__}: {' '.join(str(error).split())}{places[-1] if places else ''}"


@cache
def plugins() -> Plugins:
    """The plugins of this process, loaded once."""
    return Plugins()
