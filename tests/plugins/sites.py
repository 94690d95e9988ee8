"""Plugins made on the spot: files of a distribution in a folder on the path, found as an installed one is."""

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from textwrap import dedent, indent

from outfitrec.core.loading import Plugin, Plugins, Policy
from outfitrec.core.registry import canonical

COMPONENT = """
from outfitrec import component, field

@component
class Mine:
    '''Mine.'''
    size: int = field(default=1, help="size")
"""


def hook(*lines: str, before: str = "") -> str:
    """A module whose hook has these lines."""
    body = indent("\n".join(lines), "    ")
    return f"from outfitrec.hooks import hookimpl\n{before}\n@hookimpl\ndef outfitrec_register(register):\n{body}\n"


def loss(name: str, target: str = "elsewhere:Thing") -> str:
    return f'register.component("loss", "{name}", "{target}", "a loss")'


GOOD = loss("good")


class Site:
    """A folder on the path that distributions are put into."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(
        self, name: str, modules: str | Mapping[str, str], version: str = "1.0", points: Sequence[str] | None = None
    ) -> str:
        """Put a distribution there; its module (or the first of them) is called as it is, with underscores."""
        module = canonical(name).replace("-", "_")
        sources = {module: modules} if isinstance(modules, str) else modules
        for file, source in sources.items():
            (self.path / f"{file}.py").write_text(dedent(source))
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        lines = [f"{key} = {key}" for key in sources] if points is None else points
        self.describe(f"{module}-{version}", metadata, "[outfitrec]\n" + "\n".join(lines))
        return module

    def describe(self, folder: str, metadata: str, entry_points: str) -> None:
        """Write a distribution's metadata."""
        info = self.path / f"{folder}.dist-info"
        info.mkdir()
        if metadata:
            (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(entry_points)

    def plugins(self, policy: Policy | None = None) -> Plugins:
        return Plugins(policy or Policy(), distributions(path=[str(self.path)]))


def forget(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def state_of(plugins: Plugins, name: str) -> Plugin:
    """The one row of a plugin."""
    (found,) = [plugin for plugin in plugins.states if plugin.name == name]
    return found


def registered(plugins: Plugins, provider: str) -> list[str]:
    return [f"{entry.kind}/{entry.name}" for entry in plugins.registry if entry.provider == provider]
