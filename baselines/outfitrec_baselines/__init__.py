"""Baselines of personalized outfit recommendation, as plugins of outfitrec. Imports nothing heavy."""

from outfitrec.hooks import Register, hookimpl


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the baselines: none yet."""
