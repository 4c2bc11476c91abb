"""Output of commands: tables for people, JSON for scripts, errors as sentences."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import typer

from harness.core.errors import BenchError
from harness.core.text import printable
from harness.execution.progress import spell_time

_LEAST_TEXT = 24
"""A wrapped column is never narrower than this, whatever the terminal."""
_REACHED_S = 2.0
_BREAKS = re.compile(r"\s+|(?<=\w[a-zA-Z]-)(?=\w[a-zA-Z])")
"""Places where a column that is to fit may break: as textwrap does, with hyphens."""


def fail(error: BenchError) -> int:
    """Print the error to stderr and return its exit code."""
    say(f"Error: {error.message}", err=True)
    if error.hint:
        say(f"Hint: {error.hint}", err=True)
    return error.exit_code


def say(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a line. Names and sentences come from manifests and tools, so control characters are
    spelled out: no terminal obeys them."""
    typer.echo(printable(str(text)), err=err, nl=nl)


def warn(text: str) -> None:
    """Something worth knowing that stops nothing, on stderr."""
    say(f"Warning: {text}", err=True)


def warn_wrapped(text: str) -> None:
    """``warn``, in lines that fit the width."""
    say(_filled(f"Warning: {text}", "", "  "), err=True)


def note(text: str) -> None:
    """Print what a command decided by itself, or the next command, on stderr: pipes stay pure."""
    say(text, err=True)


def note_wrapped(text: str, *, after: str = "") -> None:
    """A note that fits the width; ``after`` goes before all lines but the first."""
    say(_filled(text, "", after), err=True)


def print_json(value: Any) -> None:
    """Indented JSON; NaN and infinity, which JSON cannot spell, become null."""
    say(json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def width() -> int:
    """Columns to write for: the terminal's (or $COLUMNS), 80 in a pipe."""
    return shutil.get_terminal_size((80, 24)).columns


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    wrap: bool = False,
    fit: bool = False,
) -> None:
    """A plain aligned table: readable in a pipe, in a log and on a terminal.

    With ``wrap`` the last column is text that goes on below itself where the line ends; with
    ``fit`` any column does, between words and after hyphens, as far as the width asks for it.
    """
    cells = [[_spell(value) for value in row] for row in rows]
    columns = list(zip(header, *cells, strict=True))
    widths = [max(1, *map(len, column)) for column in columns]
    if wrap:
        before = sum(widths[:-1]) + 2 * (len(widths) - 1)
        widths[-1] = max(width() - before, _LEAST_TEXT)
    if fit:
        widths = _fitted(widths, [max(map(_longest_word, column)) for column in columns])
    for row in [list(header), *cells]:
        texts = [
            textwrap.wrap(text, size, break_on_hyphens=fit) or [""]
            for text, size in zip(row, widths, strict=True)
        ]
        for line in zip_longest(*texts, fillvalue=""):
            parts = (text.ljust(size + 2) for text, size in zip(line, widths, strict=True))
            say("".join(parts).rstrip())


def _fitted(widths: Sequence[int], least: Sequence[int]) -> list[int]:
    """The widths with the widest columns narrowed until a line fits, or no word does."""
    found = list(widths)
    while sum(found) + 2 * (len(found) - 1) > width():
        loose = [place for place, size in enumerate(found) if size > least[place]]
        if not loose:
            break
        found[max(loose, key=lambda place: found[place])] -= 1
    return found


def _longest_word(text: str) -> int:
    return max(map(len, _BREAKS.split(text)))


def _spell(value: object) -> str:
    if value is None:
        return "-"
    text = f"{value:z.6g}" if isinstance(value, float) else str(value)
    return " ".join(text.split())


def print_wrapped(text: str, *, indent: str = "", after: str | None = None) -> None:
    """A paragraph that fits the width; ``indent`` goes before its lines, ``after`` (where it is
    given) before all but the first."""
    say(_filled(text, indent, indent if after is None else after))


def _filled(text: str, indent: str, after: str) -> str:
    return textwrap.fill(
        text,
        max(width(), _LEAST_TEXT + len(indent)),
        initial_indent=indent,
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
    )


def size_text(size_bytes: int) -> str:
    """Bytes for people, in decimal units: ``12.3 MB``."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size, unit = size_bytes / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}"


class Progress:
    """Lines on stderr with elapsed time and an estimate; on a terminal the line is rewritten."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._done = 0
        self._start = time.monotonic()
        self._quiet = quiet
        self._tty = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._last = 0.0
        self._said = self._start

    def say(self, text: str) -> None:
        """A step worth a line of its own."""
        self._write(f"[{self._clock()}] {text}", end="\n")

    def advance(self, text: str) -> None:
        """One unit of ``total`` is done."""
        self._done += 1
        self.say(f"{self._done}/{self._total} {text}{self._estimate()}")

    def reach(self, done: int, text: str) -> None:
        """``done`` units of ``total`` are done, for many short ones: a line every few seconds, none
        when all is over sooner than that.
        """
        self._done = done
        now = time.monotonic()
        if now - self._said >= _REACHED_S:
            self._said = now
            self.say(f"{done}/{self._total} {text}{self._estimate()}")

    def tick(self, text: str) -> None:
        """Something moved inside a unit: on a terminal, at most five times a second."""
        now = time.monotonic()
        if not self._tty or now - self._last < 0.2:
            return
        self._last = now
        self._write(f"[{self._clock()}] {text}"[: width() - 1], end="")

    def _estimate(self) -> str:
        left = self._total - self._done
        if left <= 0 or self._done == 0:
            return ""
        seconds = (time.monotonic() - self._start) / self._done * left
        return f" (about {spell_time(seconds)} left)" if seconds >= 2 else ""

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._start)
        minutes = f"{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return f"{seconds // 3600}:{minutes}" if seconds >= 3600 else minutes

    def _write(self, text: str, *, end: str) -> None:
        if self._quiet:
            return
        clear = "\r\x1b[K" if self._tty else ""
        try:
            sys.stderr.write(f"{clear}{printable(text)}{end}")
            sys.stderr.flush()
        except BrokenPipeError:
            # Nobody reads the progress any more; the work it tells of goes on.
            self._quiet = True
