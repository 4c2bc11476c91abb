"""``bench logs``: what a cell's tool wrote, and where it is."""

from __future__ import annotations

import codecs
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import OneCell
from harness.cli.output import note, say, width
from harness.cli.stored import find_cell, is_running, open_store
from harness.core.errors import UsageError
from harness.core.text import printable

if TYPE_CHECKING:
    from harness.model.cell import CellSpec
    from harness.store.cells import CellStore
    from harness.tools.runtime.progress import StepProgress

POLL_S = 0.2
PIPE_EVERY_S = 30.0
STALE_S = 60.0


def logs(
    cell: OneCell,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="This attempt's number; the last one by default.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the running attempt ends.")
    ] = False,
) -> None:
    """Print the log of a cell's attempt, step by step, and how far each step came.

    Examples: bench logs blur-1-default-actor03
              bench logs blur-1-default-actor03 --attempt 1
              bench logs blur-1-default-actor03 --follow
    """
    if follow and attempt is not None:
        raise UsageError(
            "--follow shows the attempt that is running; --attempt names a past one.",
            hint="Use one of them.",
        )
    store = open_store()
    spec = find_cell(store, cell)
    folder = _attempt_folder(store, spec, attempt, wait=follow)
    tail = _Tail(folder)
    try:
        while follow and not _has_ended(store, spec, folder):
            tail.print_new()
            time.sleep(POLL_S)
        tail.print_new(last=True)
    finally:
        tail.leave()
    if tail.empty:
        note(f"{folder.name} of {spec.slug} wrote nothing.")


def _attempt_folder(store: CellStore, spec: CellSpec, number: int | None, *, wait: bool) -> Path:
    """The folder of the attempt, of the newest when no number is given. Raises UsageError."""
    found = _attempts(store, spec)
    while wait and not found and is_running(store, spec):
        time.sleep(POLL_S)
        found = _attempts(store, spec)
    if not found:
        raise UsageError(
            f"The cell {spec.slug} has no log: no attempt was made.",
            hint="Run it: bench run makes the first attempt, bench retry the next ones.",
        )
    if number is None:
        return found[max(found)]
    if number not in found:
        raise UsageError(
            f"The cell {spec.slug} has no attempt {number}; it has "
            f"{', '.join(map(str, sorted(found)))}."
        )
    return found[number]


def _attempts(store: CellStore, spec: CellSpec) -> dict[int, Path]:
    folders = (store.folder(spec) / "attempts").glob("*")
    numbered = ((path.name.partition("-")[0], path) for path in folders if path.is_dir())
    return {int(number): path for number, path in numbered if number.isdecimal()}


def _has_ended(store: CellStore, spec: CellSpec, folder: Path) -> bool:
    from harness.store.cells import ATTEMPT_FILE

    return (folder / ATTEMPT_FILE).is_file() or not is_running(store, spec)


class _Screen:
    """Standard output with, on a terminal, a last line that is rewritten."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._at_line_start = True
        self._status = ""

    def write(self, text: str) -> None:
        """Text as it comes; the rewritten line gives way."""
        if text:
            self._clear()
            say(text, nl=False)
            self._at_line_start = text.endswith("\n")

    def say(self, line: str) -> None:
        """A line of its own."""
        self.write(("" if self._at_line_start else "\n") + line + "\n")

    def rewrite(self, line: str) -> None:
        """Show ``line`` below all text, until something else is written; on a terminal only."""
        line = line[: width() - 1]
        if self.is_terminal and self._at_line_start and line != self._status:
            typer.echo(f"\r\x1b[K{printable(line)}", nl=False)
            self._status = line

    def leave(self) -> None:
        """Keep the rewritten line: the cursor goes below it."""
        if self._status:
            say()
        self._status = ""

    def _clear(self) -> None:
        if self._status:
            typer.echo("\r\x1b[K", nl=False)
        self._status = ""


class _Step:
    """The part of one step's log that is still to be printed."""

    def __init__(self, folder: Path) -> None:
        from harness.tools.runtime.base import LOG_NAME
        from harness.tools.runtime.log_reader import LogReader

        self.folder = folder
        self.name = folder.name.partition("-")[2] or folder.name
        self._reader = LogReader(folder / LOG_NAME)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._note: str | None = None
        self._said = ""
        self._said_at = float("-inf")

    def print_new(self, screen: _Screen, heading: str) -> bool:
        """Print the log's new text, below ``heading`` where there is any; whether there was."""
        found = False
        for data in self._reader.read():
            if heading and not found:
                screen.say(heading)
            found = True
            screen.write(self._decoder.decode(data))
        return found

    def print_progress(self, screen: _Screen, *, ended: bool) -> bool:
        """Say how far it is: at the end, else on a terminal now and in a pipe now and then."""
        from harness.tools.runtime.progress import read_progress

        progress = read_progress(self.folder)
        if progress is None:
            return False
        if progress.note and progress.note != self._note:
            screen.say(f"{self.name}: {_printable(progress.note)}")
        self._note = progress.note
        line = progress_line(self.name, progress, None if ended else time.time())
        now = time.monotonic()
        due = ended or (not screen.is_terminal and now - self._said_at >= PIPE_EVERY_S)
        if due and line and line != self._said:
            screen.say(line)
            self._said, self._said_at = line, now
        elif not ended:
            screen.rewrite(line)
        return True

    def close(self) -> None:
        self._reader.close()


