"""A driver's log: lines and events apart, and never more bytes than allowed."""

from __future__ import annotations

import re
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pydantic import ValidationError

from harness.model.job import Event

EVENT_PREFIX = b"@bench "
MAX_LINE_BYTES = 64 << 10
TAIL_LINES = 40
TAIL_LINE_CHARS = 500
KEPT_PARTS = 2
LEFT_OUT = b"[bench: %d bytes left out here]\n"
CONTROLS = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links
    rb"|\x1b[@-Z\\^_=><()*+][0-9A-B]?"
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
"""Sequences that steer a terminal and say nothing to a reader; line ends are not among them."""
_PART = re.compile(r".*\.tail-(\d+)")
_ENDS = re.compile(rb"[\r\n]+")


def parse_event(line: bytes) -> Event | None:
    """The event in an ``@bench`` line; None for any other line, and for a malformed one."""
    if not line.startswith(EVENT_PREFIX):
        return None
    try:
        return Event.model_validate_json(line[len(EVENT_PREFIX) :])
    except ValidationError:
        return None


class LineSplitter:
    """Cuts a byte stream at ``\\r`` and ``\\n``; a line longer than 64 KiB is cut into pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the non-empty lines completed by ``data``."""
        *lines, self._rest = _ENDS.split(self._rest + data)
        yield from (line for line in lines if line)
        while len(self._rest) >= MAX_LINE_BYTES:
            yield self._rest[:MAX_LINE_BYTES]
            self._rest = self._rest[MAX_LINE_BYTES:]

    def end(self) -> Iterator[bytes]:
        """Yield what is left without an end of line."""
        if self._rest:
            yield self._rest
        self._rest = b""


def log_parts(path: Path) -> list[tuple[int, Path]]:
    """Parts after the head of the log at ``path``: (where each begins in the output, file)."""
    matches = (_PART.fullmatch(part.name) for part in path.parent.glob(f"{path.stem}.tail-*"))
    return sorted((int(match[1]), path.with_name(match[0])) for match in matches if match)


class CappedLog:
    """Writes lines to ``path``, at most ``limit_bytes``: the first half and the last quarter(s).

    What follows the head goes to parts, of which the last two are kept, so the end survives a kill
    of bench as well. A part is named after its place in the whole output. On close one file with
    the head, a line that says how much was left out, and the parts takes the head's place;
    ``LogReader`` follows all this.
    """

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self._path = path
        self._head_bytes = limit_bytes // 2
        self._part_bytes = limit_bytes // 4
        for _, left in log_parts(path):
            left.unlink()
        self._stream: BinaryIO = path.open("wb")
        self._size = 0
        self._written = 0
        self._boundary = 0
        """Position at which the head ends."""
        self._parts: list[tuple[int, Path]] = []
        self._last: deque[bytes] = deque(maxlen=TAIL_LINES)

    def __enter__(self) -> CappedLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, shortened, as text."""
        return tuple(line.decode("utf-8", "replace")[:TAIL_LINE_CHARS] for line in self._last)

    def write(self, line: bytes) -> None:
        self._last.append(line)
        limit = self._part_bytes if self._parts else self._head_bytes
        if self._size + len(line) + 1 > limit and (self._size or not self._parts):
            self._turn()
        self._stream.write(line + b"\n")
        self._stream.flush()
        self._size += len(line) + 1
        self._written += len(line) + 1

    def _turn(self) -> None:
        self._stream.close()
        if not self._parts:
            self._boundary = self._written
        if len(self._parts) == KEPT_PARTS:
            self._parts.pop(0)[1].unlink()
        path = self._path.with_name(f"{self._path.stem}.tail-{self._written}")
        self._stream = path.open("wb")
        self._parts.append((self._written, path))
        self._size = 0

    def close(self) -> None:
        self._stream.close()
        if not self._parts:
            return
        joined = self._path.with_suffix(".joined")
        with joined.open("wb") as whole:
            with self._path.open("rb") as head:
                shutil.copyfileobj(head, whole)
            if dropped := self._parts[0][0] - self._boundary:
                whole.write(LEFT_OUT % dropped)
            for _, path in self._parts:
                whole.write(path.read_bytes())
        joined.replace(self._path)
        for _, path in self._parts:
            path.unlink()
        self._parts = []


class LogSink:
    """Takes a driver's raw output: events to ``listen``, all other lines to the log."""

    def __init__(self, log: CappedLog, listen: Callable[[Event], None]) -> None:
        self._log = log
        self._listen = listen
        self._splitter = LineSplitter()

    def feed(self, data: bytes) -> None:
        self._take(self._splitter.feed(data))

    def end(self) -> None:
        self._take(self._splitter.end())

    def _take(self, lines: Iterator[bytes]) -> None:
        for line in lines:
            event = parse_event(line)
            if event is None:
                self._log.write(line)
            else:
                self._listen(event)
