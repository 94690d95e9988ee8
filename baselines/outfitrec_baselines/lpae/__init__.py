"""LPAE: learnable personalised anchor embeddings."""

from outfitrec_baselines.lpae.original import from_original

__all__ = ["from_original"]
