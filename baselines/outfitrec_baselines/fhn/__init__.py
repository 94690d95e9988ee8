"""Fashion Hash Net (Lu et al. 2019)."""

from outfitrec_baselines.fhn.original import from_original

__all__ = ["from_original"]
