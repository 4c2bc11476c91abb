"""Progress of long commands: a clock and an estimate that can be read after days."""

from __future__ import annotations

import pytest

from harness.cli.output import Progress


class Clock:
    """Stands in for the monotonic clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("harness.cli.output.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(59, "[00:59]"), (3599, "[59:59]"), (3600, "[1:00:00]"), (86400, "[24:00:00]")],
)
def test_the_clock_has_hours(
    seconds: int, shown: str, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(2)
    clock.now += seconds
    progress.say("here")
    assert capsys.readouterr().err == f"{shown} here\n"


def test_an_estimate_of_weeks_is_in_days(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(48)
    clock.now += 86400
    progress.advance("done")
    assert capsys.readouterr().err == "[24:00:00] 1/48 done (about 47 days left)\n"


def test_many_short_units_are_a_line_every_few_seconds(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(20)
    for done in range(1, 21):
        clock.now += 0.5
        progress.reach(done, "cells")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "[00:02] 4/20 cells (about 10 s left)"
    assert len(lines) == 5
    quick = Progress(2)
    quick.reach(1, "cells")
    quick.reach(2, "cells")
    assert capsys.readouterr().err == ""
