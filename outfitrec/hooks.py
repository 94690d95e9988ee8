"""The hook that a plugin implements: everything that it can register.

A distribution names a module in the entry-point group ``outfitrec``; that module implements `outfitrec_register`::

    # pyproject.toml
    [project.entry-points.outfitrec]
    my_plugin = "my_plugin"

    # my_plugin/__init__.py  (imports nothing heavy)
    from outfitrec.hooks import Register, hookimpl

    @hookimpl
    def outfitrec_register(register: Register) -> None:
        register.component("loss", "hinge", "my_plugin.hinge:Hinge", "hinge ranking loss")
"""

from typing import Protocol, runtime_checkable

import pluggy

hookspec = pluggy.HookspecMarker("outfitrec")
hookimpl = pluggy.HookimplMarker("outfitrec")


@runtime_checkable
class Register(Protocol):
    """What a plugin registers with. Everything is named by string, so that registering imports nothing."""

    def component(self, kind: str, name: str, target: str, summary: str) -> None:
        """A component.

        Args:
            kind: One of the kinds that ``outfitrec ls`` prints.
            name: What recipes call it: lower-case words joined by ``_`` or ``-``.
            target: Its class, as ``module:Class``; ``:Class`` is one of the registering module.
            summary: One line that says what it is.
        """
        ...

    def recipe(self, name: str, resource: str, summary: str) -> None:
        """A recipe: ``resource`` is a YAML file of a package, as ``package:file.yaml``."""
        ...

    def suite(self, name: str, resource: str, summary: str) -> None:
        """A suite of recipes: ``resource`` is a YAML file of a package, as ``package:file.yaml``."""
        ...


@hookspec
def outfitrec_register(register: Register) -> None:
    """Register components, recipes and suites. An error undoes all that the plugin registered."""
