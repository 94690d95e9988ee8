"""Components for one's own training loop, checked like those of a recipe."""

from collections.abc import Mapping
from types import NoneType
from typing import Any

import attrs

from outfitrec.core.config import Config, Ready, components
from outfitrec.core.config import create as build
from outfitrec.core.document import Document, Place
from outfitrec.core.fields import GIVEN, info
from outfitrec.core.loading import plugins
from outfitrec.core.registry import Registry
from outfitrec.core.structure import structure_component


def create(kind: str, name: str, /, **fields: Any) -> Any:
    """A component to use in one's own loop, its pretrained weights loaded where it has any.

    Args:
        kind: One of the kinds that ``outfitrec ls`` prints.
        name: Its name.
        fields: Its keys, as a recipe has them, and what the engine fills in otherwise (number of users, dimension, …).
            A component in it may be a name, a mapping with a name, or a component that is built already.

    Example:
        >>> loss = create("loss", "npair", temperature=0.1)

    Raises:
        UserError: Unknown kind, name or field, or a value that is not allowed; all of it at once.
        TypeError: Something that the engine fills in is missing.
    """
    component = make(plugins().registry, kind, name, **fields)
    if hasattr(component, "initialize"):
        component.initialize()
    return component


def make(registry: Registry, kind: str, name: str, /, **fields: Any) -> Any:
    """`create` with the components of a registry."""
    # What the engine fills in may be for components in it.
    keys = {one.name for one in attrs.fields(registry.get(kind, name).load()) if not info(one).given}
    given = {key for key in fields if key in GIVEN and key not in keys}
    written = {"name": name, **{key: _written(value) for key, value in fields.items() if key not in given}}
    config = structure_component(Document.of(written, Place(f"{kind}/{name}")), kind, registry)
    parts = [part for _, part in components(config) if not isinstance(part, Ready)]
    asked = {one.name for part in parts for one in attrs.fields(part.component) if info(one).given}
    if given - asked:
        # Of what nobody asks for, the message is that of an unknown key.
        strange = {key: _written(fields[key]) for key in given - asked}
        structure_component(Document.of({**written, **strange}, Place(f"{kind}/{name}")), kind, registry)
    return build(config, **{key: fields[key] for key in given})


def _written(value: Any) -> Any:
    """A value as a recipe has it; what no recipe can hold is a component that is built already."""
    if isinstance(value, Mapping):
        return {key: _written(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_written(one) for one in value]
    return value if isinstance(value, str | int | float | NoneType | Config) else Ready(instance=value)
