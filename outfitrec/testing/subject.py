"""What is checked: a component in one configuration, with what it needs around it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import torch

from outfitrec.core.config import Config, create
from outfitrec.core.document import Document, Place
from outfitrec.core.errors import PluginError, UserError
from outfitrec.core.example import Example
from outfitrec.core.extras import MissingExtraError
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.registry import Registration, Registry
from outfitrec.core.structure import structure_component
from outfitrec.core.values import shown
from outfitrec.testing.contract import NotApplicableError
from outfitrec.testing.world import WORLD, World

# Of classes that nobody registered.
UNREGISTERED = "unregistered"


@attrs.frozen(eq=False)
class Subject:
    """A component in one configuration.

    Attributes:
        config: Its configuration.
        beside: Configurations of other components that it is tried with, by kind.
        oracle: A naive function that gives what the component gives, called in the same way; None without.
        expected: Checks that it is known to fail, by name, each with the reason.
        world: What the engine would fill in.
    """

    config: Config
    beside: Mapping[str, Config] = attrs.field(factory=dict)
    oracle: Callable[..., Any] | None = None
    expected: Mapping[str, str] = attrs.field(factory=dict)
    world: World = WORLD

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.config.kind

    @property
    def component(self) -> type[Any]:
        """Its class."""
        return self.config.component

    @property
    def label(self) -> str:
        """What people call it: kind and name, the keys that are not the default, and what it is tried with."""
        keys = {one.name: getattr(self.config, one.name) for one in attrs.fields(type(self.config))}
        own = [
            f"{one.name}={_shown(keys[one.name])}"
            for one in attrs.fields(type(self.config))
            if not info(one).kind and keys[one.name] != _default(one)
        ]
        others = "".join(f" with {kind} {one.name}" for kind, one in self.beside.items())
        return f"{self.kind}/{self.config.name}" + (f"({', '.join(own)})" if own else "") + others

    def build(self, seed: int = 0) -> Any:
        """A new one, initialised from a seed; pretrained weights are not loaded."""
        return self.make(self.config, seed)

    def settled(self) -> Any:
        """A new one; a module in evaluation mode."""
        component = self.build()
        return component.eval() if isinstance(component, torch.nn.Module) else component

    def values(self) -> "Iterator[tuple[attrs.Attribute[Any], Any]]":
        """Its fields, each with its value as the engine passes it: components in it are built."""
        for one in attrs.fields(self.component):
            extra = info(one)
            if extra.given:
                yield one, self.world.given[one.name]
                continue
            value = getattr(self.config, one.name)
            if extra.many:
                yield one, tuple(map(self.make, value))
            else:
                yield one, self.make(value) if extra.kind and value is not None else value

    def make(self, config: Config, seed: int = 0) -> Any:
        """A component of another configuration, as the engine would make it beside this one.

        Raises:
            NotApplicableError: It needs a package that is not installed.
        """
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            try:
                return create(config, **self.world.given)
            except MissingExtraError as error:
                (problem,) = error.problems
                raise NotApplicableError(f"{problem.message}: {problem.hint}") from error


def subjects_of(
    entry: Registration,
    registry: Registry,
    *,
    fields: Mapping[str, Any] | None = None,
    beside: Mapping[str, Any] | None = None,
    oracle: Callable[..., Any] | None = None,
    expected: Mapping[str, str] | None = None,
) -> Iterator[Subject]:
    """The configurations that a component is checked in: those given, else its own examples, else the one of defaults.

    Args:
        entry: The component.
        registry: Where components beside it are found.
        fields: Its keys.
        beside: Other components, by kind: a name, a mapping with one, or a class.
        oracle: See `Subject`.
        expected: See `Subject`; added to what its examples say.

    Raises:
        UserError: Its keys or its examples are wrong.
        PluginError: It cannot be loaded.
    """
    told = (Example(fields=fields or {}, beside=beside or {}),)
    for example in told if fields or beside else examples_of(entry) or told:
        place = Place(f"{entry.kind}/{entry.name}")
        config = structure_component(
            Document.of({"name": entry.qualified, **example.fields}, place), entry.kind, registry
        )
        others = {kind: _beside(one, kind, place, registry) for kind, one in example.beside.items()}
        world = WORLD if example.image_size is None else World(pixels=example.image_size)
        yield Subject(config, others, oracle, {**example.expected, **(expected or {})}, world)


def _beside(told: Any, kind: str, place: Place, registry: Registry) -> Config:
    """The configuration of a component that is told by name, by a mapping with one, or by its class."""
    if isinstance(told, type):
        entry, registry = register(registry, told, kind)
        told = entry.qualified
    keys = told if isinstance(told, Mapping) else {"name": told}
    return structure_component(Document.of(keys, place), kind, registry)


def examples_of(entry: Registration) -> tuple[Example, ...]:
    """The examples that a component gives of itself.

    Raises:
        PluginError: They cannot be had, or are something else.
    """
    who = f"{entry.kind} {entry.qualified!r}"
    give = getattr(entry.load(), "examples", None)
    if give is None:
        return ()
    try:
        found = tuple(give())
    # They are anybody's code.
    except (Exception, SystemExit) as error:
        raise PluginError(f"{who}: examples() raises {type(error).__name__}: {error}") from error
    if not found or not all(isinstance(one, Example) for one in found):
        raise PluginError(f"{who}: examples() must give one or more outfitrec.Example, not {found!r}")
    return found


@attrs.frozen
class _Direct(Registration):
    """A class that is registered by nobody, or known already."""

    cls: type[Any]

    def load(self) -> type[Any]:
        return self.cls

    @property
    def qualified(self) -> str:
        return self.name


def register(registry: Registry, cls: type[Any], kind: str) -> tuple[Registration, Registry]:
    """A class as a registered component of a kind, and a registry that has it.

    Raises:
        UserError: There is no such kind.
        PluginError: The class is no component.
    """
    if kind not in KINDS:
        raise UserError(f"unknown kind {kind!r}", hint=f"one of {', '.join(KINDS)}")
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower().strip("_")
    target = f"{cls.__module__}:{cls.__qualname__.rpartition('.')[2]}"
    if "__attrs_attrs__" not in vars(cls):
        raise PluginError(f"{target} is not a component: decorate the class with @outfitrec.component")
    entry = _Direct(kind, name, target, name, UNREGISTERED, "0", cls)
    known = registry.copy()
    known.remove(UNREGISTERED)
    if name in known.names(kind):
        entry = attrs.evolve(entry, name=f"{name}_{UNREGISTERED}")
    known.add(entry)
    return entry, known


def _default(attribute: "attrs.Attribute[Any]") -> Any:
    default: Any = attribute.default
    return default.factory() if hasattr(default, "factory") else default


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)
