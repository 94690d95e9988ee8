"""A YAML value of which every part knows where it was written."""

import os
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

Path: TypeAlias = tuple[str | int, ...]


@attrs.frozen(order=True)
class Place:
    """Where something was written.

    Attributes:
        name: A file, or what else it comes from; empty where that is nothing to speak of.
        line: Line, from 1; 0 where there are no lines.
        column: Column, from 1.
    """

    name: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.line}:{self.column}" if self.line else self.name


@attrs.frozen(eq=False)
class Document:
    """A value with its places. It never changes: what changes it gives a new one.

    Attributes:
        data: A mapping or list of Documents, or a scalar.
        place: Where the value was written.
        key: Where its key was written; None where it has none.
    """

    data: Any
    place: Place = Place()
    key: Place | None = None

    @classmethod
    def of(cls, value: Any, place: Place) -> "Document":
        """Plain data as a Document, all of it at one place. Tuples count as lists, paths as text."""
        if isinstance(value, Mapping):
            return cls({key: cls.of(one, place) for key, one in value.items()}, place, place)
        if isinstance(value, list | tuple):
            return cls([cls.of(one, place) for one in value], place, place)
        return cls(os.fspath(value) if isinstance(value, os.PathLike) else value, place, place)

    @property
    def value(self) -> Any:
        """The plain data."""
        if isinstance(self.data, dict):
            return {key: one.value for key, one in self.data.items()}
        if isinstance(self.data, list):
            return [one.value for one in self.data]
        return self.data

    @property
    def mapping(self) -> dict[str, "Document"]:
        """The entries of a mapping; none of anything else."""
        return self.data if isinstance(self.data, dict) else {}

    def find(self, path: Path) -> "Document":
        """The part behind these keys, or the nearest part around it that is there."""
        found = self
        for key in path:
            inner = found.data
            entry = isinstance(inner, dict) and key in inner
            element = isinstance(inner, list) and isinstance(key, int) and key < len(inner)
            if not (entry or element):
                break
            found = inner[key]
        return found

    def where(self, path: Path = (), key: bool = False) -> str:
        """Where the part behind these keys was written, as ``file:line:column``; with ``key``, where its key was."""
        return str(self.at(path, key))

    def at(self, path: Path = (), key: bool = False) -> Place:
        """The `Place` of `where`."""
        found = self.find(path)
        return found.key if key and found.key else found.place

    def put(self, key: str, part: "Document | None") -> "Document":
        """This mapping with one entry replaced, added or (None) left out."""
        rest = {name: one for name, one in self.mapping.items() if part is not None or name != key}
        return attrs.evolve(self, data=rest if part is None else {**rest, key: part})

    def over(self, base: "Document", *, named: bool = True) -> "Document":
        """This laid over a base: mappings merge deeply, everything else replaces.

        Args:
            base: What lies below.
            named: Whether a mapping with another ``name`` than the base's, and so another component, replaces it.
        """
        if not (isinstance(self.data, dict) and isinstance(base.data, dict)):
            return self
        names = [one.mapping["name"].value for one in (self, base) if "name" in one.mapping]
        if named and len(names) == 2 and names[0] != names[1]:
            return self
        data = {**base.data}
        for key, part in self.data.items():
            data[key] = part.over(data[key]) if key in data else part
        return attrs.evolve(self, data=data)

    def dotted(self, path: Path) -> str:
        """Keys as an override writes them: an entry of a list by its label or name, or by position."""
        words = [str(key) for key in path]
        for length, key in enumerate(path):
            around = self.find(path[:length]).data
            if isinstance(key, int) and isinstance(around, list) and key < len(around):
                named = entry_words(around)
                if around[key].mapping and named.count(named[key]) == 1 and "." not in named[key]:
                    words[length] = named[key] or str(key)
        return ".".join(words)


def entry_words(entries: list[Document]) -> list[str]:
    """What each entry of a list of components is addressed by: its label, else its name; empty where it has neither."""
    words = []
    for entry in entries:
        named = next((entry.mapping[key] for key in ("label", "name") if key in entry.mapping), entry)
        words.append(named.data if isinstance(named.data, str) else "")
    return words
