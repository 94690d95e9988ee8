"""The configuration of a component: its recipe keys, frozen and checked, without the component being built."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from inspect import isfunction
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

import attrs

from outfitrec.core.errors import PluginError, listed
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.registry import Registration
from outfitrec.core.values import members, supported

Path = tuple[str | int, ...]

RESERVED = frozenset({"name", "kind", "registration", "component"})


@attrs.frozen(kw_only=True)
class Config:
    """Base of the configurations: a subclass has the fields of one component class, but those that are `given`.

    A field that holds a component holds its Config (or None), one that holds a list of components a tuple of Configs.

    Attributes:
        kind: Kind of the component.
        name: Its qualified name.
        registration: Where it comes from.
        component: Its class.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    registration: ClassVar[Registration]
    component: ClassVar[type[Any]]

    if TYPE_CHECKING:
        # The fields of the component.
        def __getattr__(self, key: str) -> Any: ...


@attrs.frozen
class Ready(Config):
    """In place of a Config: a component that is built already."""

    instance: object

    def __repr__(self) -> str:
        return repr(self.instance)


@cache
def config_class(registration: Registration) -> type[Config]:
    """The configuration class of a registered component; its module is imported.

    Raises:
        PluginError: The class cannot be loaded, or a field has a name or type that no recipe key can have.
    """
    component = registration.load()
    who = f"{registration.kind} {registration.qualified!r}"
    try:
        hints = get_type_hints(component, include_extras=True)
    except Exception as error:
        raise PluginError(f"{who}: the types of its fields cannot be told: {type(error).__name__}: {error}") from error
    fields = {}
    for attribute in attrs.fields(component):
        extra = info(attribute)
        if extra.given:
            continue
        hint: Any = hints[attribute.name]
        if attribute.name in RESERVED:
            raise PluginError(f"{who}: a field cannot be called {attribute.name!r}", hint="choose another name")
        if extra.kind:
            optional = attribute.default is None or NoneType in members(hint)
            hint = tuple[Config, ...] if extra.many else Config | None if optional else Config
        elif not supported(hint):
            raise PluginError(
                f"{who}: the field {attribute.name!r} has the type {hint}, which no recipe can write",
                hint="use bool, int, float, str, Literal, or lists, mappings and unions of them",
            )
        fields[attribute.name] = attrs.field(
            default=attribute.default, validator=attribute.validator, metadata=attribute.metadata, type=hint
        )
    body = {
        "__doc__": component.__doc__,
        "kind": registration.kind,
        "name": registration.qualified,
        "registration": registration,
        "component": component,
    }
    return attrs.make_class(
        f"{component.__name__}Config", fields, bases=(Config,), class_body=body, frozen=True, kw_only=True
    )


def _missing(component: type[Any], kind: str) -> list[str]:
    """Methods of a kind's protocol that a class lacks; attributes may be made when it is built."""
    module, _, name = KINDS[kind].protocol.partition(":")
    methods = {key for key, one in vars(getattr(import_module(module), name)).items() if isfunction(one)}
    wanted = {key for key in methods if key == "__call__" or not key.startswith("_")}
    # Of its own classes: a class can always be called, which is what getattr would find.
    missing = [key for key in wanted if not any(key in vars(one) for one in component.__mro__)]
    # A module of torch is called through its forward, which it has in any case: as one that raises.
    forward = getattr(getattr(component, "forward", None), "__name__", "")
    call = next((vars(one)["__call__"] for one in component.__mro__ if "__call__" in vars(one)), None)
    if "__call__" in wanted and forward == "_forward_unimplemented" and call.__module__ == "torch.nn.modules.module":
        missing.append("forward")
    return sorted(missing)


def create(config: Config, /, **given: Any) -> Any:
    """Build a component, the components in it first.

    Args:
        config: Its configuration.
        given: What the engine knows: each component gets those of them that it declares with `outfitrec.given`.

    Raises:
        TypeError: A component declares a field that is not among ``given``.
        PluginError: A component lacks a method of its kind.
    """
    if isinstance(config, Ready):
        return config.instance
    missing = _missing(config.component, config.kind)
    if missing:
        raise PluginError(
            f"{config.kind} {config.name!r}: it lacks {listed(missing)}: it is no {config.kind}",
            hint=f"see outfitrec.protocols.{KINDS[config.kind].protocol.partition(':')[2]}",
        )
    values: dict[str, Any] = {}
    for attribute in attrs.fields(config.component):
        name, extra = attribute.name, info(attribute)
        if not extra.given:
            value = getattr(config, name)
            if extra.many:
                value = tuple(create(one, **given) for one in value)
            elif extra.kind and value is not None:
                value = create(value, **given)
            values[attribute.alias] = value
        elif name in given:
            values[attribute.alias] = given[name]
        else:
            raise TypeError(f"{config.kind} {config.name!r} needs {name!r} ({extra.help}), which was not given")
    return config.component(**values)


def plain(value: Any) -> Any:
    """A value as a recipe writes it, in full: Configs as mappings with ``name``, settings as mappings."""
    if isinstance(value, Config):
        return {"name": value.name, **_fields(value)}
    if attrs.has(type(value)):
        return _fields(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def _fields(value: Any) -> dict[str, Any]:
    return {attribute.name: plain(getattr(value, attribute.name)) for attribute in attrs.fields(type(value))}


def components(value: Any, path: Path = ()) -> Iterator[tuple[Path, Config]]:
    """Every Config in a recipe, in settings or in a Config (itself among them), with the keys that lead to it."""
    if isinstance(value, Config):
        yield path, value
    if attrs.has(type(value)):
        for attribute in attrs.fields(type(value)):
            yield from components(getattr(value, attribute.name), (*path, attribute.name))
    elif isinstance(value, tuple):
        for index, one in enumerate(value):
            yield from components(one, (*path, index))


def label(config: Config) -> str:
    """What an entry of a list is addressed by: its field ``label`` where it has one, else its name."""
    found = getattr(config, "label", None)
    return found if isinstance(found, str) else config.registration.name
