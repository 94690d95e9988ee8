"""A hinge ranking loss for outfitrec. Imports nothing heavy: every command of outfitrec imports this module."""

from outfitrec.hooks import Register, hookimpl


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the loss and its recipe."""
    register.component("loss", "hinge", "outfitrec_hinge.hinge:Hinge", "hinge ranking loss")
    register.recipe("hinge", "outfitrec_hinge:hinge.yaml", "the paper's student with the hinge loss")
    register.suite(
        "hinge-against-fnd-cl", "outfitrec_hinge:hinge-against-fnd-cl.yaml", "embedded dataset: hinge beside fnd-cl"
    )
