"""SCE-Net: similarity conditions without explicit supervision (Tan et al. 2019)."""

from outfitrec_baselines.sce_net.original import from_original

__all__ = ["from_original"]
