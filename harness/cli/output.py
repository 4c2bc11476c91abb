"""What commands print: tables for people, JSON for scripts, errors as sentences."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import typer

from harness.errors import BenchError


def fail(error: BenchError) -> int:
    """Print the error to stderr and return its exit code."""
    typer.echo(f"Error: {error.message}", err=True)
    if error.hint:
        typer.echo(error.hint, err=True)
    return error.exit_code


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A plain aligned table: readable in a pipe, in a log and on a terminal."""
    cells = [[str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    for row in [list(header), *cells]:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        typer.echo(line.rstrip())


class Progress:
    """Lines on stderr with elapsed time and an estimate; on a terminal the line is rewritten."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._done = 0
        self._start = time.monotonic()
        self._quiet = quiet
        self._tty = sys.stderr.isatty()
        self._last = 0.0

    def say(self, text: str) -> None:
        """A step worth a line of its own."""
        if not self._quiet:
            self._write(f"[{self._clock()}] {text}", end="\n")

    def advance(self, text: str) -> None:
        """One unit of ``total`` is done."""
        self._done += 1
        self.say(f"{self._done}/{self._total} {text}{self._estimate()}")

    def tick(self, text: str) -> None:
        """Something moved inside a unit: on a terminal, at most five times a second."""
        now = time.monotonic()
        if self._quiet or not self._tty or now - self._last < 0.2:
            return
        self._last = now
        self._write(f"[{self._clock()}] {text}", end="")

    def measure(self, what: str, done: int, total: int) -> None:
        """A tick for work that is counted in frames."""
        self.tick(f"{what}: frame {done} of {total}")

    def _estimate(self) -> str:
        left = self._total - self._done
        if left <= 0 or self._done == 0:
            return ""
        seconds = (time.monotonic() - self._start) / self._done * left
        return f" (about {seconds:.0f} s left)" if seconds >= 2 else ""

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._start)
        return f"{seconds // 60:02d}:{seconds % 60:02d}"

    def _write(self, text: str, *, end: str) -> None:
        clear = "\r\x1b[K" if self._tty else ""
        sys.stderr.write(f"{clear}{text}{end}")
        sys.stderr.flush()
