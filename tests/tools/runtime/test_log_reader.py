"""A log that turns over and is read meanwhile."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from harness.tools.runtime.log import CappedLog
from harness.tools.runtime.log_reader import LogReader

LEFT_OUT = re.compile(rb"\[bench: (\d+) bytes left out here\]\n")


def line(number: int) -> bytes:
    return b"line %06d" % number


def read(reader: LogReader) -> bytes:
    return b"".join(reader.read())


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[LogReader]:
    found = LogReader(tmp_path / "log.txt")
    yield found
    found.close()


def account_for(seen: bytes, lines: int) -> int:
    """Bytes left out of ``seen``; the rest must be all lines once and in order."""
    text, left_out = b"", 0
    for piece in seen.splitlines(keepends=True):
        if match := LEFT_OUT.fullmatch(piece):
            left_out += int(match[1])
            text += b"." * int(match[1])
        else:
            text += piece
    whole = b"".join(line(number) + b"\n" for number in range(lines))
    assert len(text) == len(whole)
    assert all(a in (b, ord(".")) for a, b in zip(text, whole, strict=True))
    return left_out


def write(log: CappedLog, numbers: Iterable[int]) -> None:
    for number in numbers:
        log.write(line(number))


def test_a_reader_that_keeps_up_sees_every_line_once_over_many_parts(
    tmp_path: Path, reader: LogReader
) -> None:
    seen = b""
    with CappedLog(tmp_path / "log.txt", 400) as log:
        for number in range(500):
            write(log, [number])
            seen += read(reader)
    seen += read(reader)
    assert account_for(seen, 500) == 0
    assert b"left out" in (tmp_path / "log.txt").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
    assert read(reader) == b""


@pytest.mark.parametrize("seed", range(40))
def test_a_reader_that_falls_behind_is_told_what_it_missed_and_sees_nothing_twice(
    tmp_path: Path, reader: LogReader, seed: int
) -> None:
    chance = random.Random(seed)
    lines = chance.choice([5, 15, 30, 60, 300])
    seen = b""
    with CappedLog(tmp_path / "log.txt", 400) as log:
        for number in range(lines):
            write(log, [number])
            if chance.random() < 0.08:
                seen += read(reader)
    seen += read(reader)
    assert account_for(seen, lines) <= lines * 12
    assert seen.endswith(line(lines - 1) + b"\n")


@pytest.mark.parametrize("seed", range(40))
def test_turning_over_and_closing_in_the_middle_of_a_read_loses_and_repeats_nothing(
    tmp_path: Path, reader: LogReader, seed: int
) -> None:
    chance = random.Random(seed)
    seen, number = b"", 0
    with CappedLog(tmp_path / "log.txt", 400) as log:
        for _ in range(chance.randrange(2, 20)):
            for data in reader.read():
                seen += data
                for _ in range(chance.randrange(12)):
                    write(log, [number])
                    number += 1
            write(log, [number])
            number += 1
        reading = reader.read()
        seen += next(reading, b"")
        log.close()
        seen += b"".join(reading)
    for _ in range(3):
        seen += read(reader)
    account_for(seen, number)
    assert seen.endswith(line(number - 1) + b"\n")


def test_what_a_killed_bench_left_is_read_to_its_last_line(
    tmp_path: Path, reader: LogReader
) -> None:
    log = CappedLog(tmp_path / "log.txt", 400)
    write(log, range(100))
    seen = read(reader)
    log._stream.close()
    assert account_for(seen, 100) > 0
    assert seen.endswith(line(99) + b"\n")
    with CappedLog(tmp_path / "log.txt", 400) as again:
        write(again, range(2))
    assert (tmp_path / "log.txt").read_bytes() == line(0) + b"\n" + line(1) + b"\n"


def test_a_finished_log_is_read_as_it_is(tmp_path: Path, reader: LogReader) -> None:
    assert read(reader) == b""
    with CappedLog(tmp_path / "log.txt", 400) as log:
        write(log, range(100))
        log.write(b"x" * 1000)
    assert read(reader) == (tmp_path / "log.txt").read_bytes()