class _Tail:
    """Prints the logs of an attempt's steps, each part once; a heading tells steps apart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._screen = _Screen()
        self._steps: dict[Path, _Step] = {}
        self._ended: set[Path] = set()
        self._shown: Path | None = None
        self.empty = True

    def print_new(self, *, last: bool = False) -> None:
        """Print what is new; a step has ended when another has begun, and all have at the last."""
        from harness.tools.runtime.base import LOG_NAME

        logs = self._folder.glob(f"*/{LOG_NAME}")
        # An embedded driver could have put a pipe there, which would be waited for.
        plain = (path.parent for path in logs if path.is_file())
        folders = sorted(plain, key=lambda p: _step_number(p.name))
        for folder in folders:
            if folder not in self._ended:
                ended = last or folder != folders[-1]
                self._print_step(folder, several=len(folders) > 1, ended=ended)

    def leave(self) -> None:
        """Nothing more is printed."""
        self._screen.leave()
        for step in self._steps.values():
            step.close()

    def _print_step(self, folder: Path, *, several: bool, ended: bool) -> None:
        step = self._steps.get(folder) or _Step(folder)
        self._steps[folder] = step
        heading = f"== {folder.name} ==" if several and folder != self._shown else ""
        if step.print_new(self._screen, heading):
            self._shown = folder
            self.empty = False
        if step.print_progress(self._screen, ended=ended):
            self.empty = False
        if ended:
            step.close()
            self._ended.add(folder)


def progress_line(step: str, progress: StepProgress, now: float | None) -> str:
    """``train 12,400/100,000 iterations  loss a 0.031 b 0.028  5.2 it/s  about 4 h 40 min left``.

    Empty when neither counts nor losses are known. ``now`` (seconds since 1970) is None for a step
    that has ended, for which neither a rate nor an estimate is shown.
    """
    parts = []
    if progress.done is not None:
        total = f"/{progress.total:,.0f}" if progress.total else ""
        parts.append(f"{progress.done:,.0f}{total} {progress.unit or ''}".rstrip())
    if progress.losses:
        losses = (
            f"{name} {'not finite' if value is None else f'{value:z.3g}'}"
            for name, value in sorted(progress.losses.items())
        )
        parts.append("loss " + " ".join(losses))
    if not parts:
        return ""
    if now is not None:
        parts += _pace(progress, now)
    return _printable(f"{step} " + "  ".join(parts))


def _pace(progress: StepProgress, now: float) -> list[str]:
    from harness.execution.progress import spell_time

    parts = []
    rate = progress.rate_per_s
    if rate and progress.done is not None:
        unit = "it" if progress.unit == "iterations" else progress.unit or "units"
        parts.append(f"{rate:,.0f} {unit}/s" if rate >= 10 else f"{rate:.2g} {unit}/s")
        if progress.total and progress.total > progress.done:
            parts.append(f"about {spell_time((progress.total - progress.done) / rate)} left")
    if now - progress.time >= STALE_S:
        parts.append(f"nothing new for {spell_time(now - progress.time)}")
    return parts


def _printable(text: str) -> str:
    """On one line, and without what would steer a terminal."""
    return "".join(one if one.isprintable() else " " for one in text)


def _step_number(name: str) -> int:
    number = name.split("-")[0]
    return int(number) if number.isdecimal() else 0


def register(root: typer.Typer) -> None:
    root.command()(logs)
