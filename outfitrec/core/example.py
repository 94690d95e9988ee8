"""A configuration of a component that shows it at work."""

from collections.abc import Mapping
from typing import Any

import attrs
from attrs.validators import ge, instance_of, optional


def _mapping(example: "Example", attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{attribute.name} must be a mapping, not {value!r}")


@attrs.frozen(kw_only=True)
class Example:
    """A configuration with which the contract kit tries a component.

    A component whose fields all have defaults needs none. One that has required fields, or that goes with certain other
    components alone, gives some by a static method ``examples()``.

    Attributes:
        fields: Its recipe keys, as a recipe has them.
        beside: Other components of the recipe that it is tried with, by kind: a name, a mapping with one, or
            a class.
        expected: Checks that it is known to fail, by name, each with the reason. One that passes after all is an error.
        image_size: Side of the photos, px, where the 64 of the kit are too few.
    """

    fields: Mapping[str, Any] = attrs.field(factory=dict, validator=_mapping)
    beside: Mapping[str, Any] = attrs.field(factory=dict, validator=_mapping)
    expected: Mapping[str, str] = attrs.field(factory=dict, validator=_mapping)
    image_size: int | None = attrs.field(default=None, validator=optional([instance_of(int), ge(1)]))
