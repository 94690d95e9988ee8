"""A plugin file with a loss, and others beside it."""

from pathlib import Path

LOSS = '    register.component("loss", "soft", ":Soft", "a loss")\n'
FILE = (
    """
from outfitrec import component, field
from outfitrec.hooks import hookimpl

@component
class Soft:
    '''Softplus of the differences.'''

    scale: float = field(default=1.0, above=0, help="factor")

    def __call__(self, positive, negative, weight=None, mask=None):
        import torch
        kept = torch.ones_like(negative) if mask is None else mask.to(negative.dtype)
        margin = (negative if weight is None else weight * negative) - positive[:, None]
        loss = torch.nn.functional.softplus(self.scale * margin) * kept
        return (loss.sum(dim=1) / kept.sum(dim=1).clamp(min=1)).mean()

@hookimpl
def outfitrec_register(register):
"""
    + LOSS
)


def write(path: Path, code: str, *lines: str) -> None:
    """Write the file with further components, and the lines that register them.

    Args:
        path: Where.
        code: The classes.
        lines: Arguments of ``register.component``.
    """
    registered = "".join(f"    register.component({one})\n" for one in lines)
    path.write_text(FILE.replace("@hookimpl", f"{code.strip()}\n\n\n@hookimpl") + registered)
