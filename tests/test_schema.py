"""A small validator, written from the specification, says what the schema takes; the recipe loader says the same."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from recipe_fakes import RECIPES, fake_plugins, fake_registry
from test_recipe import recipes

from outfitrec.core.errors import RecipeError
from outfitrec.core.loading import plugins
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.registry import Registration
from outfitrec.core.schema import json_schema
from outfitrec.core.yamlfile import read

SCHEMA = json_schema(fake_registry())
PLUGINS = fake_plugins()
TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def valid(value: Any, schema: Any, root: Any) -> bool:
    """Whether a value is valid, for the part of draft 2020-12 that the schema uses."""
    if isinstance(schema, bool):
        return schema
    number = isinstance(value, int | float) and not isinstance(value, bool)
    before = len(schema.get("prefixItems", ()))
    checks: dict[str, Callable[[Any], bool]] = {
        "$ref": lambda ref: valid(value, root if ref == "#" else root["$defs"][ref.removeprefix("#/$defs/")], root),
        "enum": lambda words: any(value == word and type(value) is type(word) for word in words),
        "oneOf": lambda schemas: sum(valid(value, one, root) for one in schemas) == 1,
        "anyOf": lambda schemas: any(valid(value, one, root) for one in schemas),
        "type": lambda kind: (
            number and (kind == "number" or value == int(value))
            if kind in ("number", "integer")
            else isinstance(value, TYPES[kind])
        ),
        "exclusiveMinimum": lambda limit: not number or value > limit,
        "exclusiveMaximum": lambda limit: not number or value < limit,
        "minimum": lambda limit: not number or value >= limit,
        "maximum": lambda limit: not number or value <= limit,
        "required": lambda keys: not isinstance(value, dict) or all(key in value for key in keys),
        "properties": lambda known: (
            not isinstance(value, dict) or all(valid(value[key], known[key], root) for key in value if key in known)
        ),
        "additionalProperties": lambda rest: (
            not isinstance(value, dict)
            or all(valid(value[key], rest, root) for key in value if key not in schema.get("properties", {}))
        ),
        "prefixItems": lambda schemas: (
            not isinstance(value, list) or all(valid(one, two, root) for one, two in zip(value, schemas, strict=False))
        ),
        "items": lambda rest: not isinstance(value, list) or all(valid(one, rest, root) for one in value[before:]),
        "minItems": lambda count: not isinstance(value, list) or len(value) >= count,
    }
    silent = {"$schema", "$defs", "title", "description", "default"}
    return all(checks[word](argument) for word, argument in schema.items() if word not in silent)


def test_it_is_json_and_says_what_keys_are_for() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    epochs = SCHEMA["properties"]["train"]["properties"]["epochs"]
    assert epochs == {
        "type": "integer",
        "minimum": 0,
        "description": "passes over the training pairs; 0: the model as it starts",
        "default": 50,
    }
    assert SCHEMA["$defs"]["loss"]["oneOf"][0] == {"enum": ["bpr", "npair"]}
    assert SCHEMA["$defs"]["encoder.alexnet"]["properties"]["size"]["enum"] == ["large", "m", "s", "xs"]
    assert "dim" not in SCHEMA["$defs"]["encoder.alexnet"]["properties"]


@pytest.mark.parametrize("name", RECIPES)
def test_shipped_recipes_are_valid(name: str) -> None:
    installed = plugins().registry
    schema = json_schema(installed)
    assert valid(read(installed.get("recipe", name).path()).value, schema, schema)


@given(recipes())
@settings(max_examples=25)
def test_what_loads_is_valid(data: dict[str, Any]) -> None:
    assert valid(data, SCHEMA, SCHEMA)
    assert valid(resolved(load_recipe(data, plugins=PLUGINS)), SCHEMA, SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"trian": {}},
        {"train": {"epochs": -1}},
        {"train": {"epochs": "3"}},
        {"train": {"epochs": True}},
        {"train": {"precision": "fp16"}},
        {"train": {"optimizer": {"name": "sgd", "lr": 0}}},
        {"train": {"optimizer": {"name": "sgd", "betas": [0.1]}}},
        {"train": {"optimizer": {"name": "sgd", "betas": [0.1, 0.2, 0.3]}}},
        {"train": {"optimizer": {"name": "sgd", "steps": [0]}}},
        {"train": {"optimizer": {"lr": 0.1}}},
        {"train": {"groups": {"encoder": {"wd": 1}}}},
        {"model": {"encoder": "alexnett"}},
        {"model": {"encoder": None}},
        {"model": {"encoder": {"name": "alexnet", "sise": "m"}}},
        {"model": {"encoder": {"name": "alexnet", "size": "xl"}}},
        {"model": {"encoder": {"name": "torchvision"}}},
        {"objectives": "ranking"},
        {"objectives": [{"name": "ranking", "loss": {"name": "npair", "temperature": None}}]},
        {"negatives": {"name": "random_mix", "share": "both"}},
        {"evaluate": {"metrics": ["twin"]}},
        {"evaluate": {"cold_start": 3}},
        {"evaluate": {"cold_start": {"draws": 3}}},
        {"evaluate": {"cold_start": {"dataset": "synthetic", "profiles": [0]}}},
        {"dataset": {"name": "polyvore_u", "root": "x", "users": 3, "extra": {"a": "b"}}},
        {"teacher": {"trian": 3}},
        {"teacher": 3},
        {"requires": {"outfitrec": 1}},
    ],
)
def test_what_does_not_load_is_not_valid(change: dict[str, Any]) -> None:
    with pytest.raises(RecipeError):
        load_recipe({"name": "r", **change}, plugins=PLUGINS)
    assert not valid({"name": "r", **change}, SCHEMA, SCHEMA)


def test_components_of_plugins() -> None:
    assert valid({"name": "r", "evaluate": {"metrics": ["one/twin", {"name": "two/twin"}]}}, SCHEMA, SCHEMA)
    registry = fake_registry()
    registry.add(Registration("loss", "broken", "no_such_module:Loss", "a loss", "their-plugin", "1.0"))
    schema = json_schema(registry)
    assert "cannot be loaded" in schema["$defs"]["loss.their-plugin.broken"]["description"]
    assert valid({"name": "r", "objectives": [{"name": "ranking", "loss": "broken"}]}, schema, schema)
