"""Reads a container's output: two streams over one connection, the tool's own lines as events."""

from __future__ import annotations

import re
import select
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.model.job import Event, Step
from harness.model.tool import LogPattern
from harness.tools.runtime.log import CONTROLS, CappedLog, LogSink

STDOUT, STDERR = 1, 2
END_CHARS = 64 << 10
EVENT_EVERY_S = 0.2
_HEADER = struct.Struct(">BxxxL")
_CHUNK_BYTES = 1 << 16


class Frames:
    """Takes apart what an engine sends for a container without a terminal.

    Each frame is a stream's number, three zeros, a big-endian 32-bit length, and that many bytes
    (Docker Engine API, "Attach to a container").
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (stream, bytes) for each frame completed by ``data``."""
        data = self._rest + data
        start = 0
        while len(data) - start >= _HEADER.size:
            stream, size = _HEADER.unpack_from(data, start)
            end = start + _HEADER.size + size
            if end > len(data):
                break
            yield stream, data[start + _HEADER.size : end]
            start = end
        self._rest = data[start:]


class Attachment:
    """The connection to a container's output; made before the container starts, so that nothing
    is missed.
    """

    def __init__(self, api: Any, container: str, *, terminal: bool) -> None:
        self._raw = api.attach_socket(container, {"stdout": 1, "stderr": 1, "stream": 1})
        self._frames = None if terminal else Frames()

    def read(self, timeout_s: float) -> list[tuple[int, bytes]] | None:
        """Output within ``timeout_s``, by stream; None at the end, also that of the engine."""
        if not select.select([self._raw], [], [], timeout_s)[0]:
            return []
        try:
            data = self._raw.read(_CHUNK_BYTES)
        except ConnectionError:
            return None
        if not data:
            return None
        return [(STDOUT, data)] if self._frames is None else list(self._frames.feed(data))

    def close(self) -> None:
        # The SDK hands out a reader; the connection itself belongs to the answer that it keeps.
        (getattr(self._raw, "_response", None) or self._raw).close()


class PatternReader:
    """Events in a tool's own lines, at most five a second of each kind, and the last of each."""

    def __init__(
        self,
        patterns: Sequence[LogPattern],
        step: Step,
        listen: Callable[[Event], None],
        total: float | None = None,
    ) -> None:
        """``total``: how many iterations are planned, for lines that do not say."""
        self._patterns = [
            (re.compile(pattern.pattern), pattern.unit)
            for pattern in patterns
            if pattern.step == step
        ]
        self._listen = listen
        self._total = total
        self._said_at: dict[str, float] = {}
        self._held: dict[str, Event] = {}

    def read(self, line: str) -> None:
        for pattern, unit in self._patterns:
            match = pattern.search(line)
            if match is not None:
                for event in line_events(match, unit, self._total):
                    self._say(event)
                return

    def tick(self) -> None:
        """Say what was held back, once its time has come; to be called now and then."""
        for event in list(self._held.values()):
            self._say(event)

    def end(self) -> None:
        """Say what was held back."""
        for event in self._held.values():
            self._listen(event)
        self._held = {}

    def _say(self, event: Event) -> None:
        now = time.monotonic()
        if now - self._said_at.get(event.kind, float("-inf")) < EVENT_EVERY_S:
            self._held[event.kind] = event
            return
        self._said_at[event.kind] = now
        self._held.pop(event.kind, None)
        self._listen(event)


def line_events(match: re.Match[str], unit: str, total: float | None) -> list[Event]:
    """Events in a line by its groups ``done``, ``total`` and ``loss_NAME``.

    Numbers may have thousands separators. A group that is no number, and a loss that is not finite
    (JSON cannot carry it), are left out.
    """
    numbers = {name: _number(text) for name, text in match.groupdict().items()}
    events = []
    if (done := numbers.get("done")) is not None:
        planned = numbers.get("total") or (total if unit == "iterations" else None)
        events.append(Event(kind="progress", done=done, total=planned, unit=unit))
    losses = {
        name.removeprefix("loss_"): value
        for name, value in numbers.items()
        if name.startswith("loss_") and value is not None
    }
    if losses:
        events.append(Event(kind="loss", values=losses))
    return events


def _number(text: str | None) -> float | None:
    try:
        value = float((text or "").replace(",", ""))
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


class ToolLog(CappedLog):
    """A capped log that reads the tool's lines as it writes them, and remembers how they ended."""

    def __init__(self, path: Path, limit_bytes: int, reader: PatternReader) -> None:
        super().__init__(path, limit_bytes)
        self._reader = reader
        self._ending: deque[str] = deque()
        self._ending_chars = 0

    def __enter__(self) -> ToolLog:
        return self

    def write(self, line: bytes) -> None:
        """Without terminal controls, which would run where the log is looked at."""
        line = CONTROLS.sub(b"", line).rstrip()
        if not line:
            return
        super().write(line)
        text = line.decode("utf-8", "replace")
        self._reader.read(text)
        self._ending.append(text)
        self._ending_chars += len(text) + 1
        while self._ending_chars > END_CHARS and len(self._ending) > 1:
            self._ending_chars -= len(self._ending.popleft()) + 1

    def tick(self) -> None:
        """See ``PatternReader.tick``."""
        self._reader.tick()

    def end(self) -> None:
        """See ``PatternReader.end``."""
        self._reader.end()

    @property
    def ending(self) -> str:
        """The last lines, about 64 KiB of them."""
        return "\n".join(self._ending)


class Sinks:
    """One sink for each stream, so that half a line of one is not taken for a part of the other."""

    def __init__(self, log: CappedLog, listen: Callable[[Event], None]) -> None:
        self._sinks = {STDOUT: LogSink(log, listen), STDERR: LogSink(log, listen)}

    def feed(self, pieces: Sequence[tuple[int, bytes]]) -> None:
        for stream, data in pieces:
            self._sinks[STDERR if stream == STDERR else STDOUT].feed(data)

    def end(self) -> None:
        for sink in self._sinks.values():
            sink.end()
