"""A new plugin: a distribution that works from the start, with one file to be changed."""

import keyword
import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib import import_module, metadata, resources
from importlib.util import find_spec
from pathlib import Path
from string import Template

import attrs

from outfitrec.core.errors import RunError, UserError, did_you_mean
from outfitrec.core.kinds import KINDS
from outfitrec.core.registry import BUILTIN, Registry

# As pip writes names of distributions (PEP 503).
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PREFIX = "outfitrec-"
# What the template's components are called.
MINE = "Mine"
# What recipes cannot name, as YAML reads it as no value.
NULL = "null"
# Kinds whose recipe stands in a table beside others; the rest alter no method.
COMPARED = frozenset(KINDS) - {"cold_start", "dataset", "metric", "logger"}
# What the test of the recipe leaves as it is, or sets besides, where it makes everything small.
ASIDE: Mapping[str, str] = {
    "encoder": ', keep=["model.encoder"]',
    "head": ', {"model.encoder.head": "$qualified"}',
    "dataset": ', keep=["dataset", "model.encoder"]',
}
# Where recipes name it.
WHERE: Mapping[str, str] = {
    "encoder": "model.encoder",
    "head": "model.encoder.head",
    "aggregator": "model.aggregator",
    "preference": "model.preference",
    "loss": "objectives.ranking.loss",
    "distiller": "objectives.ranking.distiller",
    "contrast": "objectives.contrastive.loss",
    "objective": "objectives",
    "augmenter": "objectives.contrastive.views",
    "cold_start": "evaluate.cold_start.strategies",
    "negatives": "negatives",
    "dataset": "dataset",
    "metric": "evaluate.metrics",
    "optimizer": "train.optimizer",
    "schedule": "train.schedule",
    "logger": "loggers",
}


@attrs.frozen
class Names:
    """What a new plugin's parts are called.

    Attributes:
        distribution: What pip calls it, such as ``outfitrec-hinge``.
        kind: Kind of its component.
    """

    distribution: str
    kind: str

    @property
    def package(self) -> str:
        """What Python imports: ``outfitrec_hinge``."""
        return self.distribution.replace("-", "_")

    @property
    def name(self) -> str:
        """What recipes call the component: ``hinge``."""
        return self.distribution.removeprefix(PREFIX).replace("-", "_")

    @property
    def cls(self) -> str:
        """Its class: ``Hinge``."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def qualified(self) -> str:
        """The name that is never ambiguous."""
        return f"{self.distribution}/{self.name}"

    @property
    def suite(self) -> str:
        """The suite that compares it."""
        return f"{self.name}-compared"

    @property
    def values(self) -> dict[str, str]:
        """What stands for the placeholders of the template."""
        from outfitrec.testing.contract import KIT

        kind = self.kind.replace("_", " ")
        others = "beside N-pair, FND and FND-CL: pip install 'outfitrec[bench]'"
        found = {
            "distribution": self.distribution,
            "package": self.package,
            "name": self.name,
            "cls": self.cls,
            "kind": self.kind,
            "qualified": self.qualified,
            "recipe": self.name,
            "suite": self.suite,
            "title": self.cls,
            "summary": f"the {kind} {self.name}",
            "article": "an" if kind[0] in "aeiou" else "a",
            "version": metadata.version(BUILTIN),
            "kit": str(KIT),
            "where": f", under `{WHERE[self.kind]}`",
            "compare": f"    outfitrec bench {self.suite}   # {others}\n" if self.kind in COMPARED else "",
        }
        return {**found, "overrides": Template(ASIDE.get(self.kind, "")).substitute(found)}


def check_names(distribution: str, kind: str, registry: Registry) -> Names:
    """The names of a new plugin.

    Raises:
        UserError: It cannot have such a name, or there is no such kind.
    """
    if kind not in KINDS:
        raise UserError(f"unknown kind {kind!r}", hint=did_you_mean(kind, KINDS))
    if not NAME.fullmatch(distribution):
        raise UserError(
            f"{distribution!r} is no name for a distribution", hint="lower-case words joined by '-': outfitrec-hinge"
        )
    names = Names(distribution, kind)
    for word in (names.package, names.name):
        if not word.isidentifier():
            raise UserError(f"{distribution!r}: Python cannot import {word!r}", hint="begin with a letter")
    for word in (names.package, names.name, names.cls):
        if keyword.iskeyword(word) or word == NULL:
            raise UserError(f"{distribution!r}: {word!r} has a meaning of its own", hint="choose another name")
    if names.cls != MINE and hasattr(import_module(f"outfitrec.template.components.{kind}"), names.cls):
        raise UserError(
            f"{distribution!r}: its class would be called {names.cls}, as one that {kind} components use",
            hint="choose another name",
        )
    if find_spec(names.package) is not None:
        raise UserError(
            f"{distribution!r}: Python has a module {names.package!r} already", hint=f"{PREFIX}NAME is mostly free"
        )
    for what, name in ((kind, names.name), ("recipe", names.name), ("suite", names.suite)):
        if name in registry.names(what) and registry.get(what, name).provider == BUILTIN:
            raise UserError(
                f"there is a built-in {what} {name!r}", hint="a plugin cannot take its name: choose another"
            )
    return names


def files_of(names: Names) -> dict[str, str]:
    """The text of each file of a new plugin, by its path."""
    values = names.values

    def filled(name: str) -> str:
        return Template(_text("files", f"{name}.txt")).substitute(values)

    component = re.sub(rf"\b{MINE}\b", names.cls, _text("components", f"{names.kind}.py"))
    recipe = filled("recipe.yaml") + Template(_text("recipes", f"{names.kind}.yaml")).substitute(values)
    found = {
        "pyproject.toml": filled("pyproject.toml"),
        "README.md": filled("README.md"),
        ".gitignore": filled("gitignore"),
        ".github/workflows/test.yml": filled("test.yml"),
        f"{names.package}/__init__.py": filled("init.py"),
        f"{names.package}/py.typed": "",
        f"{names.package}/{names.name}.py": re.sub(r"\bmine\b", names.name, component),
        f"{names.package}/{names.name}.yaml": recipe,
        "tests/conftest.py": filled("conftest.py"),
        "tests/test_contract.py": filled("test_contract.py"),
    }
    if names.kind in COMPARED:
        found[f"{names.package}/{names.suite}.yaml"] = filled("suite.yaml")
        told = (
            f'    register.suite("{names.suite}", "{names.package}:{names.suite}.yaml", "{names.cls} beside others")\n'
        )
        found[f"{names.package}/__init__.py"] += told
    return found


def write_plugin(names: Names, folder: Path) -> list[Path]:
    """Write a new plugin into a folder, which must not be there or be empty: all of it or nothing.

    Returns:
        The files, relative to the folder.

    Raises:
        UserError: There is something in the folder, or it is a file.
        RunError: It cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists already", hint="name a folder that is not there: nothing is overwritten")
    files = files_of(names)
    # One that is called "." has no parent otherwise.
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            made = Path(temporary) / "plugin"
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8")
            if folder.exists():
                for part in made.iterdir():
                    shutil.move(part, folder)
            else:
                shutil.move(made, folder)
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror or error}") from error
    return [Path(path) for path in files]


def _text(*path: str) -> str:
    return resources.files("outfitrec.template").joinpath(*path).read_text(encoding="utf-8")
