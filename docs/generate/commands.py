"""A page of the commands."""

from collections.abc import Iterator

import click

from generate.markdown import block, code, escaped, table
from outfitrec.cli import main
from outfitrec.cli.program import COMMANDS

PAGE = "reference/commands.md"


def pages() -> Iterator[tuple[str, str]]:
    """The page, by its path."""
    yield PAGE, "\n\n".join(("# Commands", *_program(), *(text for name in commands() for text in _command(name))))


def commands() -> dict[str, click.Command]:
    """Every command, those of groups by both words."""
    context = click.Context(main, info_name="outfitrec")
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = main.get_command(context, name)
        if isinstance(command, click.Group):
            found |= {f"{name} {word}": one for word, one in command.commands.items()}
        elif command is not None:
            found[name] = command
    return found


def anchor(name: str) -> str:
    """Where a command stands on the page."""
    return name.replace(" ", "-")


def _program() -> Iterator[str]:
    yield block("outfitrec [OPTIONS] COMMAND [ARGS]…", "text")
    yield from _said(main)
    rows = [(f"[`{name}`](#{anchor(name)})", one.get_short_help_str(200)) for name, one in commands().items()]
    yield table(("command", "what it does"), rows)


def _command(name: str) -> Iterator[str]:
    command = commands()[name]
    context = click.Context(command, info_name=f"outfitrec {name}")
    yield f"## outfitrec {name} {{#{anchor(name)}}}"
    yield block(" ".join([context.command_path, *command.collect_usage_pieces(context)]), "text")
    yield from _said(command)


def _said(command: click.Command) -> Iterator[str]:
    yield escaped("\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n")))
    rows = []
    for one in command.params:
        context = click.Context(command)
        record = one.get_help_record(context) if isinstance(one, click.Option) else None
        if record:
            rows.append((code(record[0]), record[1]))
    if rows:
        yield table(("option", "what it does"), rows)
