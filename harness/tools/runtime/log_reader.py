"""Reads a step's log while it is written: every byte once, whatever files it turns over to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from harness.tools.runtime.log import LEFT_OUT, log_parts

_CHUNK_BYTES = 1 << 16
_LEFT_OUT = re.compile(rb"\[bench: (\d+) bytes left out here\]\n")


class LogReader:
    """Follows what a ``CappedLog`` writes to ``path``.

    Positions are counted in the tool's output, not in a file: a part's name says where it begins.
    Files stay open, so that one that is renamed or removed can still be read to its end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._head: BinaryIO | None = None
        self._head_bytes: int | None = None
        """Known once the head is left behind."""
        self._part: BinaryIO | None = None
        self._part_start = -1
        self._at = 0
        self._finished = False

    def read(self) -> Iterator[bytes]:
        """Yield what is new. Bytes that the log dropped meanwhile are reported in a line."""
        if self._finished or not self._open_head():
            return
        # Looked at before reading: a file that has a successor by now is read to its very end.
        joined = self._is_joined()
        parts = [] if joined else self._later_parts()
        yield from self._rest()
        if joined:
            yield from self._rest_of_joined()
            self.close()
            return
        for start, path in parts:
            try:
                part = path.open("rb")
            except FileNotFoundError:
                # Turned over or joined since; the next call finds what came of it.
                return
            yield from self._gap(start)
            self._leave_for(part, start)
            yield from self._rest()

    def close(self) -> None:
        """Closes the files; nothing more is read."""
        for stream in (self._head, self._part):
            if stream is not None:
                stream.close()
        self._finished = True

    def _open_head(self) -> bool:
        if self._head is None:
            try:
                self._head = self._path.open("rb")
            except FileNotFoundError:
                return False
        return True

    def _is_joined(self) -> bool:
        """True when the whole log has taken the head's place, which the writer does last."""
        assert self._head is not None
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False
        # The head is open, so its number is not given to another file.
        return now.st_ino != _inode(self._head)

    def _later_parts(self) -> list[tuple[int, Path]]:
        return [(start, path) for start, path in log_parts(self._path) if start > self._part_start]

    def _rest(self) -> Iterator[bytes]:
        stream = self._part or self._head
        assert stream is not None
        while data := stream.read(_CHUNK_BYTES):
            self._at += len(data)
            yield data

    def _leave_for(self, part: BinaryIO, start: int) -> None:
        if self._part is None:
            self._head_bytes = self._at
        else:
            self._part.close()
        self._part, self._part_start, self._at = part, start, start

    def _gap(self, start: int) -> Iterator[bytes]:
        if start > self._at:
            yield LEFT_OUT % (start - self._at)

    def _rest_of_joined(self) -> Iterator[bytes]:
        """Rest of the joined log beyond the position: its head, what was left out, its end."""
        head_bytes = self._at if self._head_bytes is None else self._head_bytes
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            return
        with stream:
            stream.seek(head_bytes)
            left_out = _LEFT_OUT.fullmatch(stream.readline(_CHUNK_BYTES))
            start, place = head_bytes, head_bytes
            if left_out is not None:
                start, place = head_bytes + int(left_out[1]), stream.tell()
            if start > self._at:
                yield LEFT_OUT % (start - self._at)
                self._at = start
            stream.seek(place + self._at - start)
            while data := stream.read(_CHUNK_BYTES):
                self._at += len(data)
                yield data


def _inode(stream: BinaryIO) -> int:
    return os.fstat(stream.fileno()).st_ino
