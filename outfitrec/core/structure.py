"""From a document to a checked recipe: strict, without coercion, all problems at once and each with its place."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path as FilePath
from types import NoneType
from typing import Any, cast, get_origin, get_type_hints

import attrs
from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError, IterableValidationError
from cattrs.errors import IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from outfitrec.core.config import Config, components, config_class, create, label, plain
from outfitrec.core.document import Document, Path, Place
from outfitrec.core.errors import Problem, RecipeError, UserError, did_you_mean, nearest
from outfitrec.core.fields import FieldInfo, info
from outfitrec.core.keys import keys
from outfitrec.core.registry import Registry
from outfitrec.core.settings import EXTENDS, INNER, EvaluateSettings, Recipe, S, alone, changed
from outfitrec.core.values import accepts, elements, entries, members, shown, words

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LABEL = re.compile(r"[A-Za-z0-9_-]+")
Hook = Callable[[Any, Any], Any]
# A class, which attrs' type stubs take for a function.
Factory: type[Any] = cast(type[Any], attrs.Factory)


class WrongError(ValueError):
    """A value that is not allowed; ``path`` leads to it from the value that is being structured."""

    def __init__(self, message: str, hint: str = "", path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path


def structure_recipe(document: Document, registry: Registry) -> Recipe:
    """The recipe of a document: bases merged, inner recipes inline.

    Raises:
        RecipeError: Everything that is wrong in it.
    """
    structurer = _structurer(registry)
    recipe: Recipe = _share_dataset(structurer.run(document, lambda value: structurer.settings(value, Recipe)))
    problems = list(_cross_checks(recipe, document))
    if problems:
        raise _located(problems)
    return recipe


def structure_settings(document: Document, cls: type[S], registry: Registry) -> S:
    """An instance of a class of settings.

    Raises:
        RecipeError: Everything that is wrong in it.
    """
    structurer = _structurer(registry)
    found: S = structurer.run(document, lambda value: structurer.settings(value, cls))
    return found


def structure_component(document: Document, kind: str, registry: Registry) -> Config:
    """The configuration of one component.

    Raises:
        RecipeError: Everything that is wrong in it.
    """
    structurer = _structurer(registry)
    config: Config = structurer.run(document, lambda value: structurer.entry(value, FieldInfo(kind=kind)))
    return config


# What cattrs generates for a class is kept with it.
@lru_cache(maxsize=2)
def _structurer(registry: Registry) -> "_Structurer":
    return _Structurer(registry)


class _Structurer:
    """cattrs goes through the classes and collects what is raised; what a value may be is said here."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._converter = Converter(forbid_extra_keys=True, detailed_validation=True)
        self._converter.register_structure_hook_factory(attrs.has, self._class_hook)

    def run(self, document: Document, structure: Callable[[Any], Any]) -> Any:
        """What ``structure`` makes of the document; what it raises, as one error with places."""
        try:
            return structure(document.value)
        except (WrongError, ClassValidationError) as error:
            raise _located(_problems(error, document, ())) from error

    def settings(self, value: Any, cls: type) -> Any:
        """An instance of a class of settings."""
        return self._converter.structure(value, cls)

    def entry(self, value: Any, extra: FieldInfo, default: Any = None) -> Config:
        """The configuration of a component, from its name or from a mapping with its name and keys."""
        if isinstance(value, Config) and getattr(value, "kind", extra.kind) == extra.kind:
            return value
        fields = value if isinstance(value, dict) else {"name": value}
        inside: Path = ("name",) if isinstance(value, dict) and "name" in value else ()
        name = fields.get("name")
        if not isinstance(name, str):
            example = default if isinstance(default, str) else " | ".join(self._registry.names(extra.kind))
            if "name" not in fields:
                raise WrongError("needs a 'name'", f"write name: {example}")
            raise WrongError(f"must be the name of a component ({extra.kind}), not {shown(name)}", extra.help, inside)
        try:
            cls = config_class(self._registry.get(extra.kind, name))
        except UserError as error:
            problem = error.problems[0]
            raise WrongError(problem.message, problem.hint, inside) from error
        config: Config = self._converter.structure({key: fields[key] for key in fields if key != "name"}, cls)
        return config

    def _class_hook(self, cls: type) -> Hook:
        fields = attrs.fields(cls)
        hints = get_type_hints(cls) if not issubclass(cls, Config) else {one.name: one.type for one in fields}
        hooks: Any = {one.name: override(struct_hook=self._field_hook(one, hints[one.name])) for one in fields}
        inner: Hook = make_dict_structure_fn(cls, self._converter, _cattrs_forbid_extra_keys=True, **hooks)

        def hook(value: Any, _: Any) -> Any:
            if isinstance(value, cls):
                return value
            if not isinstance(value, dict):
                raise WrongError(f"must be a mapping, not {shown(value)}")
            # Defaults go the same way as what is written, so that writing a default out changes nothing.
            return inner({**_defaults(fields), **value}, cls)

        return hook

    def _field_hook(self, attribute: "attrs.Attribute[Any]", hint: Any) -> Hook:
        extra = info(attribute)

        def many(value: Any, _: Any) -> Any:
            if not isinstance(value, list):
                raise WrongError(f"must be a list of components ({extra.kind}), not {shown(value)}", extra.help)
            return tuple(_each(enumerate(value), lambda one: self.entry(one, extra)).values())

        def one(value: Any, _: Any) -> Any:
            if value is None and NoneType in members(hint):
                return None
            return self.entry(value, extra, attribute.default)

        def simple(value: Any, _: Any) -> Any:
            found = self._value(value, hint, extra)
            complaint = extra.complaint(found)
            if complaint:
                near = nearest(found, map(str, extra.choices)) if isinstance(found, str) else ""
                raise WrongError(complaint, f"did you mean {near!r}?" if near else _help(attribute))
            return absolute(found, extra) if extra.path else found

        return many if extra.many else one if extra.kind else simple

    def _value(self, value: Any, hint: Any, extra: FieldInfo) -> Any:
        """A plain value of the type ``hint``; ``extra`` is for the message."""
        member = next((one for one in members(hint) if accepts(one, value)), None)
        if member is None:
            raise WrongError(f"must be {_expected(hint, extra)}, not {shown(value)}", extra.help)
        inner, values = elements(member), entries(member)
        if isinstance(inner, tuple) and len(inner) != len(value):
            raise WrongError(f"must be {_expected(hint, extra)}, not a list of {len(value)}", extra.help)
        if inner is not None:
            hints = inner if isinstance(inner, tuple) else (inner,) * len(value)
            pairs = enumerate(zip(value, hints, strict=True))
            found = _each(pairs, lambda pair: self._value(pair[0], pair[1], extra)).values()
            return list(found) if get_origin(member) is list else tuple(found)
        if values is not None:
            return _each(value.items(), lambda one: self._value(one, values, FieldInfo()))
        if attrs.has(member):
            return self.settings(value, member)
        if member is float:
            try:
                return float(value)
            except OverflowError as error:
                raise WrongError("is too large a number", extra.help) from error
        return value


