"""The `propense` command: its subcommands, exit statuses and error messages.

A command imports what it needs when it runs, so that `--help` answers without loading torch or pandas.
"""

import os
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from model.errors import PropenseError
from training.cli import erase, explain, init, models, outcomes, score, serve, simulate, train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (init, train, score, explain, outcomes, erase, models, serve, simulate):
    app.add_typer(commands.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"propense {version('propense')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Calibrated probabilities of what each customer does next. Start with a study file: see configs/."""


def main() -> NoReturn:
    """Run a command and exit at once: native threads can abort a process that shuts down in the usual way."""
    status = 0
    try:
        command()
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def command() -> None:
    """Run a command. Exit 0 done, 1 refused or failed, 2 wrong usage, 3 published but not in service."""
    as_json = "--json" in sys.argv
    try:
        status = app(prog_name="propense", standalone_mode=False)
    except typer.TyperException as error:
        _exit(error.format_message() or "name a command", 2, as_json)
    except (PropenseError, OSError) as error:
        _exit(str(error), 1, as_json)
    if status == train.NOT_IN_SERVICE:
        sys.exit(status)
    if status:
        _exit("stopped", 1, as_json)


def _exit(message: str, status: int, as_json: bool) -> NoReturn:
    from training.cli import console

    console.print_error(message)
    if as_json:
        console.print_json({"error": message})
    sys.exit(status)
