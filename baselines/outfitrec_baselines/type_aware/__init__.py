"""Type-Aware embeddings (Vasileva et al. 2018)."""

from outfitrec_baselines.type_aware.original import from_original

__all__ = ["from_original"]