def absolute(value: Any, extra: FieldInfo) -> Any:
    """The value of a path field with its paths made absolute; words that stand for something else stay."""
    if isinstance(value, tuple):
        return tuple(absolute(one, extra) for one in value)
    if value is None or value in extra.choices:
        return value
    return str(FilePath(value).expanduser().absolute())


def _each(items: Iterable[tuple[Any, Any]], structure: Callable[[Any], Any]) -> dict[Any, Any]:
    """What ``structure`` makes of each item, by its index or key; all errors at once, as cattrs raises them."""
    found = {}
    errors: list[Exception] = []
    for index, item in items:
        try:
            found[index] = structure(item)
        except (WrongError, ClassValidationError, IterableValidationError) as error:
            error.add_note(IterableValidationNote("", index, object))
            errors.append(error)
    if errors:
        raise IterableValidationError("", errors, object)
    return found


def _defaults(fields: Iterable["attrs.Attribute[Any]"]) -> dict[str, Any]:
    found = {}
    for attribute in fields:
        default: Any = attribute.default
        if default is not attrs.NOTHING:
            found[attribute.name] = plain(default.factory() if isinstance(default, Factory) else default)
    return found


def _expected(hint: Any, extra: FieldInfo) -> str:
    """What a key may hold, in words: ``a number > 0 or null``."""
    some = [member for member in members(hint) if member is not NoneType]
    null = " or null" if len(some) < len(members(hint)) else ""
    if extra.choices and not extra.path:
        return f"one of {extra.range()}{null}"
    limits = "" if extra.choices else extra.range()
    each = ", each " if any(elements(member) is not None for member in some) else " "
    return f"{words(*some)}{limits and each + limits}{null}"


