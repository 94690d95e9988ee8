"""``python -m outfitrec``: the command line."""

from outfitrec.cli import main

main()
