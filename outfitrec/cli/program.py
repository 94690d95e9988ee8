"""The program around the commands: which there are, and how errors end it."""

import errno
import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from importlib import import_module
from typing import Any, NoReturn

import click

from outfitrec.core.errors import OutfitrecError, Problem, RunError, nearest

# In the order of the help; each is a module of this package.
COMMANDS = (
    "run",
    "tune",
    "bench",
    "evaluate",
    "ls",
    "explain",
    "validate",
    "check",
    "new-plugin",
    "inspect",
    "data",
    "neighbours",
    "plot",
    "plugins",
    "cp",
    "schema",
    "doctor",
)

# What the machine makes of a write, and no mistake of ours.
MACHINE = {
    errno.ENOSPC: "free some space; what was written before is whole, and a run goes on with --resume",
    errno.EDQUOT: "free some space; what was written before is whole, and a run goes on with --resume",
    errno.EROFS: "choose another folder",
    errno.EACCES: "choose another folder, or change its permissions",
}


class InterruptedByUserError(OutfitrecError):
    """The user stopped the program."""

    exit_code = 130


class Program(click.Group):
    """All commands, imported when they are used. A command returns the document that ``--json`` prints, or None."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"outfitrec.cli.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; the nearest is in the error."""
        word = args[0]
        if word not in COMMANDS and not word.startswith("-"):
            near = nearest(word, COMMANDS)
            choice = f"did you mean {near!r}?" if near else f"known: {', '.join(COMMANDS)}"
            raise click.UsageError(f"no such command {word!r}; {choice}", ctx)
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "outfitrec",
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command, and exit. No error of a user's ends in a traceback."""
        # torch warns, once it is imported, of what it need not have searched a graph for; no user can act on it.
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
        as_json = "--json" in (sys.argv[1:] if args is None else args)
        # Nothing but the document may reach standard output, whatever a plugin prints.
        with redirect_stdout(sys.stderr) if as_json else nullcontext():
            try:
                found = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            except click.Abort:
                found = _failed(InterruptedByUserError("interrupted"))
            except (click.ClickException, OutfitrecError) as error:
                found = _failed(error)
            except OSError as error:
                if error.errno not in MACHINE:
                    raise
                what = f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)
                found = _failed(RunError(what, hint=MACHINE[error.errno]))
        if as_json and isinstance(found, dict | list):
            _print(json.dumps(found, indent=2, allow_nan=False))
        if isinstance(found, dict) and "error" in found:
            sys.exit(found["error"]["exit_code"])
        sys.exit(found if isinstance(found, int) else 0)


def _failed(error: click.ClickException | OutfitrecError) -> dict[str, Any]:
    """Say on standard error what is wrong; the document of the error."""
    if isinstance(error, click.ClickException):
        error.show()
        problems: tuple[Problem, ...] = (Problem(error.format_message()),)
    else:
        problems = error.problems
        for problem in problems:
            click.echo(f"{click.style('error:', fg='red', bold=True)} {problem}", err=True)
    found = [{"message": one.message, "where": one.where, "hint": one.hint} for one in problems]
    return {"error": {"exit_code": error.exit_code, "problems": found}}


def _print(text: str) -> None:
    try:
        click.echo(text)
    except OSError as error:
        # Python flushes what is left once more at its end, which must not fail as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            click.echo(f"error: cannot write to standard output: {error.strerror}", err=True)
        sys.exit(1)