def _help(attribute: "attrs.Attribute[Any]") -> str:
    default: Any = attribute.default
    known = default is not attrs.NOTHING and not isinstance(default, Factory)
    return info(attribute).help + (f" (default {shown(default)})" if known else "")


def _problems(error: Exception, document: Document, path: Path) -> Iterator[tuple[Place, Problem]]:
    """What is wrong, from the leaves of cattrs' tree of errors."""
    if isinstance(error, ClassValidationError | IterableValidationError):
        noted, others = error.group_exceptions()
        for inner, note in noted:
            key: str | int = note.index if isinstance(note, IterableValidationNote) else note.name
            if isinstance(inner, KeyError):
                place = document.at(path)
                hint = f"add the key {key!r}: {info(getattr(attrs.fields(error.cl), str(key))).help}"
                yield place, Problem(_message(document, (*path, key), "is missing"), str(place), hint)
            else:
                yield from _problems(inner, document, (*path, key))
        for inner in others:
            yield from _problems(inner, document, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        for name in error.extra_fields:
            # From Python, a key may be anything.
            yield _unknown(str(name), error.cl, document, path)
    elif isinstance(error, WrongError):
        path = (*path, *error.path)
        place = document.at(path)
        yield place, Problem(_message(document, path, error.message), str(place), error.hint)
    elif type(error) is ValueError:
        place = document.at(path)
        yield place, Problem(_message(document, path, str(error)), str(place))
    else:
        raise error


def _unknown(name: str, cls: type, document: Document, path: Path) -> tuple[Place, Problem]:
    place = document.at((*path, name), key=True)
    known = [attribute.name for attribute in attrs.fields(cls)]
    owner = hint = ""
    if issubclass(cls, Config):
        owner = f" of {cls.kind} {cls.name!r}"
        if any(one.name == name for one in attrs.fields(cls.component)):
            message = _message(document, (*path, name), f"no key{owner}: it is filled in from the data")
            return place, Problem(message, str(place), "leave it out")
    elif cls is Recipe:
        known.append(EXTENDS)
        settings: Any = cls
        deeper = [key for key in keys(settings) if key.count(".") == 1 and key.endswith(f".{name}")]
        if deeper and not nearest(name, known):
            hint = f"did you mean {deeper[0]}?"
    message = _message(document, (*path, name), f"unknown key{owner}")
    return place, Problem(message, str(place), hint or did_you_mean(name, known))


def _message(document: Document, path: Path, message: str) -> str:
    return f"{document.dotted(path)}: {message}" if path else message


def _located(problems: Iterable[tuple[Place, Problem]]) -> RecipeError:
    """The problems in the order of their places."""
    return RecipeError(problem for _, problem in sorted(problems, key=lambda pair: pair[0]))


def _share_dataset(recipe: Recipe) -> Recipe:
    """The recipe with its dataset given to the recipes in it."""
    inner = {key: getattr(recipe, key) for key in INNER}
    shared = {
        key: _share_dataset(changed(one, dataset=recipe.dataset))
        for key, one in inner.items()
        if isinstance(one, Recipe)
    }
    return changed(recipe, **shared)


def _cross_checks(recipe: Recipe, document: Document, path: Path = ()) -> Iterator[tuple[Place, Problem]]:
    """What shows only when several keys are seen together."""

    def problem(key: Path, message: str, hint: str = "") -> tuple[Place, Problem]:
        place = document.at((*path, *key))
        return place, Problem(_message(document, (*path, *key), message), str(place), hint)

    if not NAME.fullmatch(recipe.name):
        yield problem(("name",), f"must be letters, digits, '.', '_' and '-', not {shown(recipe.name)}")
    ranked = bool(recipe.evaluate.metrics)
    if not recipe.objectives and ranked:
        yield problem(("objectives",), "there is nothing to train for: at least one is needed")
    labels = [label(config) for config in recipe.objectives]
    for index, word in enumerate(labels):
        if not LABEL.fullmatch(word):
            yield problem(("objectives", index, "label"), f"must be letters, digits, '_' and '-', not {shown(word)}")
        elif word in labels[:index]:
            yield problem(("objectives", index), f"the label {word!r} is taken: give it a 'label' of its own")
        try:
            if recipe.teacher is None and _needs_teacher(recipe.objectives[index]):
                yield problem(("objectives", index), "needs a teacher, and there is none", "set the key 'teacher'")
        except UserError as error:
            yield from (problem(("objectives", index), one.message, one.hint) for one in error.problems)
    metrics: list[str] = []
    for index, config in enumerate(recipe.evaluate.metrics):
        try:
            word = create(config).label
        except UserError as error:
            yield from (problem(("evaluate", "metrics", index), one.message, one.hint) for one in error.problems)
            continue
        if word in metrics:
            yield problem(("evaluate", "metrics", index), f"{word!r} is there already", "leave one of them out")
        metrics.append(word)
    select = recipe.train.select
    if select is not None and select not in metrics:
        hint = did_you_mean(select, {*metrics}) if metrics else "nothing is ranked: set train.select: null"
        yield problem(("train", "select"), f"{select!r} is not among evaluate.metrics", hint)
    for inside, message, hint in _cold_checks(recipe.evaluate):
        yield problem(("evaluate", "cold_start", *inside), message, hint)
    for inside, config in components(alone(recipe)):
        check = getattr(config.component, "check_recipe", None)
        for name, message in check(config, recipe) if check else ():
            # A key of the component, or a dotted key of the recipe.
            own = any(attribute.name == name for attribute in attrs.fields(type(config)))
            yield problem((*inside, name) if own else tuple(name.split(".")), message)
    for key in INNER:
        if isinstance(getattr(recipe, key), Recipe):
            yield from _cross_checks(getattr(recipe, key), document, (*path, key))


def _cold_checks(settings: EvaluateSettings) -> Iterator[tuple[Path, str, str]]:
    """What is wrong with an evaluation on unknown users: key, message and hint."""
    cold = settings.cold_start
    if cold is None:
        return
    if not settings.metrics:
        yield (), "evaluate.metrics is empty", ""
    several: dict[str, list[Any]] = {
        "strategies": [label(config) for config in cold.strategies],
        "profiles": [*cold.profiles],
    }
    for key, some in several.items():
        if not some:
            yield (key,), "at least one is needed", ""
        for index, one in enumerate(some):
            if one in some[:index]:
                yield (key, index), f"{one!r} is there already", "leave one of them out, or give it a label of its own"


def _needs_teacher(objective: Config) -> bool:
    """Whether an objective reads a teacher's scores.

    Of one that only the data completes, and whose class does not tell, this shows in the run.
    """
    told: object = getattr(objective.component, "needs_teacher", None)
    if isinstance(told, bool):
        return told
    parts = [config.component for _, config in components(objective)]
    if any(info(attribute).given for cls in parts for attribute in attrs.fields(cls)):
        return False
    found: bool = create(objective).needs_teacher
    return found
