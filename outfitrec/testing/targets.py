"""What is to be checked, as people name it."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs

from outfitrec.core.config import config_class
from outfitrec.core.errors import PluginError, UserError, did_you_mean, listed
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import Plugins, plugins
from outfitrec.core.registry import Registration, Registry, canonical
from outfitrec.testing.subject import Subject, examples_of, register, subjects_of


@attrs.frozen
class Unready:
    """One of several components that cannot be checked: it has keys without default, say, and gives no examples.

    Attributes:
        label: Kind and name.
        target: What names it alone, as a target.
        error: What is wrong.
        needs: Its keys without default, as one writes them, where files or folders are among them, which only a user
            has; empty where that is not what is wrong.
    """

    label: str
    target: str
    error: UserError
    needs: str = ""


FILE = ".py"
FORMS = "KIND/NAME, the name of a distribution, the path of a plugin file (or KIND/FILE.py/NAME), or module:Class"


def subjects(
    target: str | type[Any] | Subject,
    *,
    kind: str | None = None,
    fields: Mapping[str, Any] | None = None,
    beside: Mapping[str, Any] | None = None,
    oracle: Callable[..., Any] | None = None,
    expected: Mapping[str, str] | None = None,
) -> Iterator[Subject]:
    """The components of a target, in the configurations that they are checked in.

    Args: see `outfitrec.testing.check_component`.

    Raises:
        UserError: There is nothing of that name, or its keys are wrong.
        PluginError: It cannot be loaded, or is no component.
    """
    for one in targeted(target, kind=kind, fields=fields, beside=beside, oracle=oracle, expected=expected):
        if isinstance(one, Unready):
            raise one.error
        yield one


def targeted(
    target: str | type[Any] | Subject,
    *,
    kind: str | None = None,
    fields: Mapping[str, Any] | None = None,
    beside: Mapping[str, Any] | None = None,
    oracle: Callable[..., Any] | None = None,
    expected: Mapping[str, str] | None = None,
) -> "Iterator[Subject | Unready]":
    """The components of a target, those that cannot be checked among them.

    Args: see `outfitrec.testing.check_component`.

    Returns:
        A subject for each configuration; of several components, one that has none is `Unready`.

    Raises:
        UserError: There is nothing of that name, or its keys are wrong.
        PluginError: It cannot be loaded, or is no component.
    """
    if isinstance(target, Subject):
        if kind or fields or beside or oracle or expected:
            raise UserError("a subject has its fields and all else already", hint="set them where it is made")
        yield target
        return
    entries, registry = _entries(target, kind)
    if not entries:
        raise UserError(f"{target} has no components: there is nothing to check")
    if kind is not None and (kinds := {one.kind for one in entries}) != {kind}:
        raise UserError(
            f"{target} is registered as {', '.join(sorted(kinds))}, not as {kind}",
            hint="leave the kind out: it is for a class that no plugin registers",
        )
    if len(entries) > 1 and (fields or beside or oracle):
        raise UserError(
            f"{target} has several components: keys are for one",
            hint=f"one of {listed([_alone(target, one) for one in entries])}",
        )
    for entry in entries:
        try:
            yield from subjects_of(entry, registry, fields=fields, beside=beside, oracle=oracle, expected=expected)
        except UserError as error:
            # One that must be told more is no reason to leave out the others.
            if len(entries) == 1:
                raise
            needs = "" if isinstance(error, PluginError) else _needs(entry)
            yield Unready(f"{entry.kind}/{entry.qualified}", _alone(target, entry), error, needs)


def _entries(target: str | type[Any], kind: str | None) -> tuple[list[Registration], Registry]:
    known = plugins()
    if isinstance(target, type):
        return _of_class(target, kind, known.registry)
    if not isinstance(target, str):
        raise UserError(f"{target!r} is nothing to check", hint=f"give a component's class, or write {FORMS}")
    if target.endswith(FILE):
        found = _with_file(Path(target))
        return [one for one in _components(found) if one.provider == Path(target).name], found
    if ":" in target:
        return _of_class(_imported(target), kind, known.registry)
    word, _, name = target.partition("/")
    if name and word in KINDS:
        file, _, last = name.rpartition("/")
        if file.endswith(FILE):
            registry = _with_file(Path(file))
            return [registry.get(word, f"{Path(file).name}/{last}")], registry
        return [known.registry.get(word, name)], known.registry
    return _of_distribution(target, known), known.registry


def _with_file(path: Path) -> Registry:
    """What is installed, and a plugin file."""
    known = plugins().copy()
    known.add_file(path)
    return known.registry


def _alone(target: object, entry: Registration) -> str:
    """What names one of a target's components, as a target."""
    name = f"{target}/{entry.name}" if str(target).endswith(FILE) else entry.qualified
    return f"{entry.kind}/{name}"


def _needs(entry: Registration) -> str:
    if examples_of(entry):
        return ""
    required = [one for one in attrs.fields(config_class(entry)) if one.default is attrs.NOTHING]
    if not any(info(one).path for one in required):
        return ""
    return " ".join(f"{one.name}={'PATH' if info(one).path else 'VALUE'}" for one in required)


def _components(registry: Registry) -> list[Registration]:
    return [one for one in registry if one.kind in KINDS]


def _imported(target: str) -> type[Any]:
    module, _, name = target.partition(":")
    try:
        found: object = getattr(import_module(module), name)
    # The module is anybody's.
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{target} cannot be loaded: {type(error).__name__}: {error}",
            hint="the module must be on Python's path: install its distribution, or set PYTHONPATH",
        ) from error
    if not isinstance(found, type):
        raise PluginError(f"{target} is no class")
    return found


def _of_class(cls: type[Any], kind: str | None, registry: Registry) -> tuple[list[Registration], Registry]:
    """A class: as it is registered, or as one of a kind."""
    target = f"{cls.__module__}:{cls.__qualname__}"
    found = [one for one in _components(registry) if one.target == target]
    if found:
        return [one for one in found if kind == one.kind] or found, registry
    if kind is None:
        raise UserError(f"{target} is registered by no plugin", hint=f"say its kind: one of {', '.join(KINDS)}")
    entry, known = register(registry, cls, kind)
    return [entry], known


def _of_distribution(target: str, known: Plugins) -> list[Registration]:
    states = {canonical(one.name): one for one in known.states}
    found = states.get(canonical(target))
    if found is None:
        names = [*(one.name for one in known.states), *(f"{one.kind}/{one.qualified}" for one in known.registry)]
        raise UserError(
            f"{target!r} is not installed, and is no component", hint=f"{did_you_mean(target, names)}; write {FORMS}"
        )
    if found.state != "loaded":
        raise PluginError(f"{found.name} {found.version} is {found.state}: {found.reason}")
    return [one for one in _components(known.registry) if canonical(one.provider) == canonical(target)]
