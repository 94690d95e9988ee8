"""An augmenter for outfitrec: outfits exchange items of a category. Imports nothing heavy, as every plugin's module."""

from outfitrec.hooks import Register, hookimpl


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the augmenter, its recipe and its suite."""
    register.component("augmenter", "swap", "outfitrec_swap.swap:Swap", "outfits exchange items of a category")
    register.recipe("swap", "outfitrec_swap:swap.yaml", "fnd-cl whose second view has the shoes of another outfit")
    register.suite(
        "swap-against-fnd-cl", "outfitrec_swap:swap-against-fnd-cl.yaml", "embedded dataset: swap beside erase"
    )
