"""The newest of a step's events, in a file alongside its log."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.model.job import Event, Step
from harness.model.tool import LogPattern
from harness.tools.runtime import progress as module
from harness.tools.runtime.container_log import PatternReader, ToolLog
from harness.tools.runtime.progress import Pace, ProgressFile, read_progress


def at(done: float) -> Event:
    return Event(kind="progress", done=done, total=100, unit="iterations")


def test_the_file_is_written_at_most_once_a_second_and_the_last_state_always(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    heard: list[Event] = []
    with ProgressFile(tmp_path / module.PROGRESS_NAME, heard.append) as kept:
        seen = []
        for number in range(50):
            kept.hear(at(number))
            now += 0.1
            found = read_progress(tmp_path)
            assert found is not None
            seen.append(found.done or 0)
        assert sorted(set(seen)) == [0, 10, 20, 30, 40]
        kept.hear(Event(kind="loss", values={"a": 0.5, "b": math.nan}))
        kept.hear(Event(kind="note", text="saved"))
        now += 1
        kept.tick()
        found = read_progress(tmp_path)
        assert found is not None
        assert (found.done, found.losses, found.note) == (49, {"a": 0.5, "b": None}, "saved")
        kept.hear(at(50))
    found = read_progress(tmp_path)
    assert found is not None
    assert (found.done, found.total, found.unit, found.note) == (50, 100, "iterations", "saved")
    assert len(heard) == 53
    assert [path.name for path in tmp_path.iterdir()] == [module.PROGRESS_NAME]


def test_a_damaged_or_missing_file_tells_of_no_progress(tmp_path: Path) -> None:
    assert read_progress(tmp_path) is None
    (tmp_path / module.PROGRESS_NAME).write_text('{"time": ')
    assert read_progress(tmp_path) is None


def test_a_resumed_training_counts_from_where_it_resumed_and_a_new_pass_begins_anew() -> None:
    pace = Pace()
    assert pace.count(5000, "iterations", 0.0) is None
    assert pace.count(5050, "iterations", 10.0) == 5
    assert pace.count(6050, "iterations", 110.0) == pytest.approx(10, abs=0.5)
    assert pace.count(7, "iterations", 111.0) is None
    assert pace.count(9, "frames", 112.0) is None
    assert pace.count(9, "frames", 112.0) is None


def test_a_tools_own_lines_alone_make_progress(tmp_path: Path) -> None:
    pattern = LogPattern(
        step=Step.TRAIN,
        pattern=r"#(?P<done>\d+) a (?P<loss_a>[\d.]+)",
        unit="iterations",
        example="#1 a 0.5",
    )
    with (
        ProgressFile(tmp_path / module.PROGRESS_NAME, lambda event: None) as kept,
        ToolLog(
            tmp_path / "log.txt", 400, PatternReader([pattern], Step.TRAIN, kept.hear, 1000)
        ) as log,
    ):
        for number in range(300):
            log.write(b"#%d a 0.25" % number)
        log.end()
    found = read_progress(tmp_path)
    assert found is not None
    assert (found.done, found.total, found.losses) == (299, 1000, {"a": 0.25})
