"""What ``outfitrec explain`` tells of a key of recipes and suites."""

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from outfitrec.cli.output import show, show_table
from outfitrec.cli.rows import HEADS, row
from outfitrec.core.errors import PluginError, UserError, did_you_mean, nearest
from outfitrec.core.fields import info
from outfitrec.core.kinds import KINDS
from outfitrec.core.registry import RESOURCE_KINDS, Registration, Registry

if TYPE_CHECKING:
    from outfitrec.core.keys import Key


def show_key(key: str, registry: Registry) -> bool:
    """Explain a key, of recipes, suites or both; whether there is such a key.

    Args:
        key: The dotted key.
        registry: Where components are found.

    Raises:
        UserError: The key of a component is one that no component of its kind has.
    """
    from outfitrec.core.keys import find, inside
    from outfitrec.core.settings import EXTENDS

    if inside(key)[1] == EXTENDS:
        show(f"{key} · key of a recipe" + (" and of a suite" if key == EXTENDS else ""), style="bold")
        show("\nname or path of the recipe or suite that this one changes")
        return True
    found = [(what, one) for what, cls in _documents().items() if (one := find(key, cls))]
    for index, (what, one) in enumerate(found):
        # What cannot be explained is an error before anything is shown.
        of_components = _OfComponents(one, registry)
        if index:
            show()
        show(f"{one.path} · key of a {what}", style="bold")
        if of_components.rows:
            of_components.show()
        else:
            _show(one)
    named = [f"{kind}/{key}" for kind in (*KINDS, *RESOURCE_KINDS) if key in registry.names(kind)]
    if found and named:
        show(f"\nthere is also {', '.join(named)}")
    return bool(found)


def nearest_of_all(word: str, registry: Registry) -> str:
    """A hint that names the key, component, recipe or suite most like a word."""
    from outfitrec.core.keys import inside, keys
    from outfitrec.core.settings import EXTENDS, Recipe

    before, rest = inside(word)
    if before:
        # A recipe in a recipe has its dataset.
        known = {one: before + one for one in keys(Recipe) if one != "dataset"}
    else:
        known = {entry.name: f"{entry.kind}/{entry.qualified}" for entry in registry}
        known |= {one.replace("*", "NAME"): one for cls in _documents().values() for one in keys(cls)}
    near = nearest(rest, [*known, EXTENDS])
    return f"did you mean {known.get(near, before + near)!r}?" if near else "'outfitrec ls' lists what there is"


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


class _OfComponents:
    """The components that have the key which follows a component's.

    Args:
        key: The key.
        registry: Where components are found.

    Attributes:
        rows: One for each; none where nothing follows, or an entry of a list, or its name.

    Raises:
        UserError: No component has it.
    """

    def __init__(self, key: "Key", registry: Registry) -> None:
        self._registry = registry
        self._lost: dict[str, str] = {}
        self._known: set[str] = set()
        self.rows: list[tuple[str, ...]] = []
        words = list(key.beyond)
        if key.field is None or not words:
            return
        kind, names = info(key.field).kind, registry.names(info(key.field).kind)
        if info(key.field).many:
            # Entries are addressed by label, by name or by position.
            entry = words.pop(0)
            names = [entry] if entry in names else names
        if words in ([], ["name"]):
            return
        self._words = words
        self._find([registry.get(kind, one) for one in names], words)
        if not self.rows:
            word = ".".join(words)
            lost = "".join(f"; {name} cannot be loaded: {error}" for name, error in self._lost.items())
            raise UserError(f"no {kind} has a key {word!r}{lost}", hint=did_you_mean(word, self._known))

    def show(self) -> None:
        """Show them."""
        show(f"\nkey {'.'.join(self._words)} of a component:\n")
        show_table(("component", *HEADS[1:]), self.rows)
        for name, error in self._lost.items():
            show(f"\n{name} cannot be loaded: {error}")

    def _find(self, entries: Sequence[Registration], words: Sequence[str], path: str = "", label: str = "") -> None:
        """Find the rows of a key among components, and the names of what stands beside it."""
        import attrs

        from outfitrec.core.config import config_class

        word, *rest = words
        for entry in entries:
            name = f"{label}{entry.kind}/{entry.qualified}"
            try:
                fields = attrs.fields_dict(config_class(entry))
            except PluginError as error:
                self._lost[name] = error.problems[0].message
                continue
            self._known.update(path + one for one in fields)
            if word not in fields:
                continue
            kind = info(fields[word]).kind
            after = rest[1:] if info(fields[word]).many else rest
            if not after or (kind and after == ["name"]):
                self.rows.append((name, *row(fields[word])[1:]))
            elif kind:
                inside = [self._registry.get(kind, one) for one in self._registry.names(kind)]
                key = ".".join(words[: len(words) - len(after)])
                self._find(inside, after, f"{path}{key}.", f"{name}, {word}: ")
