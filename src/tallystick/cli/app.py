"""The command `tallystick`: its subcommands, and what becomes of errors.

Every error a user can cause is one line on standard error and a non-zero exit code; a traceback is only
shown when TALLYSTICK_DEBUG is set.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from tallystick import __version__
from tallystick.cli import (
    alerts,
    analyze,
    catalogue,
    close,
    consume,
    credits,
    currencies,
    dead_letters,
    demo,
    events,
    explain,
    import_files,
    inbound,
    init,
    invoices,
    keys,
    limits,
    notifications,
    report,
    serve,
    stripe,
    subscriptions,
    tail,
    validate_period,
)
from tallystick.core.errors import TallystickError

COMMANDS = (
    demo,
    serve,
    init,
    analyze,
    catalogue,
    subscriptions,
    import_files,
    tail,
    consume,
    inbound,
    report,
    close,
    explain,
    invoices,
    events,
    validate_period,
    dead_letters,
    credits,
    currencies,
    alerts,
    limits,
    notifications,
    stripe,
    keys,
)
"""The modules of the subcommands, in the order of --help. Each adds its own with `register(app)`."""

USAGE = 2
UNEXPECTED = 70
INTERRUPTED = 130

app = typer.Typer(
    name="tallystick",
    help="Usage metering and usage-based billing whose bill both sides can check, down to the event.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tallystick {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What comes before the subcommand."""


for command in COMMANDS:
    command.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and say with which code to exit: 0 when all went well.

    Args:
        arguments: what follows the program's name; None takes the process's own.
    """
    try:
        code = app(arguments, prog_name="tallystick", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        return _reader_left()
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        return _fail("stopped", 1)
    except TallystickError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        return _misused(error)
    except OSError as error:
        return _fail(_os_problem(error), 1)
    except Exception as error:  # noqa: BLE001 - the last resort: a line, and the traceback on demand
        hint = "set TALLYSTICK_DEBUG=1 for the traceback"
        return _fail(f"unexpected {type(error).__name__}: {_one_line(error)} ({hint})", UNEXPECTED)


def _fail(message: str, code: int) -> int:
    if os.environ.get("TALLYSTICK_DEBUG"):
        traceback.print_exc()
    typer.echo(f"error: {message}", err=True)
    return code


def _misused(error: typer.TyperException) -> int:
    message = " ".join(error.format_message().replace("Value error, ", "").split())
    if not message:  # a group without its subcommand: its help has been shown
        return USAGE
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tallystick"
    return _fail(f"{message[:1].lower()}{message[1:].rstrip('.')}; see {command} --help", error.exit_code)


def _reader_left() -> int:
    """The program that read our output has ended: so do we, and the interpreter's last flush stays quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _os_problem(error: OSError) -> str:
    reason = error.strerror or _one_line(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
