"""What commands print for people."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

# Piped output goes to programs and pagers: nothing is wrapped or cut there.
WIDE = 10_000


def console() -> "Console":
    """Standard output."""
    from rich.console import Console

    made = Console(markup=False, highlight=False, emoji=False)
    return made if made.is_terminal else Console(markup=False, highlight=False, emoji=False, width=WIDE)


def show_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """Print a table; the columns of ``numbers`` are flush right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in head:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    made = console()
    with made.capture() as drawn:
        made.print(table)
    # Without the blanks that fill the last column.
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def show(text: str = "", style: str | None = None) -> None:
    """Print a line or paragraph."""
    console().print(text, style=style)


def size(count: float) -> str:
    """A number of bytes for people, in powers of 1,024."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
