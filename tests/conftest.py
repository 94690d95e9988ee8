"""Shared by all tests. Shapes and types of the package's functions are checked in every call that the tests make."""

import os

from jaxtyping import install_import_hook

install_import_hook("outfitrec", "typecheck.checked")
# outfitrec is tested without its baselines, which have tests of their own.
os.environ["OUTFITREC_BLOCK"] = "outfitrec-baselines"

# The hook must stand before anything imports the package; pytest finds fixtures by their names here.
from fixtures import _cache, _seed, closet, squeezenet  # noqa: E402, F401
