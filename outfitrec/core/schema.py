"""JSON Schema of recipes, with the plugins that are installed: editors complete and check with it."""

from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import attrs

from outfitrec.core.config import Config, config_class, plain
from outfitrec.core.errors import PluginError
from outfitrec.core.fields import FieldInfo, info
from outfitrec.core.kinds import KINDS
from outfitrec.core.registry import Registration, Registry
from outfitrec.core.settings import EXTENDS, FinishedRun, Recipe
from outfitrec.core.values import elements, entries, members

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCALARS = {bool: "boolean", int: "integer", float: "number", str: "string", NoneType: "null"}
LIMITS = {"above": "exclusiveMinimum", "below": "exclusiveMaximum", "minimum": "minimum", "maximum": "maximum"}


def json_schema(registry: Registry) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a recipe."""
    recipe = _class(Recipe)
    # What is required may be in the base.
    recipe["anyOf"] = [{"required": recipe.pop("required")}, {"required": [EXTENDS]}]
    recipe["properties"][EXTENDS] = {"type": "string", "description": "recipe (name or path) that this one changes"}
    definitions = {kind: _kind(registry, kind) for kind in KINDS}
    for registration in registry:
        if registration.kind in KINDS:
            definitions[_reference(registration)] = _component(registration)
    return {"$schema": DIALECT, "title": "outfitrec recipe", **recipe, "$defs": definitions}


def _kind(registry: Registry, kind: str) -> dict[str, Any]:
    """An entry: a name, or a mapping with a name."""
    mappings = [{"$ref": f"#/$defs/{_reference(one)}"} for one in registry if one.kind == kind]
    return {"description": KINDS[kind].summary, "oneOf": [{"enum": registry.names(kind)}, *mappings]}


def _reference(registration: Registration) -> str:
    # A JSON pointer escapes '/'; names without one read better.
    return f"{registration.kind}.{registration.qualified.replace('/', '.')}"


def _component(registration: Registration) -> dict[str, Any]:
    named = {"enum": sorted({registration.name, registration.qualified})}
    try:
        schema = _class(config_class(registration))
    except PluginError as error:
        return {
            "type": "object",
            "description": f"{registration.summary} (cannot be loaded: {error.problems[0].message})",
            "properties": {"name": named},
            "required": ["name"],
        }
    return {
        **schema,
        "description": registration.summary,
        "properties": {"name": named, **schema["properties"]},
        "required": ["name", *schema.get("required", ())],
    }


def _class(cls: type) -> dict[str, Any]:
    fields = attrs.fields(cls)
    hints = {one.name: one.type for one in fields} if issubclass(cls, Config) else get_type_hints(cls)
    required = [one.name for one in fields if one.default is attrs.NOTHING]
    return {
        "type": "object",
        "properties": {one.name: _field(one, hints[one.name]) for one in fields},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _field(attribute: "attrs.Attribute[Any]", hint: Any) -> dict[str, Any]:
    extra = info(attribute)
    if extra.many:
        schema: dict[str, Any] = {"type": "array", "items": {"$ref": f"#/$defs/{extra.kind}"}}
    elif extra.kind:
        entry = {"$ref": f"#/$defs/{extra.kind}"}
        schema = {"anyOf": [entry, {"type": "null"}]} if NoneType in members(hint) else entry
    elif extra.choices and not extra.path:
        null = [None] if NoneType in members(hint) else []
        schema = {"enum": [*extra.choices, *null]}
    else:
        schema = _type(hint, extra)
    default: Any = attribute.default
    simple = default is None or isinstance(default, str | int | float | tuple)
    return {**schema, "description": extra.help, **({"default": plain(default)} if simple else {})}


def _type(hint: Any, extra: FieldInfo) -> dict[str, Any]:
    schemas = [_member(member, extra) for member in members(hint)]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _member(hint: Any, extra: FieldInfo) -> dict[str, Any]:
    if hint is FinishedRun:
        return {"type": "string"}
    if hint is Recipe:
        return {"$ref": "#"}
    if hint in SCALARS:
        limits = {word: getattr(extra, name) for name, word in LIMITS.items() if hint in (int, float)}
        return {"type": SCALARS[hint], **{word: limit for word, limit in limits.items() if limit is not None}}
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    inner, values = elements(hint), entries(hint)
    if isinstance(inner, tuple):
        return {
            "type": "array",
            "prefixItems": [_type(one, extra) for one in inner],
            "items": False,
            "minItems": len(inner),
        }
    if inner is not None:
        return {"type": "array", "items": _type(inner, extra)}
    if values is not None:
        return {"type": "object", "additionalProperties": _type(values, FieldInfo())}
    return _class(hint) if attrs.has(hint) else {}
