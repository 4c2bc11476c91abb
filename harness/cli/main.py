"""The ``bench`` command. Heavy modules are imported by the commands that need them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from harness import __version__
from harness.cli import data, results, run, tools
from harness.cli.output import fail
from harness.errors import BenchError

app = typer.Typer(
    name="bench",
    help="How well does a face-swap tool hide a person, and what is left of the expression?",
    epilog="Exit codes: 0 done, 1 some cells failed, 2 usage or configuration, 3 regression "
    "found, 4 this machine cannot do it, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(tools.app, name="tools")
app.add_typer(data.app, name="data")
tools.register(app)
run.register(app)
results.register(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"deid-bench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """See docs/architecture.md for the exit codes."""


def main() -> None:
    """Entry point: an error that a user can act on is a sentence and an exit code."""
    try:
        app()
    except BenchError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        typer.echo("Interrupted. Finished cells are kept; run the same command to go on.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)


if __name__ == "__main__":
    main()
