"""The ``bench`` command. Heavy modules are imported by the commands that need them."""

from __future__ import annotations

import errno
import inspect
import os
import re
import shlex
import sys
import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from harness import __version__
from harness.cli import (
    ask,
    compare,
    data,
    images,
    logs,
    nightly,
    observe,
    publish,
    run,
    scores,
    selftest,
    status,
    thesis,
    tidy,
    tools,
)
from harness.cli.output import fail, say, warn
from harness.core.errors import (
    BenchError,
    BenchWarning,
    StoreError,
    UnfitMachineError,
    UsageError,
)
from harness.core.interpreters import lacks_memory, out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

INTERRUPTED = 130
BROKEN_PIPE = 141
FAULT = 70

_REFUSALS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENOTEMPTY,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EIO,
}


class _Root(TyperGroup):
    """Ends every command alike: an error that a user can act on is a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        if ctx.obj is not None:
            ctx.obj()
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise typer.Exit(_say_interrupted()) from error
        except BrokenPipeError as error:
            _forget_stdout()
            raise typer.Exit(BROKEN_PIPE) from error
        except Exception as error:
            if (explained := _explained(error)) is None:
                raise
            raise typer.Exit(fail(explained)) from error


def _explained(error: Exception) -> BenchError | None:
    """The error that a user can act on; None for a fault of deid-bench."""
    if isinstance(error, BenchError):
        return error
    if lacks_memory(error):
        return out_of_memory("This command got no more memory")
    if isinstance(error, UnicodeEncodeError):
        return _unspellable(error)
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        return _refusal(error)
    return None


def _forget_stdout() -> None:
    """Let what is still to be written go nowhere: Python would complain of it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _say_interrupted() -> int:
    command = shlex.join(["bench", *sys.argv[1:]])
    say(f"\nInterrupted. What is finished is kept; to go on: {command}", err=True)
    return INTERRUPTED


def _refusal(error: OSError) -> StoreError:
    where = f" at {error.filename}" if error.filename else ""
    return StoreError(
        f"The file system refused{where}: {error.strerror or error}.",
        hint="Check the rights and the free space there, or set BENCH_HOME to another folder; "
        "finished cells are kept.",
    )


def _unspellable(error: UnicodeEncodeError) -> BenchError | None:
    """The error for a file's name that this locale cannot spell, or that is no UTF-8; None when
    something else could not be encoded.
    """
    spelled = sys.getfilesystemencoding()
    # What was to be encoded may be a whole file that holds the name.
    before, after = error.object[: error.start], error.object[error.start :]
    whole = re.split(r'[\n"]', before)[-1][-100:] + re.split(r'[\n"]', after)[0][:100]
    name = whole.encode("ascii", "backslashreplace").decode()
    if spelled != "utf-8" and error.encoding.lower() in {spelled, "ascii", "utf-8"}:
        return UnfitMachineError(
            f"This shell's locale spells the names of files in {spelled}, which cannot spell "
            f"'{name}'.",
            hint="Set LC_ALL=C.UTF-8 (and unset PYTHONUTF8), then run the same command again.",
        )
    if any("\udc80" <= character <= "\udcff" for character in error.object):
        return UsageError(
            f"The name '{name}' holds bytes that are not UTF-8, so it cannot be stored.",
            hint="Rename that file; `convmv -f latin1 -t utf-8` renames many.",
        )
    return None


app = typer.Typer(
    name="bench",
    cls=_Root,
    help="How well does a face-swap tool hide a person, and what is left of the expression?",
    epilog="Exit codes: 0 done, 1 some cells failed, 2 usage or configuration, 3 regression "
    "found, 4 this machine cannot do it, 70 a fault in deid-bench itself, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(tools.app, name="tools")
app.add_typer(data.app, name="data")
app.add_typer(observe.app, name="observe")
app.add_typer(images.app, name="images")
app.add_typer(thesis.app, name="thesis")
for group in (
    tools,
    selftest,
    run,
    status,
    logs,
    tidy,
    scores,
    compare,
    nightly,
    publish,
    ask,
):
    group.register(app)


def _lay_out_examples(group: typer.Typer) -> None:
    """Give each example of the commands' docstrings a line of its own, which is never rewrapped."""
    for command in group.registered_commands:
        help_text = inspect.getdoc(command.callback) or ""
        text, *found = re.split(r"\s(Examples?:)\s+(?=bench )", help_text, maxsplit=1)
        if not found:
            continue
        mark, examples = found
        lines = [part.strip() for line in examples.splitlines() for part in line.split(" | ")]
        shown = "\n".join(f"  {line}" for line in lines if line)
        command.help = f"{text}\n\n\b\n{mark}\n{shown}"
    for info in group.registered_groups:
        if info.typer_instance is not None:
            _lay_out_examples(info.typer_instance)


_lay_out_examples(app)


def _version(asked: bool) -> None:
    if asked:
        say(f"deid-bench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """See docs/cli.md for the commands, their exit codes and the environment variables; `bench
    doctor` says where docs/ is.
    """


def main(begin: Callable[[], None] | None = None) -> None:
    """Run the command, after a call of ``begin`` once it is about to do its own work.

    A fault of deid-bench itself leaves a report in a file, not on the screen.
    """
    warnings.showwarning = _show_warning
    try:
        app(obj=begin)
    except KeyboardInterrupt:
        sys.exit(_say_interrupted())
    except Exception as error:  # noqa: BLE001 - the outermost edge: nothing else would report it
        explained = _explained(error)
        sys.exit(_report_fault(error) if explained is None else fail(explained))


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Our own warnings as sentences; those of libraries only when Python was asked for them."""
    if issubclass(category, BenchWarning):
        warn(str(message))
    elif sys.warnoptions:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


def _report_fault(error: Exception) -> int:
    """Write what happened to a file and say where it is. Returns the exit code."""
    import platform
    import tempfile
    import traceback

    command = shlex.join(["bench", *sys.argv[1:]])
    versions = f"deid-bench {__version__}, Python {platform.python_version()}"
    trace = "".join(traceback.format_exception(error))
    text = f"{command}\n{versions}, {platform.platform()}\n\n{trace}"
    say(f"Error: deid-bench has a fault: {type(error).__name__}: {error}", err=True)
    try:
        handle, name = tempfile.mkstemp(prefix="bench-fault-", suffix=".log")
        # Arguments of a shell whose locale is not UTF-8 hold halves of characters.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        say(text, err=True)
        name = "above"
    hint = f"The report to send to the developers is {name}. Finished cells are kept."
    say(f"Hint: {hint}", err=True)
    return FAULT


if __name__ == "__main__":
    # In place of the console script: that one sees to the time before this module is imported.
    main()
