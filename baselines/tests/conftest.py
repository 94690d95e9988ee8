"""Shared by all tests of the baselines, which run apart from those of outfitrec: see the Makefile."""

from jaxtyping import install_import_hook

install_import_hook(("outfitrec", "outfitrec_baselines"), "typecheck.checked")

# The hook must stand before anything imports the packages; pytest finds fixtures by their names here.
from fixtures import _cache, _seed, closet, goldens, squeezenet  # noqa: E402, F401
