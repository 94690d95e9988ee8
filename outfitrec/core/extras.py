"""Packages that only a part of outfitrec needs: the extras of its installation."""

from importlib.util import find_spec

from outfitrec.core.errors import UserError


class MissingExtraError(UserError):
    """An extra is not installed."""


def need(extra: str, *packages: str) -> None:
    """Make sure that an extra is installed, before work begins that ends in an import of it.

    Args:
        extra: Its name.
        packages: What it brings, by the names that are imported.

    Raises:
        MissingExtraError: One of them is missing; all that are.
    """
    missing = [name for name in packages if not _installed(name)]
    if missing:
        raise MissingExtraError(f"not installed: {', '.join(missing)}", hint=f"pip install 'outfitrec[{extra}]'")


def _installed(package: str) -> bool:
    spec = find_spec(package)
    # Any folder of that name beside the program is found too, such as the one that Weights & Biases writes to.
    return spec is not None and spec.origin is not None
