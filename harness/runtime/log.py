"""A driver's log: lines and events apart, and never more bytes than allowed."""

from __future__ import annotations

import re
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


class CappedLog:
    """Writes lines to ``path``, at most ``limit_bytes``: the first half and the last quarter(s).

    What follows the head goes to two files that take turns, so the end survives a kill of bench
    as well; on close they are joined to the head with a line that says how much was left out.
    """

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self._path = path
        self._old = path.with_suffix(".tail-1")
        self._new = path.with_suffix(".tail-2")
        self._head_bytes = limit_bytes // 2
        self._part_bytes = limit_bytes // 4
        self._stream: BinaryIO = path.open("wb")
        self._size = 0
        self._in_tail = False
        self._dropped_bytes = 0
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
        limit = self._part_bytes if self._in_tail else self._head_bytes
        if self._size + len(line) + 1 > limit:
            self._turn()
        self._stream.write(line + b"\n")
        self._stream.flush()
        self._size += len(line) + 1

    def _turn(self) -> None:
        self._stream.close()
        if self._in_tail:
            if self._old.exists():
                self._dropped_bytes += self._old.stat().st_size
            self._new.replace(self._old)
        self._in_tail = True
        self._stream = self._new.open("wb")
        self._size = 0

    def close(self) -> None:
        self._stream.close()
        if not self._in_tail:
            return
        with self._path.open("ab") as whole:
            if self._dropped_bytes:
                whole.write(b"[bench: %d bytes left out here]\n" % self._dropped_bytes)
            for part in (self._old, self._new):
                if part.exists():
                    whole.write(part.read_bytes())
                    part.unlink()
        self._in_tail = False


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
