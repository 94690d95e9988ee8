"""What ``outfitrec explain`` tells of a key of recipes and suites."""

import inspect
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from outfitrec.cli.output import show, show_table
from outfitrec.cli.rows import HEADS, row
from outfitrec.core.errors import PluginError, UserError, did_you_mean, nearest
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.registry import RESOURCE_KINDS, Registration, Registry

if TYPE_CHECKING:
    import attrs

    from outfitrec.core.keys import Key


def show_key(key: str, registry: Registry) -> bool:
    """Explain a key, of recipes, suites or both; whether there is such a key.

    Args:
        key: The dotted key.
        registry: Where components are found.

    Raises:
        UserError: The key of a component is one that no component of its kind has.
    """
    from outfitrec.core.keys import EXTENDS, find

    if key == EXTENDS:
        show(f"{key} · key of a recipe and of a suite", style="bold")
        show("\nname or path of the recipe (or suite) that this one changes")
        return True
    found = [(what, one) for what, cls in _documents().items() if (one := find(key, cls))]
    for index, (what, one) in enumerate(found):
        # What cannot be explained is an error before anything is shown.
        rows = _of_components(one.field, one.beyond, registry) if one.field and one.beyond else []
        if index:
            show()
        show(f"{one.path} · key of a {what}", style="bold")
        if rows:
            show(f"\nkey {key.removeprefix(one.path)[1:]} of a component:\n")
            show_table(("component", *HEADS[1:]), rows)
        else:
            _show(one)
    named = [f"{kind}/{key}" for kind in (*KINDS, *RESOURCE_KINDS) if key in registry.names(kind)]
    if found and named:
        show(f"\nthere is also {', '.join(named)}")
    return bool(found)


def nearest_of_all(word: str, registry: Registry) -> str:
    """A hint that names the key, component, recipe or suite most like a word."""
    from outfitrec.core.keys import keys
    from outfitrec.core.settings import INNER

    before, rest = "", word
    while "." in rest and rest.partition(".")[0] in INNER:
        before, rest = f"{before}{rest.partition('.')[0]}.", rest.partition(".")[2]
    known = {one.replace("*", "NAME"): before + one for cls in _documents().values() for one in keys(cls)}
    known |= {} if before else {entry.name: f"{entry.kind}/{entry.qualified}" for entry in registry}
    near = nearest(rest, known)
    return f"did you mean {known[near]!r}?" if near else "'outfitrec ls' lists what there is"


def _documents() -> dict[str, type[Any]]:
    """The settings of what has keys."""
    from outfitrec.benchmark.settings import Suite
    from outfitrec.core.settings import Recipe

    return {"recipe": Recipe, "suite": Suite}


def _show(key: "Key") -> None:
    import attrs

    kind = info(key.field).kind if key.field else ""
    if key.field:
        show()
        show_table(HEADS, [row(key.field)])
    if key.holds:
        show(f"\n{inspect.cleandoc(key.holds.__doc__ or '')}\n")
        show_table(HEADS, map(row, attrs.fields(key.holds)))
    if kind:
        show(f"\n'outfitrec ls {kind}' lists what there is, 'outfitrec explain {kind}/NAME' explains one")


def _of_components(
    field: "attrs.Attribute[Any]", words: Sequence[str], registry: Registry
) -> Sequence[tuple[str, ...]]:
    """A key of the components that a field may hold: one row for each that has it; none for an entry of a list."""
    kind, names = info(field).kind, registry.names(info(field).kind)
    if info(field).many:
        # Entries are addressed by label, by name or by position.
        entry, *words = words
        names = [entry] if entry in names else names
    if not words:
        return []
    some = [registry.get(kind, one) for one in names]
    rows = list(_rows(some, words, registry))
    if not rows:
        known = {key for one in some for key in _keys(one)}
        raise UserError(f"no {kind} has a key {'.'.join(words)!r}", hint=did_you_mean(words[0], known))
    return rows


def _rows(entries: Sequence[Registration], words: Sequence[str], registry: Registry) -> Iterator[tuple[str, ...]]:
    """The key of each component that has it, or of those in it."""
    for entry in entries:
        name = f"{entry.kind}/{entry.qualified}"
        try:
            field = _keys(entry).get(words[0])
        except PluginError as error:
            yield name, "", "", "", f"cannot be loaded: {error.problems[0].message}"
            continue
        if field is None:
            continue
        kind = info(field).kind
        rest = words[2:] if info(field).many else words[1:]
        if not rest:
            yield name, *row(field)[1:]
        elif kind:
            inside = [registry.get(kind, one) for one in registry.names(kind)]
            yield from ((f"{name}, {words[0]}: {one[0]}", *one[1:]) for one in _rows(inside, rest, registry))


def _keys(entry: Registration) -> dict[str, Any]:
    import attrs

    from outfitrec.core.config import config_class

    return {one.name: one for one in attrs.fields(config_class(entry))}
