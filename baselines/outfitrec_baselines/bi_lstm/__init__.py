"""Bi-LSTM (Han et al. 2017): an outfit is a sequence whose items are predicted from those before and after."""

from outfitrec_baselines.bi_lstm.original import from_original

__all__ = ["from_original"]
